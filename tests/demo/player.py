"""Plays the demo's people: customers by SMTP, the contact centre's people as on the desk, and time."""

import smtplib
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import make_msgid, parseaddr
from pathlib import Path
from uuid import UUID

from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.objects import StateType
from sqlmodel import col, func, select

from models.errors import NotWaiting
from models.forms import FORMS
from models.forms.base import Choice
from models.staff import SignedIn
from models.tables import ActivityRecord, Case, Message, Outbox, Signal, Wait
from tasks.desk.decide import Outdated, answer
from tasks.run.authors import author_by_name
from tests.demo.scenarios import HOURS, Mail, Scenario, Step
from tests.stack import Stack

MAILS = Path(__file__).with_name("mails")
STALL_SECONDS = 120
"""Longest time in which nothing at all is recorded before the play is given up."""
LOOK_SECONDS = 0.2
GOING = {StateType.SCHEDULED, StateType.PENDING, StateType.RUNNING}


@dataclass
class Sent:
    """A mail that was delivered, and its row in the intake ledger once there is one."""

    mail: Mail
    message_id: str
    row: Message | None = None


@dataclass
class Play:
    """How far a scenario has come."""

    scenario: Scenario
    steps: list[Step]
    sent: list[Sent] = field(default_factory=list)
    answered: str = ""
    """Key of the wait that was answered last."""

    @property
    def case_id(self) -> int | None:
        """The case that the first mail opened."""
        row = self.sent[0].row if self.sent and self.scenario.path else None
        return row.case_id if row else None


@dataclass(frozen=True)
class Look:
    """The case store at one moment."""

    mails: list[Message]
    cases: dict[int, Case]
    waits: dict[int, Wait]
    wakes: list[Signal]
    unsent: int
    done: int
    """Numbered activities in the ledger."""

    def at(self, case_id: int | None) -> str:
        """What a case waits with; ``closed`` when it has ended."""
        if case_id is None:
            return ""
        if case_id in self.waits:
            return self.waits[case_id].form
        return self.cases[case_id].status


