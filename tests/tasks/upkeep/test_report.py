"""The managers' report: its figures, on both data bases, by cases that can be counted by hand."""

from datetime import timedelta
from itertools import count
from typing import Any

import pytest

from adapters.wiring import Systems
from models.letter import LetterKind
from models.sop import REVISION
from models.states import EscalationReason, LetterState
from models.tables import ActivityRecord, Case, Decision, FirstPoll, Letter, Message, Outbox, Wait
from tasks.closing import closing
from tasks.receive_and_analyse import receive_and_analyse
from tasks.run.send_letter import deliver
from tasks.upkeep.report import service_report
from tests.cases import BUDI, MAJU, OURS, StandingClock, done, opened
from tests.conftest import BOTH

pytestmark = pytest.mark.parametrize("systems", BOTH, indirect=True)

SECOND, MINUTE, HOUR, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@pytest.fixture(autouse=True)
def standing(systems: Systems) -> None:
    systems.clock = StandingClock(systems.settings.home / "clock")


def test_it_counts_what_was_done_in_the_last_days(systems: Systems) -> None:
    old = opened(systems, MAJU)
    done(receive_and_analyse, old)
    deliver(systems, 1)
    done(closing, old)
    systems.clock.advance(24 * 31)  # type: ignore[attr-defined]
    case = opened(systems, BUDI)
    done(receive_and_analyse, case)
    systems.clock.advance(0.5)  # type: ignore[attr-defined]
    deliver(systems, 3)
    report = service_report(systems)
    assert "| 1 | Terima & analisa / Receive and analyse | 1 | 0 | 0." in report
    assert "| 12 | Closing / Closing | 0 | 0 | — | 0 |" in report
    assert "| kasus baru / opened | 1 |" in report
    assert "| berjalan / open | 1 |" in report
    assert first_response(report) == [f"| baru / new | 1 | 1 | 0 | 0 | 100% {'| 0:30:00 ' * 5}|"]
    longer = service_report(systems, days=60)
    assert "60 hari terakhir" in longer
    assert "| 12 | Closing / Closing | 1 |" in longer
    assert "| kasus baru / opened | 2 |" in longer
    for words in (BUDI, MAJU, "Budi"):
        assert words not in report


_numbers = count(1)


def first_response(report: str) -> list[str]:
    """The lines of the section on 5.2."""
    section = report.partition("### Respon awal")[2].partition("\n###")[0]
    return [line for line in section.splitlines() if line.startswith(("| baru", "| lama"))]


class Added:
    """A case that came so long ago; intake wrote a first response, or an agent sent it by hand ``by_hand`` later."""

    def __init__(
        self,
        systems: Systems,
        ago: timedelta,
        *,
        by_hand: timedelta | None = None,
        tried: bool = True,
        **columns: Any,
    ) -> None:
        self.systems, self.number = systems, next(_numbers)
        self.opened_at = systems.clock.now() - ago
        known: dict[str, Any] = {"site": "JKT", "mailbox": OURS, "sop_revision": REVISION} | columns
        with systems.store.write() as session:
            case = Case(address=f"p{self.number}@example.com", opened_at=self.opened_at, **known)
            session.add(case)
            session.flush()
            self.id, self.address = case.key, case.address
            came: dict[str, Any] = {"arrived_at": self.opened_at, "received_at": self.opened_at}
            place: dict[str, Any] = {"mailbox": OURS, "uidvalidity": 9, "uid": self.number, "sha256": str(self.number)}
            session.add(Message(**place, **came, sender=self.address, outcome="opened", case_id=self.id))
            if tried:
                ended_at = self.opened_at + (by_hand or timedelta())
                session.add(_record(self.id, name="first_response", started_at=self.opened_at, ended_at=ended_at))

    def letter(
        self, after: timedelta | None, state: LetterState = "sent", kind: str = LetterKind.FIRST_RESPONSE
    ) -> "Added":
        """It is written; sent so long after the mail came."""
        written: dict[str, Any] = {"message_id": f"<{next(_numbers)}@x>", "recipient": self.address, "sender": OURS}
        written |= {"subject": "", "sha256": "0", "written_at": self.opened_at}
        sent_at = None if after is None else self.opened_at + after
        with self.systems.store.write() as session:
            letter = Letter(case_id=self.id, kind=kind, occurrence=1, **written)
            session.add(Outbox(letter=letter, state=state, not_before=self.opened_at, sent_at=sent_at))
        return self


