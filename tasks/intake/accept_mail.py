"""A mail that intake left out is a customer's after all, as a person says: it joins or opens a case like any other."""

from sqlmodel import select

from adapters.ems import Received
from adapters.wiring import Systems
from models.errors import Unreadable, WrongUse
from models.mail import Problem
from models.tables import Message
from tasks.find_case import whose_address
from tasks.intake.batch import TakenIn, alone_with, answered, columns
from tasks.intake.place_mail import UNNAMED_FORM, Arrived, is_like_a_form, note_copied, old_or_new
from tasks.intake.read_mail import read


def accept_mail(wired: Systems, message_id: int, by: str) -> TakenIn:
    """Take in a mail whose outcome is ``set_aside`` or ``automatic``.

    Raises:
        WrongUse: it is none of these, or nobody can be answered; the text says why.
        Refused: its bytes are lost.
        SettingsError: the mailbox that it came to is no longer in the settings.
        Unavailable: the case store does not answer.
    """
    with wired.store.read() as session:
        message = session.get(Message, message_id)
    if message is None or message.outcome not in {"set_aside", "automatic"}:
        raise WrongUse(f"mail {message_id} is none that was left out; `layanan mails --outcome set_aside` lists them")
    raw = wired.store.kept(message.sha256)
    try:
        mail = read(wired, raw, cut=Problem.TOO_LARGE in message.warnings)
    except Unreadable as error:
        raise WrongUse(f"mail {message_id} cannot be read ({error.reason}); answer it by hand") from None
    if not mail.sender:
        raise WrongUse(f"mail {message_id} has no sender's address; answer it by hand")
    if wired.settings.is_ours(mail.sender):
        raise WrongUse(
            f"mail {message_id} is from an address of ours, where no customer reads letters; where a form sent it, "
            "name that address in LAYANAN_FORMS, else answer it by hand"
        )
    if mail.sender in wired.settings.ours.forms:
        raise WrongUse(f"mail {message_id} is by a form, and its Reply-To names no one customer; answer it by hand")
    if not mail.passed_on and is_like_a_form(mail, wired.settings, by_text=mail.automatic is not None):
        raise WrongUse(
            f"mail {message_id} asks for answers at another address: {UNNAMED_FORM.format(mail.sender)}; "
            "else answer it by hand"
        )
    site = wired.settings.mailbox(message.mailbox).site
    received = Received(message.mailbox, site, message.uidvalidity, message.uid, raw)
    customer_id, now = whose_address(wired, mail), wired.clock.now()
    with wired.store.write() as session:
        alone_with(session, wired, [mail.sender])
        row = session.exec(select(Message).where(Message.id == message_id).with_for_update()).one()
        if row.outcome != message.outcome:
            raise WrongUse(f"mail {message_id} has been taken in meanwhile")
        arrived = Arrived(session, wired, received, mail, now, message.came_at, customer_id)
        placed = old_or_new(arrived)
        session.flush()
        note_copied(session, arrived, placed)
        row.sqlmodel_update(columns(mail))
        row.outcome, row.case_id = placed.outcome, placed.case_id
        row.reason = f"{placed.reason}; taken in by {by}, before: {message.reason}"
        session.add(row)
        session.flush()
        placed.then(row)
    return answered(wired, row)
