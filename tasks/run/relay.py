"""Whether the SMTP relay refuses us, and when it is tried again.

While it refuses us, all letters wait but one at a time, the probe; once the relay takes that, all others follow.
If a reply does not say whom it concerns, other letters decide: the same reply to several recipients in a row concerns
us; a letter that is taken in between shows that the reply concerns the recipient.
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
"""Number of recipients in a row with the same reply from which the reply concerns us."""


def refusal(session: Session, systems: Systems) -> Relay | None:
    """The relay's refusal of us; None if it takes letters."""
    return session.get(Relay, systems.settings.smtp.account)


def refusal_now(systems: Systems) -> Relay | None:
    """The same, read in a session of its own."""
    with systems.store.read() as session:
        return refusal(session, systems)


def begin_probe(session: Session, systems: Systems, now: datetime, until: datetime) -> bool | None:
    """Whether a letter may be tried now: None: as any; True: as the probe, which ends by ``until``; False: not now."""
    relay = refusal(session, systems)
    if relay is None:
        return None
    if relay.not_before > now:
        return False
    return goes_first(session, col(Relay.name) == relay.name, col(Relay.not_before), relay.not_before, until)


def end_probe(session: Session, systems: Systems) -> None:
    """End a probe that showed nothing of the relay: the next letter becomes the probe."""
    this = col(Relay.name) == systems.settings.smtp.account
    session.connection().execute(update(Relay).where(this).values(not_before=systems.machine_clock.now()))


def takes_letters(session: Session, systems: Systems) -> None:
    """Record that the relay has taken a letter."""
    session.connection().execute(delete(Relay).where(col(Relay.name) == systems.settings.smtp.account))


def refuses_us(session: Session, systems: Systems, error: OfSystem, *, several: bool = False) -> None:
    """Record that the relay refuses us or cannot be reached; the pause before the next probe grows."""
    now, smtp = systems.machine_clock.now(), systems.settings.smtp
    systems.store.alone(session, {f"relay {smtp.account}"})
    told = f"{error} for several recipients in a row: check {OF_ACCOUNT}" if several else str(error)
    relay = refusal(session, systems) or Relay(name=smtp.account, since=now, error="", not_before=now)
    relay.error, relay.words, relay.reply = told, error.words, error.reply
    relay.not_before = now + pause_after(relay.probes, FIRST_PAUSE, timedelta(seconds=smtp.probe_seconds))
    relay.probes += 1
    session.merge(relay)


def taken_since(session: Session, moment: datetime) -> bool:
    """Whether the relay has taken any letter since this moment."""
    sent = (col(Outbox.state) == "sent", col(Outbox.not_before) > moment)
    return session.exec(select(Outbox.letter_id).where(*sent).limit(1)).first() is not None


def concerns_us(session: Session, reply: str, recipient: str) -> bool:
    """Whether this reply has gone to so many recipients in a row, including this one, that it concerns us."""
    sent = session.exec(select(func.max(Outbox.not_before)).where(Outbox.state == "sent")).one()
    same = [col(Outbox.state).in_(UNDER_WAY), col(Outbox.reply) == reply, col(Letter.recipient) != recipient]
    if sent is not None:
        same.append(col(Outbox.refused_at) >= sent)
    others = select(func.count(func.distinct(Letter.recipient))).select_from(Outbox).join(Letter).where(*same)
    return session.exec(others).one() + 1 >= SEVERAL
