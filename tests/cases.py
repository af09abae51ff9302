"""Cases for tests, made as intake makes them, and activities done as a batch does them: without an engine."""

import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import make_msgid
from itertools import count
from pathlib import Path
from typing import Any, ParamSpec, TypeVar
from zoneinfo import ZoneInfo

import httpx
from pydantic import BaseModel
from sqlmodel import SQLModel, select

from adapters.case_store.store import AlreadyRecorded
from adapters.clock import SimulatedClock
from adapters.ems import Received
from adapters.simulator.seed import SeededBill, SeededCustomer, SeededMailbox
from adapters.wiring import Systems
from models.analysis import Kind
from models.errors import LayananError
from models.facts import Segment
from models.forms.base import Form
from models.need import Diagnosis, Need
from models.settings import Office
from models.states import SignalKind
from models.tables import ActivityRecord, Case, Deadline, Letter, Signal, TicketRow, Wait
from tasks.handle_intensively import Handled, handle_intensively
from tasks.intake.batch import TakenIn, take_in_batch
from tasks.run.activity import Activity
from tasks.run.attempt import Attempt
from tasks.run.case_run import CaseRun
from tasks.run.lease import due_letters
from tasks.run.send_letter import deliver
from tasks.run.wait_key import WaitKey
from tasks.run.waits import Question
from tasks.serve_complaint import Complaint
from tests.adapters.systems import back_office

P = ParamSpec("P")
R = TypeVar("R", bound=BaseModel)
T = TypeVar("T", bound=SQLModel)

OURS = "layanan@telkom.example"
BUDI, MAJU, BANK, STRANGER = "budi@example.com", "noc@maju.example", "it@bank.example", "asing@example.com"
TOKO = "toko@example.com"
DESK = "enterprise.care@telkom.example"
LINE, LINK = "122345678901", "4700001-0021497479"
SEED = back_office.SEED.model_copy(
    update={
        "mailboxes": [
            SeededMailbox(address=OURS, password="pw", site="JKT"),
            SeededMailbox(address=DESK, password="pw"),
        ],
        "customers": [
            *back_office.SEED.customers,
            SeededCustomer(
                customer_id="C-5",
                name="Bank",
                addresses=[BANK],
                segment=Segment.ENTERPRISE,
                service_no="122345678905",
                bills=[SeededBill(bill_no="B-5", amount=1_000_000, remaining=0, state="settled")],
            ),
            SeededCustomer(
                customer_id="C-6",
                name="Toko",
                addresses=[TOKO],
                service_no="122345678906",
                phone="0215551234",
                status="suspended",
                bills=[SeededBill(bill_no="B-6", amount=400_000, remaining=0, state="settled")],
            ),
        ],
    }
)
"""Budi has a good line and an overdue bill, Maju a link whose port is down; Bank is of another segment
and has paid. Toko has paid, too, and is still cut off."""

MATI = f"Internet saya {LINE} mati total sejak tadi pagi, lampu LOS merah. Mohon segera diperbaiki."
PRICE = "Berapa harga paket IndiHome 50 Mbps dan promo apa saja yang ada sekarang?"

_uids = count(1)


class StandingClock(SimulatedClock):
    """A simulated clock that moves when it is moved, and else stands."""

    def __init__(self, file: Path) -> None:
        super().__init__(file)
        self._began = super().now() - self._offset()

    def now(self) -> datetime:
        return self._began + self._offset()


def mail(sender: str, text: str = MATI, subject: str = "Internet mati", **headers: str) -> bytes:
    """A customer's mail to us."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, OURS, subject
    for name, value in {"Message_ID": make_msgid(domain="pelanggan.example"), **headers}.items():
        del message[name.replace("_", "-")]
        message[name.replace("_", "-")] = value
    message.set_content(text)
    return message.as_bytes()


def received(raw: bytes, uid: int = 0) -> Received:
    """The mail as our mailbox holds it, at a place of its own."""
    return Received(OURS, "JKT", 1, uid or next(_uids), raw)


def take_in(systems: Systems, mail: Received) -> TakenIn:
    """Intake of one mail."""
    return take_in_batch(systems, [mail])[mail.uid]


def arrives(
    systems: Systems, sender: str = BUDI, text: str = MATI, subject: str = "Internet mati", **headers: str
) -> TakenIn:
    """Intake of a customer's mail."""
    return take_in(systems, received(mail(sender, text, subject, **headers)))


def opened(systems: Systems, sender: str = BUDI, *text: str) -> CaseRun:
    """A case that a mail has opened: its text and subject."""
    taken = arrives(systems, sender, *text)
    assert taken.outcome == "opened", taken
    assert taken.case_id is not None
    return CaseRun.open(taken.case_id, systems)


def need(**more: Any) -> Need:
    """What Budi needs: his line repaired."""
    known: dict[str, Any] = {"message_id": 1, "kind": Kind.COMPLAINT, "topic": "no_service", "service_number": LINE}
    return Need(**known | {"customer_id": "C-1"} | more)


def do_now(activity: Activity[P, R], case: CaseRun, *args: P.args, **kwargs: P.kwargs) -> list[int]:
    """Do an activity without a task run; returns the ids of the letters to send. What fails is recorded as failed."""
    attempt = Attempt(activity, case, case.next_occurrence(activity.name), args, kwargs)
    try:
        record, letters = attempt.perform()
    except LayananError as error:
        if not error.permanent:
            raise
        record, letters = attempt.failed(error), []
    case.remember(record)
    return letters


