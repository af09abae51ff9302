"""Moments that other systems tell: bounded by now and by the case, and the difference shown to people."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pydantic import AwareDatetime
from sqlalchemy import update
from sqlmodel import col

from adapters.wiring import Systems
from models.facts import LineQuality, LineTest, Ticket, TicketStatus
from models.forms.complaint import UnitProgress
from models.letter import LetterFacts
from models.tables import TicketRow
from tasks.coordinate_with_unit import coordinate_with_unit
from tasks.handle_complaint import handle_complaint
from tasks.inform_result import inform_result
from tasks.inform_status import inform_status
from tasks.run.briefing import brief
from tasks.run.case_run import CaseRun
from tasks.run.moments import believed, doubt
from tasks.upkeep.monitor import follow_tickets
from tests.cases import StandingClock, done, need, opened, rows, snapshot, text, ticket
from tests.fakes import with_methods
from tests.tasks.test_handle_complaint import COMPLAINT

NOW = datetime(2026, 11, 30, 0, 58, tzinfo=UTC)
JAKARTA = ZoneInfo("Asia/Jakarta")
"""UTC+7: a system that marks its local time as Z is seven hours ahead."""


@pytest.mark.parametrize(
    ("said", "moment", "nonsense"),
    [
        (None, 0, False),
        (timedelta(), 0, False),
        (timedelta(minutes=-30), -30, False),
        (timedelta(minutes=1), 0, False),
        (timedelta(minutes=3), 0, True),
        (timedelta(hours=7), 0, True),
        (timedelta(minutes=-60), -60, False),
        (timedelta(minutes=-61), -60, False),
        (timedelta(minutes=-63), 0, True),
        (timedelta(days=-9000), 0, True),
    ],
)
def test_a_moment_lies_between_the_earliest_and_now(said: timedelta | None, moment: int, nonsense: bool) -> None:
    told = None if said is None else NOW + said
    at, wrong = believed(told, earliest=NOW - timedelta(hours=1), now=NOW)
    assert at == NOW + timedelta(minutes=moment)
    assert wrong == (told if nonsense else None)


def test_a_moment_that_cannot_be_is_told_with_its_difference() -> None:
    said = datetime(2026, 11, 30, 1, 44, tzinfo=UTC)
    ahead = doubt("NOSSA", said, earliest=NOW, now=NOW, zone=JAKARTA)
    assert ahead == (
        "NOSSA menyebut 30-11-2026 08:44, 46 menit di masa depan: jam atau zona waktu NOSSA salah / "
        "NOSSA says 30-11-2026 08:44, 46 min in the future: its clock or time zone is wrong"
    )
    behind = doubt("My CX", NOW - timedelta(hours=7), earliest=NOW - timedelta(minutes=10), now=NOW, zone=JAKARTA)
    assert "My CX menyebut 30-11-2026 00:58, 6 jam 50 menit sebelum kasus ini ada" in behind
    assert "6 h 50 min before this case" in behind


AHEAD, BEHIND = timedelta(hours=7), timedelta(hours=-7)


def shifted(systems: Systems, system: str, method: str, by: timedelta) -> None:
    """All moments of tickets that a system tells are wrong by so much."""
    adapter: Any = getattr(systems, system)
    real = getattr(adapter, method)

    def told(*args: Any, **more: Any) -> Ticket | None:
        seen: Ticket | None = real(*args, **more)
        times = ("created_at", "changed_at")
        return seen and seen.model_copy(
            update={name: at + by for name in times if (at := getattr(seen, name)) is not None}
        )

    setattr(systems, system, with_methods(adapter, **{method: told}))


def since(case: CaseRun) -> str:
    """What the letter says."""
    return text(case, "inform_status").partition("Sejak: ")[2].partition(" WIB")[0]


def moment(at: datetime) -> str:
    return f"{at.astimezone(JAKARTA):%H.%M}"


@pytest.fixture
def standing(systems: Systems) -> Systems:
    systems.clock = StandingClock(systems.settings.home / "clock")
    return systems


@pytest.mark.parametrize("by", [AHEAD, BEHIND, timedelta(minutes=46)])
def test_a_ticket_of_a_system_with_a_wrong_clock(standing: Systems, by: timedelta) -> None:
    case = opened(standing)
    shifted(standing, "mycx", "create_ticket", by)
    handled = ticket(case)
    (row,) = rows(standing, TicketRow)
    assert row.status_since == standing.clock.now()
    assert row.said_by == "My CX"
    assert row.said_since is not None
    assert timedelta(minutes=-2) < row.said_since - standing.clock.now() - by < timedelta(minutes=2)
    done(inform_status, case, handled)
    assert since(case).endswith(moment(standing.clock.now()))
    assert "⚠ My CX menyebut" in brief(case, UnitProgress, "")


@pytest.mark.parametrize("by", [AHEAD, BEHIND])
def test_a_units_report_with_a_wrong_clock(standing: Systems, by: timedelta) -> None:
    case = opened(standing)
    handled = done(coordinate_with_unit, case, ticket(case), "Access Network").new_ticket or ticket(case)
    standing.clock.advance(4.1)  # type: ignore[attr-defined]
    shifted(standing, "nossa", "progress", by)
    assert follow_tickets.fn() == 1
    (row,) = rows(standing, TicketRow)
    assert (row.status, row.said_by) == ("resolved", "NOSSA")
    # seven hours behind is before the case, which is four hours old
    assert row.status_since == standing.clock.now()
    done(inform_status, case, handled)
    assert since(case).endswith(moment(standing.clock.now()))
    assert "⚠ NOSSA menyebut" in brief(case, UnitProgress, "")


def test_a_right_clock_is_believed_and_says_nothing_to_people(standing: Systems) -> None:
    case = opened(standing)
    done(coordinate_with_unit, case, ticket(case), "Access Network")
    standing.clock.advance(6)  # type: ignore[attr-defined]
    follow_tickets.fn()
    (row,) = rows(standing, TicketRow)
    assert row.said_since is None
    assert snapshot(case).opened_at <= row.status_since < standing.clock.now()
    assert "menyebut" not in brief(case, UnitProgress, "")


def test_a_change_before_the_tickets_own_creation_is_not_believed(standing: Systems) -> None:
    case = opened(standing)
    standing.clock.advance(5)  # type: ignore[attr-defined]
    now = standing.clock.now()
    odd = Ticket(
        ticket_id="T-1",
        external_id=f"{case.reference}/1",
        status=TicketStatus.IN_PROGRESS,
        unit="Access Network",
        created_at=now - timedelta(minutes=5),
        changed_at=now - timedelta(hours=2),
    )
    standing.mycx = with_methods(standing.mycx, create_ticket=lambda **_: odd)
    ticket(case)
    (row,) = rows(standing, TicketRow)
    assert (row.status_since, row.said_since) == (now, odd.changed_at)


def test_the_closing_of_a_ticket_is_bounded_too(standing: Systems) -> None:
    from models.need import Solution

    case = opened(standing)
    handled = ticket(case)
    shifted(standing, "mycx", "close", AHEAD)
    done(inform_result, case, Solution(cause="c", repair="r"), handled, approved_by="Sari")
    (row,) = rows(standing, TicketRow)
    assert (row.status_since, row.said_by) == (standing.clock.now(), "My CX")


@pytest.mark.parametrize("by", [AHEAD, BEHIND])
def test_what_an_older_revision_kept_is_bounded_in_the_letter(standing: Systems, by: timedelta) -> None:
    case = opened(standing)
    handled = ticket(case)
    now = standing.clock.now()
    with standing.store.write() as session:
        session.execute(update(TicketRow).where(col(TicketRow.case_id) == case.case_id).values(status_since=now + by))
    done(inform_status, case, handled)
    assert since(case).endswith(moment(now))


def test_every_moment_of_a_letter_is_known_as_past_or_as_a_promise() -> None:
    """A new fact that tells a time must say which it is, so that none slips by the bound."""
    promises = {"next_update_at", "answer_by"}
    moments = {
        name
        for kind in LetterFacts.__subclasses__()
        for name, field in kind.model_fields.items()
        if field.annotation in (datetime, AwareDatetime)
    }
    past = {name for kind in LetterFacts.__subclasses__() for name in kind.past()}
    assert moments == past | promises
    assert not past & promises


def measured(at: datetime | None, **values: float | None) -> LineTest:
    known: dict[str, Any] = {"snr_db": 28.0, "attenuation_db": 20.0} | values
    return LineTest(test_id="1", state="completed", measured_at=at, quality=LineQuality.GOOD, **known)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({}, "EMBASSY: baik, SNR 28.0 dB, redaman 20.0 dB"),
        ({"snr_db": None}, "EMBASSY: baik, SNR tidak ada, redaman 20.0 dB"),
        ({"attenuation_db": None}, "EMBASSY: baik, SNR 28.0 dB, redaman tidak ada"),
        ({"snr_db": None, "attenuation_db": None}, "EMBASSY: baik, SNR tidak ada, redaman tidak ada"),
        ({"snr_db": float("nan")}, "EMBASSY: baik, SNR tidak ada, redaman 20.0 dB"),
    ],
)
def test_a_value_that_is_missing_is_told_in_words(
    standing: Systems, values: dict[str, float | None], words: str
) -> None:
    standing.embassy = with_methods(standing.embassy, measure=lambda *_: measured(None, **values))
    finding = done(handle_complaint, opened(standing), need(topic="slow"), COMPLAINT)
    assert finding.evidence == (words,)
    assert "None" not in words


@pytest.mark.parametrize(("by", "solved"), [(timedelta(), True), (AHEAD, True), (BEHIND, False)])
def test_an_old_measurement_solves_nothing(standing: Systems, by: timedelta, solved: bool) -> None:
    case = opened(standing)
    standing.embassy = with_methods(standing.embassy, measure=lambda *_: measured(standing.clock.now() + by))
    finding = done(handle_complaint, case, need(topic="slow"), COMPLAINT)
    assert (finding.solution is not None) == solved
    assert ("EMBASSY menyebut" in finding.evidence[0]) == bool(by)
