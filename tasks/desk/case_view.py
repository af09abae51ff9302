"""One case as its page shows it: the whole thread, what was done and decided, and what is asked now."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from email import message_from_bytes, policy
from enum import StrEnum
from typing import Any

from sqlmodel import Session, col, select

from adapters.wiring import Systems
from models.errors import LayananError
from models.forms import FORMS
from models.forms.base import SYSTEM, choices_of
from models.reasons import warnings_said
from models.rights import Denied, refusal
from models.sop import label
from models.staff import Note, Staff
from models.states import SignalKind
from models.tables import ActivityRecord, Case, Deadline, Decision, Kept, Letter, Message, Outbox, TicketRow, Wait
from tasks.desk.claims import holder
from tasks.desk.facts import Facts
from tasks.desk.visible import visible_case
from tasks.run.authors import matter
from tasks.run.family import family

DEADLINES: dict[SignalKind, str] = {
    SignalKind.UPDATE: "Kabar ke pelanggan / Update to the customer",
    SignalKind.REPAIR: "Perbaikan oleh unit / The unit's repair",
    SignalKind.APPROVAL: "Persetujuan solusi / Approval of the solution",
    SignalKind.ANSWER: "Jawaban pelanggan / The customer's answer",
    SignalKind.CLOSING: "Akhir masa tunggu closing / End of closing's waiting period",
    SignalKind.OPENING: "Kantor buka / The office opens",
}
"""What a deadline is for, as people read it."""


class Wrote(StrEnum):
    """Who wrote an entry of the thread; the value is what people read."""

    CUSTOMER = "Pelanggan / Customer"
    US = "Surat kita / Our letter"
    STAFF = "Catatan / Note"


@dataclass(frozen=True)
class Entry:
    """A mail, a letter or a note."""

    wrote: Wrote
    number: int
    who: str
    at: datetime
    subject: str
    text: str
    quoted: str = ""
    """What was below it: the mail that it answers."""
    state: str = ""
    warnings: Sequence[str] = ()
    attachments: Sequence[dict[str, Any]] = ()


@dataclass(frozen=True)
class Done:
    """An activity, a step or a decision of the case's history."""

    at: datetime
    what: str
    who: str
    detail: str = ""


@dataclass(frozen=True)
class CaseView:
    """A case at one moment; ``seen`` is what a decision on it counts on."""

    case: Case
    seen: Facts
    wait: Wait | None
    holder: Staff | None
    refused: Denied | None
    """Why the reader may not decide; None where they may, or nothing is asked."""
    thread: Sequence[Entry]
    history: Sequence[Done]
    tickets: Sequence[TicketRow]
    deadlines: Sequence[Deadline]
    merged: Sequence[str] = field(default=())
    """References of cases that were merged into it."""


def case_view(systems: Systems, staff: Staff, case_id: int) -> CaseView:
    """The case as this person sees it.

    Raises:
        UnknownCase: there is no such case, or it belongs to another site.
    """
    with systems.store.read() as session:
        case = visible_case(session, staff, case_id)
        wait = session.get(Wait, case_id)
        asked = wait if wait and not wait.given_how else None
        numbers = family(session, case_id)
        others = session.exec(select(Case).where(col(Case.id).in_(numbers), Case.id != case_id)).all()
        return CaseView(
            case=case,
            seen=Facts.now(session, case_id),
            wait=asked,
            holder=holder(session, systems, case_id),
            refused=refusal(staff, matter(session, case, asked)) if asked else None,
            thread=sorted(_thread(session, systems, numbers), key=lambda entry: entry.at),
            history=sorted(_history(session, case_id), key=lambda one: one.at),
            tickets=session.exec(select(TicketRow).where(TicketRow.case_id == case_id)).all(),
            deadlines=session.exec(
                select(Deadline).where(Deadline.case_id == case_id, ~col(Deadline.over)).order_by(col(Deadline.due_at))
            ).all(),
            merged=[other.reference for other in others],
        )


def _thread(session: Session, systems: Systems, numbers: Sequence[int]) -> Iterator[Entry]:
    for mail in session.exec(select(Message).where(col(Message.case_id).in_(numbers))):
        new = mail.new_text or mail.text
        yield Entry(
            Wrote.CUSTOMER,
            mail.id or 0,
            f"{mail.sender_name} <{mail.sender}>".strip(),
            mail.came_at,
            mail.subject,
            new,
            quoted=mail.text.replace(new, "", 1).strip() if mail.text != new else "",
            warnings=warnings_said(mail.doubts.split(), mail.warnings, mail.authentication),
            attachments=mail.attachments,
        )
    letters = select(Letter, Outbox).join(Outbox).where(col(Letter.case_id).in_(numbers))
    for letter, outbox in session.exec(letters):
        text = _text(session, systems, letter.sha256)
        yield Entry(
            Wrote.US, letter.id or 0, label(letter.kind), letter.written_at, letter.subject, text, state=outbox.state
        )
    notes = select(Note, Staff.name).join(Staff).where(col(Note.case_id).in_(numbers))
    for note, name in session.exec(notes):
        yield Entry(Wrote.STAFF, note.id or 0, name, note.written_at, str(note.kind), note.text)


def _text(session: Session, systems: Systems, sha256: str) -> str:
    """The letter's plain text, or that its bytes cannot be read."""
    kept = session.get(Kept, sha256)
    try:
        raw = kept.content if kept else systems.store.kept_file(sha256)
    except LayananError:
        return "(tidak dapat dibaca / cannot be read)"
    body = message_from_bytes(raw, policy=policy.default).get_body(("plain",))
    return str(body.get_content()) if body else ""


def _history(session: Session, case_id: int) -> Iterator[Done]:
    """Activities and steps of the SOP, and decisions with who took them."""
    for record in session.exec(select(ActivityRecord).where(ActivityRecord.case_id == case_id)):
        known = label(record.name)
        if record.number is not None or known != record.name:
            number = f"{record.number} · " if record.number else ""
            problem = str(record.output.get("error") or record.output.get("problem") or "")
            yield Done(record.ended_at, f"{number}{known}", record.performer, problem)
    for decision in session.exec(select(Decision).where(Decision.case_id == case_id)):
        form = FORMS[decision.form]
        given = {name: str(one) for name, one in decision.answers.items() if one and name not in ("by", "message")}
        said = [choices_of(form, name).get(text, text) for name, text in given.items()]
        who = "Sistem / System" if decision.by == SYSTEM else f"{decision.role}: {decision.by}"
        yield Done(decision.decided_at, form.title, who, " · ".join(said))
