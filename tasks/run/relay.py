"""The relay for letters as a whole: whether it refuses us, and when it is tried again.

A refusal that concerns us keeps every letter: one of them is tried now and then, and when the relay takes it, all
others go on. Where a reply does not say whom it concerns, the answers to other letters do: the same reply to several
recipients in a row concerns us, one in between whose letter was taken shows that it concerns the recipient.
"""

from datetime import datetime, timedelta

from sqlalchemy import delete, func, update
from sqlmodel import Session, col, select

from adapters.case_store.holds import goes_first, pause_after
from adapters.ems.smtp import OF_ACCOUNT
from adapters.wiring import Systems
from models.errors import OfSystem
from models.states import UNDER_WAY
from models.tables import Letter, Outbox, Relay

FIRST_PAUSE = timedelta(seconds=30)
SEVERAL = 3
"""Recipients in a row whose letters get one reply, from which on it concerns us."""


def refusal(session: Session, systems: Systems) -> Relay | None:
    """What stands between us and the relay; None where nothing does."""
    return session.get(Relay, systems.settings.smtp.account)


def refusal_now(systems: Systems) -> Relay | None:
    """The same, in a transaction of its own."""
    with systems.store.read() as session:
        return refusal(session, systems)


def begin_probe(session: Session, systems: Systems, now: datetime, until: datetime) -> bool | None:
    """Whether a letter may be tried now: None as any, True as the one probe, which must be over by ``until``."""
    relay = refusal(session, systems)
    if relay is None:
        return None
    if relay.not_before > now:
        return False
    return goes_first(session, col(Relay.name) == relay.name, col(Relay.not_before), relay.not_before, until)


def end_probe(session: Session, systems: Systems) -> None:
    """The probe said nothing of the relay: the next letter is one."""
    this = col(Relay.name) == systems.settings.smtp.account
    session.connection().execute(update(Relay).where(this).values(not_before=systems.machine_clock.now()))


def takes_letters(session: Session, systems: Systems) -> None:
    """The relay has taken one."""
    session.connection().execute(delete(Relay).where(col(Relay.name) == systems.settings.smtp.account))


def refuses_us(session: Session, systems: Systems, error: OfSystem, *, several: bool = False) -> None:
    """Record that the relay refuses us, or cannot be reached; the next probe is later than the one before."""
    now, smtp = systems.machine_clock.now(), systems.settings.smtp
    systems.store.alone(session, {f"relay {smtp.account}"})
    told = f"{error} for several recipients in a row: check {OF_ACCOUNT}" if several else str(error)
    relay = refusal(session, systems) or Relay(name=smtp.account, since=now, error="", not_before=now)
    relay.error, relay.words, relay.reply = told, error.words, error.reply
    relay.not_before = now + pause_after(relay.probes, FIRST_PAUSE, timedelta(seconds=smtp.probe_seconds))
    relay.probes += 1
    session.merge(relay)


def taken_since(session: Session, moment: datetime) -> bool:
    """Whether the relay has taken any letter since."""
    sent = (col(Outbox.state) == "sent", col(Outbox.not_before) > moment)
    return session.exec(select(Outbox.letter_id).where(*sent).limit(1)).first() is not None


def concerns_us(session: Session, reply: str, recipient: str) -> bool:
    """Whether so many recipients in a row, with this one, have had this reply that it concerns us."""
    sent = session.exec(select(func.max(Outbox.not_before)).where(Outbox.state == "sent")).one()
    same = [col(Outbox.state).in_(UNDER_WAY), col(Outbox.reply) == reply, col(Letter.recipient) != recipient]
    if sent is not None:
        same.append(col(Outbox.refused_at) >= sent)
    others = select(func.count(func.distinct(Letter.recipient))).select_from(Outbox).join(Letter).where(*same)
    return session.exec(others).one() + 1 >= SEVERAL
