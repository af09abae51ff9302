"""A person accepts a quarantined mail as a customer's, so that it joins or opens a case like any other."""

from sqlmodel import select

from adapters.case_store import audit
from adapters.ems import Received
from adapters.wiring import Systems
from models.audit import Action, Entry
from models.errors import Unreadable, WrongUse
from models.mail import ParsedMail, Problem
from models.reasons import Reason, Why, said
from models.tables import Case, Message
from tasks.find_case import whose_address
from tasks.intake.batch import TakenIn, alone_with, answered
from tasks.intake.place_mail import Look, is_by_unnamed_form, old_or_new
from tasks.intake.read_mail import Parsed, read
from tasks.intake.store_mail import columns, follow, note_copied, opened_case


def accept_mail(systems: Systems, message_id: int, by: str) -> TakenIn:
    """Take in a mail whose outcome is ``quarantined`` or ``automatic``.

    Raises:
        WrongUse: it has another outcome, or no letter would reach its writer; the text says why.
        Refused: its bytes are lost.
        SettingsError: its mailbox is no longer in the settings.
        Unavailable: the case store does not answer.
    """
    with systems.store.read() as session:
        message = session.get(Message, message_id)
    if message is None or message.outcome not in {"quarantined", "automatic"}:
        hint = "`layanan mails --outcome quarantined` lists quarantined ones"
        raise WrongUse(f"mail {message_id} was neither quarantined nor automatic; {hint}")
    raw = systems.store.kept(message.sha256)
    try:
        mail = read(systems, raw, cut=Problem.TOO_LARGE in message.warnings)
    except Unreadable as error:
        raise WrongUse(f"mail {message_id} cannot be read ({error.reason}); answer it by hand") from None
    if problem := _unanswerable(systems, mail):
        raise WrongUse(f"mail {message_id}: {problem}; answer it by hand")
    site = systems.settings.mailbox(message.mailbox).site
    received = Received(message.mailbox, site, message.uidvalidity, message.uid, raw)
    parsed = Parsed(received, mail, message.came_at, customer_id=whose_address(systems, mail))
    now = systems.clock.now()
    with systems.store.write() as session:
        alone_with(session, systems, [mail.sender])
        row = session.exec(select(Message).where(Message.id == message_id).with_for_update()).one()
        if row.outcome != message.outcome:
            raise WrongUse(f"mail {message_id} has been taken in meanwhile")
        placed = old_or_new(Look(session, systems, parsed, now))
        opened = opened_case(session, placed)
        session.flush()
        note_copied(session, systems, mail, placed, opened, now)
        row.sqlmodel_update(columns(mail))
        row.outcome, row.case_id = placed.outcome, opened.id if opened else placed.case_id
        row.reasons = [*map(list, (*placed.reasons, Reason(Why.ACCEPTED, by))), *row.reasons]
        session.add(row)
        session.flush()
        follow(session, systems, mail, placed, row, now)
        reference = session.get_one(Case, row.case_id).reference if row.case_id else ""
        audit.note(session, Entry(Action.MAIL_ACCEPTED, now, by, reference=reference, subject=f"mail {message_id}"))
    return answered(systems, row)


def _unanswerable(systems: Systems, mail: ParsedMail) -> str:
    """Why no letter would reach the mail's writer; empty if one would."""
    if not mail.sender:
        return "it has no sender's address"
    if systems.settings.is_ours(mail.sender):
        return (
            "it is from an address of ours, where no customer reads letters; where a form sent it, name that address "
            "in LAYANAN_FORMS, else"
        )
    if mail.sender in systems.settings.ours.forms:
        return "it is by a form, and its Reply-To names no one customer"
    with systems.store.read() as session:
        has_cases = session.exec(select(Case.id).where(Case.address == mail.sender).limit(1)).first() is not None
    if is_by_unnamed_form(mail, systems.settings, has_cases=has_cases):
        return said([Reason(Why.UNNAMED_FORM, mail.sender)])
    return ""