def _record(case_id: int, **columns: Any) -> ActivityRecord:
    known: dict[str, Any] = {"occurrence": 1, "state": "done", "performer": "system", "sop_revision": REVISION}
    return ActivityRecord(case_id=case_id, **known | columns)


def test_who_has_got_none_counts_with_the_time_waited_so_far(systems: Systems) -> None:
    """Ten cases. By hand: waits of 1, 2, 3, 4, 5, 6 min, 30 min, 2 h, 3 h, 5 h; 8 are due or answered."""
    for minutes in range(1, 7):
        Added(systems, DAY).letter(minutes * MINUTE)
    Added(systems, 2 * DAY).letter(2 * HOUR)
    Added(systems, 30 * MINUTE).letter(None, "queued")  # not due yet
    Added(systems, 5 * HOUR).letter(None, "queued")
    # failed for good, and the case has ended three hours after the mail: that customer never got one
    ended: dict[str, Any] = {"status": "closed", "outcome": "not informed", "closed_at": systems.clock.now() - 7 * HOUR}
    Added(systems, 10 * HOUR, **ended).letter(None, "failed")
    # answered 7, waiting 2, never 1; in time 6 of the 9 that are due; sum of all waits 11 h 51 min over ten
    line = "| baru / new | 7 | 2 | 1 | 67% | 1:05:06 | 0:05:00 | 3:00:00 | 5:00:00 | 5:00:00 |"
    assert first_response(service_report(systems)) == [line.replace("new | 7", "new | 10 | 7")]


def test_who_waits_since_before_the_period_is_not_forgotten(systems: Systems) -> None:
    Added(systems, 40 * DAY).letter(None, "queued")
    Added(systems, 40 * DAY, status="closed", closed_at=systems.clock.now() - 35 * DAY).letter(None, "failed")
    Added(systems, 40 * DAY).letter(MINUTE)
    (line,) = first_response(service_report(systems))
    assert line.startswith("| baru / new | 1 | 0 | 1 | 0 | 0% | 960:00:00 |")


def test_a_bounced_response_is_none(systems: Systems) -> None:
    Added(systems, 3 * HOUR).letter(MINUTE, "bounced")
    (line,) = first_response(service_report(systems))
    assert line.startswith("| baru / new | 1 | 0 | 1 | 0 | 0% | 3:00:00 |")


def test_a_response_by_hand_and_a_later_letter_count(systems: Systems) -> None:
    Added(systems, 3 * HOUR, by_hand=20 * MINUTE)
    Added(systems, 3 * HOUR).letter(None, "failed").letter(40 * MINUTE, kind=LetterKind.QUESTION)
    (line,) = first_response(service_report(systems))
    assert line == "| baru / new | 2 | 2 | 0 | 0 | 100% | 0:30:00 | 0:20:00 | 0:40:00 | 0:40:00 | 0:40:00 |"


def test_whom_nobody_owed_one_does_not_count(systems: Systems) -> None:
    for status, outcome in (("merged", "merged"), ("cancelled", ""), ("closed", "not for us")):
        ended: dict[str, Any] = {"status": status, "outcome": outcome, "closed_at": systems.clock.now()}
        Added(systems, 3 * HOUR, tried=True, **ended).letter(None, "queued")
    # a thread that was answered lately: nothing was tried, and nothing doubted
    Added(systems, 3 * HOUR, tried=False)
    assert first_response(service_report(systems)) == []


def test_a_doubtful_sender_waits_like_any_other(systems: Systems) -> None:
    Added(systems, 2 * HOUR, tried=False, sender_doubt="spf fail")
    vouched = Added(systems, 4 * HOUR, tried=False)
    known: dict[str, Any] = {"wait_key": "k", "form": "ConfirmSender", "role": "Agent", "by": "Sari"}
    with systems.store.write() as session:
        session.add(Decision(case_id=vouched.id, decided_at=systems.clock.now(), **known))
    (line,) = first_response(service_report(systems))
    assert line.startswith("| baru / new | 2 | 0 | 2 | 0 | 0% | 3:00:00 |")


