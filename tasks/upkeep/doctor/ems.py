"""Doctor's checks of mailboxes and the SMTP relay. Held by `tests/tasks/upkeep/test_doctor.py` and `test_relay.py`."""

from datetime import timedelta

from sqlalchemy import func
from sqlmodel import col, select

from adapters.ems.smtp import OF_ACCOUNT
from adapters.wiring import Systems
from models.errors import LayananError, Refused, Unavailable
from models.settings import Mailbox
from models.states import UNDER_WAY
from models.tables import Letter, Outbox, Relay
from tasks.intake import first_poll
from tasks.upkeep.doctor.check import Probe, Warn
from tasks.upkeep.doctor.records import RECENT

FULL = 90
"""Per cent of a mailbox's quota from which a person should make room."""


def relay(systems: Systems) -> str:
    """The relay takes our letters, by its latest answers; its refusals are quoted."""
    under_way = col(Outbox.state).in_(UNDER_WAY)
    with systems.store.read() as session:
        refusal = session.get(Relay, systems.settings.smtp.account)
        unclear = session.exec(
            select(Outbox.reply, Outbox.words).where(under_way, Outbox.cause == "unclear").distinct()
        ).all()
        waiting = session.exec(select(func.count()).select_from(Outbox).where(under_way)).one()
    if refusal is not None:
        since, again = (
            f"{at.astimezone(systems.settings.zone):%d-%m-%Y %H:%M:%S %Z}" for at in (refusal.since, refusal.not_before)
        )
        said = _quoted(refusal.error, refusal.words)
        raise LayananError(f"{said}; since {since}; {waiting} letter(s) wait, next probe {again}")
    if unclear:
        said = ", ".join(sorted(_quoted(reply, words) for reply, words in unclear))
        raise Warn(f"refuses some letters with {said}; they are retried. It may refuse us: check {OF_ACCOUNT}")
    return "takes letters"


def copies(systems: Systems) -> str:
    """Copies of letters arrive: the copy of an unconfirmed letter proves that it was sent."""
    if systems.settings.smtp.copies == "none":
        return "none are kept"
    now = systems.clock.now()
    travelled = timedelta(seconds=systems.settings.claim_seconds)
    recent = (Outbox.state == "sent", col(Outbox.sent_at).between(now - RECENT, now - travelled))
    query = select(Letter).join(Outbox).where(*recent).order_by(col(Outbox.sent_at).desc()).limit(1)
    with systems.store.read() as session:
        letter = session.exec(query).first()
    if letter is None:
        return "no recent letter to look for"
    try:
        found = systems.ems.has_copy(letter.message_id, systems.settings.mailbox(letter.sender))
    except LayananError:
        return "not checked: the mailbox cannot be read"
    if not found:
        raise Warn("the Sent copy of the latest letter is missing")
    return "the Sent copy of the latest letter has arrived"


def smtp(systems: Systems) -> str:
    """Letters can leave."""
    systems.ems.reach_smtp()
    return "login accepted"


def of_mailbox(box: Mailbox) -> list[Probe]:
    """The checks of one mailbox, in their order."""
    return [mailbox(box), first_poll_of(box)]


def mailbox(box: Mailbox) -> Probe:
    """Login, folder and quota of one mailbox."""

    def look(systems: Systems) -> str:
        used = systems.ems.reach_imap(box)
        if used is not None and used >= FULL:
            raise Warn(f"{used} % of its quota is used: a full mailbox refuses mail")
        return "login and folder accepted"

    advice = "check the mailbox in LAYANAN_MAILBOXES: server, login, folder; room on the server"
    return Probe(f"EMS: mailbox {box.address}", look, advice)


def copies_to(box: Mailbox) -> Probe:
    """Whether copies of letters can reach one mailbox."""
    advice = "check sent_folder in LAYANAN_MAILBOXES, LAYANAN_SMTP__COPIES and LAYANAN_SMTP__COPY_TO"
    return Probe(f"EMS: copies to {box.address}", lambda systems: systems.ems.reach_copies(box), advice)


def first_poll_of(box: Mailbox) -> Probe:
    """Whether the first poll of one mailbox waits for a person."""

    def look(systems: Systems) -> str:
        try:
            seen = first_poll.look(systems, box)
        except Unavailable:
            return "not checked: mailbox or case store does not answer"
        if seen.waits:
            raise Refused("first poll", seen.question)
        return f"mail since {seen.moment}; {seen.older} older mail(s) stay where they are"

    return Probe(f"EMS: first poll of {box.address}", look, first_poll.answer(box))


def _quoted(error: str, words: str) -> str:
    return f"{error} (“{words}”)" if words else error


COPIES = Probe(
    "copies",
    copies,
    "LAYANAN_SMTP__COPY_TO must deliver into a folder that LAYANAN_MAILBOXES names; until it does, an unconfirmed "
    "letter is sent twice",
)
RELAY = Probe(
    "relay",
    relay,
    "fix what it names; letters then go on by themselves, within the longest pause between two probes "
    "(LAYANAN_SMTP__PROBE_SECONDS). `layanan letters --again` lists those that failed because the relay refused us",
)
SMTP = Probe("EMS: letters", smtp, "check LAYANAN_SMTP__HOST, __PORT, __TLS, __USER, __PASSWORD")
