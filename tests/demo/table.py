"""The demo's end: one table of what became of each mail, and every difference from what was expected."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterState, FlowRunFilterStateType
from prefect.client.schemas.objects import StateType
from rich.table import Table
from sqlmodel import func, select

from models.letter import LetterKind
from models.tables import Case, Outbox
from tests.demo.player import Play, Player, Sent
from tests.order import disallowed
from tests.stack import Stack


@dataclass(frozen=True)
class Result:
    """What became of one case, from the ledger and from the simulator's own records."""

    case: Case
    path: list[int]
    letters: Counter[str]
    """Message-IDs that the customer's server, or another desk's, took, with how often."""
    tickets: Counter[str]
    """External ids in My CX, with how often."""

    @property
    def kinds(self) -> list[str]:
        """Kinds of the letters in their order, each as often as it came."""
        return [kind for one, times in self.letters.items() for kind in [one.split(".")[1]] * times]


class Results:
    """Everything that the demo left behind."""

    def __init__(self, player: Player) -> None:
        self.player = player
        self.stack: Stack = player.stack
        index = self.stack.home / "simulator" / "mail" / "index.jsonl"
        self._received = [json.loads(line) for line in index.read_text().splitlines()]
        self._tickets = [str(ticket.get("externalId")) for ticket in self.stack.tickets()]
        self.cases = {play.scenario.name: self._result(play.case_id) for play in player.plays if play.case_id}

    def _result(self, case_id: int) -> Result:
        case = self.stack.case(case_id)
        assert case is not None
        known = {case.address, *self.stack.settings.segment_desk_addresses}
        letters = [one["message_id"] for one in self._received if known & set(one["to"])]
        prefix = f"<{case.reference.lower()}."
        return Result(
            case=case,
            path=self.stack.path(case_id),
            letters=Counter(one for one in letters if one.startswith(prefix)),
            tickets=Counter(one for one in self._tickets if one.startswith(f"{case.reference}/")),
        )

    def differences(self) -> Iterator[str]:
        """One line for each thing that is not as it must be."""
        if self.player.stalled:
            yield self.player.stalled
        for play in self.player.plays:
            yield from (f"{play.scenario.name}: {problem}" for problem in self._problems(play))
        ours = {box.address for box in self.stack.settings.mailboxes}
        sent = sum(1 for one in self._received if one["from"] in ours)
        known = sum(result.letters.total() for result in self.cases.values())
        if sent != known:
            yield f"{sent} letters went out, but the cases have {known}"
        if len(self._tickets) != sum(result.tickets.total() for result in self.cases.values()):
            yield f"there are tickets of no case: {self._tickets}"
        refused, wanted = self._refused(), sum(play.scenario.refusals for play in self.player.plays)
        if refused != wanted:
            yield f"the relay refused letters {refused} times, not {wanted}"
        yield from self._broken_runs()

    def _refused(self) -> int:
        """How often the relay has refused letters, all of which went later."""
        with self.stack.systems.store.read() as session:
            attempts = select(func.sum(Outbox.attempts), func.count()).where(Outbox.state == "sent")
            made, needed = session.exec(attempts).one()
            return (made or 0) - needed

    def _problems(self, play: Play) -> Iterator[str]:
        scenario, result = play.scenario, self.cases.get(play.scenario.name)
        if not play.sent:
            yield "its mail was never written"
        for sent in play.sent:
            if sent.row is None:
                yield "a mail was never taken in"
            elif sent.row.outcome != sent.mail.outcome or sent.mail.reason not in sent.row.reason:
                yield f"mail is {sent.row.outcome} ({sent.row.reason}), not {sent.mail.outcome} ({sent.mail.reason})"
        if not scenario.path or self.waits_for_you(play):
            return
        if result is None:
            yield "no case was opened"
            return
        if play.steps:
            yield f"nobody could do the step at {play.steps[0].at}"
        if tuple(result.path) != scenario.path:
            yield f"path is {result.path}, not {list(scenario.path)}"
        if bad := disallowed(result.path):
            yield f"the SOP does not allow {bad}"
        if sorted(result.kinds) != scenario.expected_letters:
            yield f"letters are {sorted(result.kinds)}, not {scenario.expected_letters}"
        if twice := [one for one, times in result.letters.items() if times > 1]:
            yield f"letters came more than once: {twice}"
        if (result.case.status, result.case.outcome) != ("closed", scenario.outcome):
            yield f"the case is {result.case.status} ({result.case.outcome}), not closed ({scenario.outcome})"
        if sorted(result.tickets.values()) != [1] * (6 in scenario.path):
            yield f"tickets are {dict(result.tickets)}"

    def _broken_runs(self) -> Iterator[str]:
        broken = FlowRunFilterStateType(any_=[StateType.FAILED, StateType.CRASHED])
        with SyncPrefectClient(api=self.stack.settings.prefect_api_url) as client:
            runs = client.read_flow_runs(flow_run_filter=FlowRunFilter(state=FlowRunFilterState(type=broken)))
        yield from (f"run {run.name} is {run.state_name}: {run.state and run.state.message}" for run in runs)

    def waits_for_you(self, play: Play) -> bool:
        """Whether, with KEEP, the scenario's last decision is left to whoever looks at it."""
        return play.scenario.kept and not play.steps and self.player.keep

    def waiting(self) -> Iterator[tuple[str, Result]]:
        """The scenarios that wait so, with their cases."""
        yield from (
            (one.scenario.name, self.cases[one.scenario.name]) for one in self.player.plays if self.waits_for_you(one)
        )

    def table(self) -> Table:
        """Mail → case → path → letters → outcome."""
        table = Table("Mail", "Intake", "Case", "Activities", "Letters", "Outcome", title="layanan-email", expand=True)
        for play in self.player.plays:
            for number, sent in enumerate(play.sent):
                table.add_row(*self._row(play, sent, first=number == 0))
        return table

    def _row(self, play: Play, sent: Sent, *, first: bool) -> tuple[str, ...]:
        intake, reason = (sent.row.outcome, sent.row.reason) if sent.row else ("?", "")
        result = self.cases.get(play.scenario.name)
        if result is None:
            return play.scenario.name, intake, "", "", "", reason
        if not first:
            return f"  ↳ {reason}", intake, result.case.reference, "", "", ""
        letters = ", ".join(LetterKind(kind).name.lower().replace("_", " ") for kind in result.kinds)
        outcome = "waits for you" if self.waits_for_you(play) else result.case.outcome or result.case.status
        return play.scenario.name, intake, result.case.reference, " ".join(map(str, result.path)), letters, outcome