class Player:
    """Plays all scenarios at once against a running stack.

    Args:
        say: told what happens, a line at a time.
        progress: told how many activities are done.
        keep: leave the last decision of the scenarios marked so to somebody else.
    """

    def __init__(
        self,
        stack: Stack,
        scenarios: Iterable[Scenario],
        say: Callable[[str], None],
        progress: Callable[[int], None],
        keep: bool,
    ) -> None:
        self.stack = stack
        self.plays = [Play(one, _steps(one, keep)) for one in scenarios]
        self.stalled = ""
        self._say = say
        self._progress = progress
        self.keep = keep
        self._client = SyncPrefectClient(api=stack.settings.prefect_api_url)
        self._passes: dict[str, UUID] = {}
        self._moved = False

    def play(self) -> None:
        """Play to the end, or until nothing moves any more (``stalled`` says who waits)."""
        passed = 0.0
        for hours in (0.0, *HOURS):
            if hours:
                self._say(f"⏩ {hours:g} h after the first mail")
                self.stack.clock.advance(hours - passed)
                self._passes.pop("monitor-cases", None)
                self._moved, passed = True, hours
            if not self._until_quiet():
                return

    def _until_quiet(self) -> bool:
        """Act until all that is left to wait for is time; False when it stalled."""
        changed, before = time.monotonic(), (-1, -1)
        while time.monotonic() - changed < STALL_SECONDS:
            look = self._look()
            acted = [self._act(play, look) for play in self.plays]
            self._run_passes()
            if not any(acted) and self._quiet(look):
                return True
            if (now := (look.done, len(look.mails))) != before:
                changed, before = time.monotonic(), now
            time.sleep(LOOK_SECONDS)
        waiting = [f"{look.cases[id_].reference} waits with {wait.form}" for id_, wait in look.waits.items()]
        self.stalled = f"nothing moved for {STALL_SECONDS} s: {'; '.join(waiting) or 'no case waits'}"
        return False

    def _look(self) -> Look:
        with self.stack.systems.store.read() as session:
            numbered = col(ActivityRecord.number).is_not(None) & (col(ActivityRecord.state) == "done")
            look = Look(
                mails=list(session.exec(select(Message).order_by(col(Message.id)))),
                cases={case.key: case for case in session.exec(select(Case))},
                waits={wait.case_id: wait for wait in session.exec(select(Wait))},
                wakes=list(session.exec(select(Signal).where(col(Signal.taken_at).is_(None)))),
                unsent=session.exec(select(func.count()).select_from(Outbox).where(Outbox.state != "sent")).one(),
                done=session.exec(select(func.count()).where(numbered)).one(),
            )
        rows = list(look.mails)
        for sent in (sent for play in self.plays for sent in play.sent):
            # what is no mail has no Message-ID of its own
            aside = not sent.message_id
            same = (row for row in rows if (not row.sender if aside else row.message_id == sent.message_id))
            sent.row = next(same, None)
            if sent.row is not None:
                rows.remove(sent.row)
        self._progress(look.done)
        return look

    def _act(self, play: Play, look: Look) -> bool:
        """Do the scenario's next step if its time has come; returns whether something was done."""
        if not play.sent:
            return self._begin(play, look)
        at = look.at(play.case_id)
        wait = look.waits.get(play.case_id or 0)
        if not play.steps or play.steps[0].at != at or (wait and wait.wait_key == play.answered):
            return False
        step = play.steps[0]
        if step.mail and not self._is_out(step.mail, look.cases[play.case_id or 0]):
            return False
        if step.late and wait and not wait.escalated_to:
            return False
        if step.mail:
            self._send(play, step.mail, look.cases[play.case_id or 0])
        elif not self._decide(look.cases[play.case_id or 0], step):
            return True
        play.steps.pop(0)
        play.answered = wait.wait_key if wait else ""
        return True

    def _begin(self, play: Play, look: Look) -> bool:
        before = None
        if play.scenario.after is not None:
            name, at = play.scenario.after
            other = next(one for one in self.plays if one.scenario.name == name)
            if look.at(other.case_id) != at:
                return False
            before = look.cases[other.case_id or 0]
        if not self._is_out(play.scenario.mail, before):
            return False
        if play.scenario.refusals:
            self.stack.refuse_letters(play.scenario.refusals)
        self._send(play, play.scenario.mail, before)
        return True

    def _send(self, play: Play, mail: Mail, case: Case | None) -> None:
        raw = (MAILS / mail.file).read_bytes() if mail.file else self._written(mail, case).as_bytes()
        raw = raw.replace(b"\n", b"\r\n")
        headers = message_from_bytes(raw, policy=policy.default)
        with smtplib.SMTP("127.0.0.1", self.stack.settings.smtp.port) as smtp:
            smtp.sendmail(parseaddr(mail.sender)[1], [mail.to], raw)
        play.sent.append(Sent(mail, str(headers["Message-ID"] or "")))
        self._say(f"✉  {headers['From'] or mail.sender}: {headers['Subject'] or mail.file}")

    def _is_out(self, mail: Mail, case: Case | None) -> bool:
        """Whether the letter that the mail answers has reached the customer."""
        return case is None or not mail.answers or self._answered(mail, case) is not None

    def _answered(self, mail: Mail, case: Case) -> EmailMessage | None:
        letters = reversed(self.stack.letters(case.address))
        return next((one for one in letters if f".{mail.answers}." in one["Message-ID"]), None)

    def _written(self, mail: Mail, case: Case | None) -> EmailMessage:
        written = EmailMessage()
        written["From"], written["To"], written["Subject"] = mail.sender, mail.to, mail.subject
        written["Message-ID"] = make_msgid(domain=parseaddr(mail.sender)[1].partition("@")[2])
        if mail.answers and case is not None and (letter := self._answered(mail, case)):
            written.replace_header("Subject", letter["Subject"])
            written["In-Reply-To"] = written["References"] = letter["Message-ID"]
        written.set_content(mail.text)
        return written

    def _decide(self, case: Case, step: Step) -> bool:
        """Decide as on the desk; False while the case does not wait, or its run has yet to take an answer."""
        systems = self.stack.systems
        with systems.store.read() as session:
            author = author_by_name(session, step.by, SignedIn.COMMAND_LINE)
        said = _label(step.at, *next(iter(step.answers.items())))
        try:
            answer(systems, author, case.key, step.answers)
        except (NotWaiting, Outdated):
            return False
        self._say(f"✍  {step.by}: {case.reference} · {FORMS[step.at].title}: {said}")
        return True

    def _quiet(self, look: Look) -> bool:
        """Whether every case waits for what no step of its scenario brings."""
        sent = [one for play in self.plays for one in play.sent]
        if self._moved or look.unsent or any(one.row is None for one in sent):
            return False
        for play in self.plays:
            case = look.cases.get(play.case_id or 0)
            if case is None or case.status != "open":
                continue
            wait = look.waits.get(case.key)
            if wait is None or wait.wait_key == play.answered:
                return False
            if any(wake.case_id == case.key and wake.kind in FORMS[wait.form].signals() for wake in look.wakes):
                return False
        return True

    def _run_passes(self) -> None:
        """Have mail received and cases monitored now, instead of when the schedule says so."""
        if (
            any(sent.row is None for play in self.plays for sent in play.sent)
            and self._pass("receive-mail") not in GOING
        ):
            self._start_poll("receive-mail")
        if self._moved:
            state = self._pass("monitor-cases")
            self._moved = state is not StateType.COMPLETED
            if self._moved and state not in GOING:
                self._start_poll("monitor-cases")

    def _pass(self, flow: str) -> StateType | None:
        """State of the pass that was started last."""
        if flow not in self._passes:
            return None
        state = self._client.read_flow_run(self._passes[flow]).state
        return state.type if state else None

    def _start_poll(self, flow: str) -> None:
        deployment = self._client.read_deployment_by_name(f"{flow}/{flow}")
        self._passes[flow] = self._client.create_flow_run_from_deployment(deployment.id).id


def _steps(scenario: Scenario, keep: bool) -> list[Step]:
    return list(scenario.steps[:-1] if keep and scenario.kept else scenario.steps)


def _label(form: str, field_name: str, value: str) -> str:
    """What the UI's select shows for a code."""
    kind = FORMS[form].model_fields[field_name].annotation
    return kind[value].value if isinstance(kind, type) and issubclass(kind, Choice) else value