def test_old_mail_of_the_first_start_stands_apart(systems: Systems) -> None:
    Added(systems, 5 * DAY, mailbox=OURS.title()).letter(2 * DAY)
    Added(systems, HOUR).letter(SECOND)
    Added(systems, HOUR, mailbox="other@telkom.example").letter(SECOND)
    with systems.store.write() as session:
        session.add(FirstPoll(mailbox=OURS, seen_at=systems.clock.now() - 4 * DAY, uidvalidity=1))
    new, old = first_response(service_report(systems))
    assert new.startswith("| baru / new | 2 | 2 | 0 | 0 | 100% | 0:00:01 |")
    assert old.startswith("| lama, dari start pertama / old, of the first start | 1 | 1 | 0 | 0 | 0% | 48:00:00 |")


def test_percentiles_are_those_of_nearest_rank(systems: Systems) -> None:
    for minutes in range(1, 101):
        Added(systems, DAY).letter(minutes * MINUTE)
    (line,) = first_response(service_report(systems))
    assert line == ("| baru / new | 100 | 100 | 0 | 0 | 60% | 0:50:30 | 0:50:00 | 1:30:00 | 1:39:00 | 1:40:00 |")


def test_attempts_that_failed_take_part_in_an_activitys_figures(systems: Systems) -> None:
    at = systems.clock.now() - HOUR
    case = Added(systems, DAY).letter(MINUTE)
    for attempt, (state, seconds) in enumerate((("failed", 120), ("failed", 60), ("done", 30)), start=1):
        known: dict[str, Any] = {"number": 4, "name": "handle_complaint", "attempt": attempt, "state": state}
        known |= {"started_at": at, "ended_at": at + seconds * SECOND, "tries": 2 if state == "failed" else 1}
        with systems.store.write() as session:
            session.add(_record(case.id, **known))
    (line,) = [one for one in service_report(systems).splitlines() if one.startswith("| 4 |")]
    assert line.endswith("| 1 | 2 | 70.0 s | 2 |")


def test_open_waits_are_told_with_their_median_and_longest(systems: Systems) -> None:
    now = systems.clock.now()
    for number, hours in enumerate((1, 2, 30)):
        case = Added(systems, DAY).letter(MINUTE)
        with systems.store.write() as session:
            known: dict[str, Any] = {"wait_key": str(number), "form": "ApproveSolution", "description": ""}
            session.add(Wait(case_id=case.id, role="Agent", since=now - hours * HOUR, **known))
    assert "| Agent | 3 | 0 | 0 | 0 | 2:00:00 | 30:00:00 |" in service_report(systems)


def test_waits_that_are_overdue_or_escalated_are_counted(systems: Systems) -> None:
    now = systems.clock.now()
    overdue, repair = EscalationReason.OVERDUE, EscalationReason.REPAIR
    waits = [("Agent Email", "", None), ("Agent Email", "Team Leader", overdue), ("Supervisor", "", None)]
    waits.append(("Team Leader", "Supervisor", repair))
    for number, (role, to, why) in enumerate(waits):
        case = Added(systems, 30 * DAY).letter(MINUTE)
        known: dict[str, Any] = {"wait_key": str(number), "form": "SupervisorEscalation", "description": ""}
        with systems.store.write() as session:
            raised: dict[str, Any] = {"escalated_to": to, "escalated_for": why}
            session.add(Wait(case_id=case.id, role=role, since=now - 20 * DAY, **raised, **known))
    report = service_report(systems)
    assert "| Agent Email | 2 | 1 | 1 | 0 | 480:00:00 | 480:00:00 |" in report
    assert "| Supervisor | 1 | 1 | 0 | 0 | 480:00:00 | 480:00:00 |" in report
    # it went up because the unit is late, and not because the leader is
    assert "| Team Leader | 1 | 1 | 0 | 1 | 480:00:00 | 480:00:00 |" in report