def done(activity: Activity[P, R], case: CaseRun, *args: P.args, **kwargs: P.kwargs) -> R:
    """Do an activity and return its output as it is recorded, with its effects."""
    do_now(activity, case, *args, **kwargs)
    record = latest(case, activity.name)
    assert record.state == "done", record.output
    return activity.output.model_validate(record.output)


def snapshot(case: CaseRun) -> Case:
    """The case's row as it is now."""
    return rows(case.systems, Case, id=case.case_id)[0]


def latest(case: CaseRun, name: str) -> ActivityRecord:
    """The newest record of an activity or a wait."""
    return rows(case.systems, ActivityRecord, case_id=case.case_id, name=name)[-1]


def rows(systems: Systems, table: type[T], **where: Any) -> list[T]:
    """Rows of a table, oldest first."""
    key: Any = table.__table__.primary_key.columns[0]  # type: ignore[attr-defined]
    with systems.store.read() as session:
        return list(session.exec(select(table).filter_by(**where).order_by(key)))


def ticket(case: CaseRun, unit: str = "Access Network") -> Handled:
    """The case's ticket in My CX, as activity 6 makes it."""
    complaint = Complaint(topic="slow", service_number=LINE, severity="Minor", description=f"{case.reference}: slow")
    return done(handle_intensively, case, complaint, Diagnosis(unit=unit), 1)


def tickets(systems: Systems) -> list[dict[str, Any]]:
    """All tickets, as My CX has them."""
    return list(httpx.get(f"{_simulator(systems)}/tickets").raise_for_status().json())


def change_ticket(systems: Systems, **change: Any) -> None:
    """A unit changes the newest ticket in My CX."""
    found = rows(systems, TicketRow)[-1].ticket_id
    url = f"{systems.settings.mycx.url}/tmf-api/troubleTicket/v4/troubleTicket/{found}"
    key = {"Authorization": f"Bearer {systems.settings.mycx.token.get_secret_value()}"}
    httpx.patch(url, json=change, headers=key).raise_for_status()


def told(cause: str, repair: str) -> list[dict[str, str]]:
    """A unit's notes on a repair."""
    return [{"@type": "Cause", "text": cause}, {"@type": "Repair", "text": repair}]


def fault(systems: Systems, system: str, kind: str, times: int) -> None:
    """Let the next requests to a system go wrong; its adapter tries three times."""
    body = {"system": system, "kind": kind, "times": times}
    httpx.post(f"{_simulator(systems)}/faults", json=body).raise_for_status()


def _simulator(systems: Systems) -> str:
    return f"{systems.settings.mycx.url.rpartition('/')[0]}/simulator"


def letter(case: CaseRun, kind: str) -> EmailMessage:
    """The newest letter of a kind, as it goes out."""
    sha256 = rows(case.systems, Letter, case_id=case.case_id, kind=kind)[-1].sha256
    return message_from_bytes(case.store.kept(sha256), policy=policy.default)


def text(case: CaseRun, kind: str) -> str:
    """Its words, on one line."""
    body = letter(case, kind).get_body(("plain",))
    assert body is not None
    return " ".join(body.get_content().split())


def deadlines(case: CaseRun) -> dict[str, float]:
    """Hours until each deadline that counts."""
    now = case.systems.clock.now()
    return {
        deadline.kind: round((deadline.due_at - now) / timedelta(hours=1), 1)
        for deadline in rows(case.systems, Deadline, case_id=case.case_id, over=False)
    }


def keep_signal(systems: Systems, case_id: int, kind: str, source: str, answers: dict[str, Any]) -> None:
    """Something that happened to a case, once for each ``source``."""
    with suppress(AlreadyRecorded), systems.store.write() as session:
        at = systems.clock.now()
        session.add(Signal(case_id=case_id, kind=SignalKind(kind), source=source, answers=answers, created_at=at))


def pending(case: CaseRun) -> list[str]:
    """Kinds of the wakes that nobody has taken."""
    return [wake.kind for wake in rows(case.systems, Signal, case_id=case.case_id) if wake.taken_at is None]


def post(systems: Systems) -> None:
    """All letters that are due go out."""
    for letter_id in due_letters(systems):
        deliver(systems, letter_id)


def accepted(systems: Systems, address: str) -> list[str]:
    """Message-IDs of what the SMTP server has taken for an address, in order."""
    index = systems.settings.home.parent / "simulator" / "mail" / "index.jsonl"
    lines = [json.loads(line) for line in index.read_text().splitlines()] if index.exists() else []
    return [line["message_id"] for line in lines if address in line["to"]]


class GivenClock:
    """A clock that stands at the given moment until it is moved."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at

    def advance(self, hours: float) -> datetime:
        self.at += timedelta(hours=hours)
        return self.at


def at_office(systems: Systems, moment: str, office: Office | None = None) -> GivenClock:
    """Let the service keep office hours, the default ones or these, from this moment of Jakarta on."""
    clock = GivenClock(datetime.fromisoformat(moment).replace(tzinfo=ZoneInfo("Asia/Jakarta")).astimezone(UTC))
    systems.__dict__["clock"] = clock
    systems.settings.office = office or Office()
    systems.settings.__dict__.pop("_offices", None)
    return clock


def asks(case: CaseRun, form: type[Form], number: int = 1, about: str = "Bagaimana") -> Wait:
    """Let the case wait with a form, as its run does before it is suspended."""
    shown = form.asking(("Access Network",))
    Question(CaseRun.open(case.case_id, case.systems), form, WaitKey.of_form(form, number), shown).begin(about)
    return waiting(case)


def waiting(case: CaseRun) -> Wait:
    """What the case waits for."""
    (wait,) = rows(case.systems, Wait, case_id=case.case_id)
    return wait
