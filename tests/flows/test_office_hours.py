"""Letters keep office hours: results and closings that are decided at night go out in the morning, written then."""

from datetime import datetime
from email.utils import parsedate_to_datetime
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import update

from models.tables import ActivityRecord, Case, Letter, Wait
from tasks.run.clocks import cases_without_clock
from tasks.upkeep.monitor import watch_waits
from tests.cases import BUDI, LINE, PRICE, GivenClock, at_office, keep_signal, letter, rows, waiting
from tests.conftest import BOTH
from tests.runs import Played, Runs

WIB = ZoneInfo("Asia/Jakarta")
on_both = pytest.mark.parametrize("systems", BOTH, indirect=True)
MATI = f"Internet saya {LINE} mati total sejak pagi."


def wib(at: datetime) -> str:
    return f"{at.astimezone(WIB):%a %d %H:%M}"


def sent(played: Played) -> list[tuple[str, str]]:
    letters = rows(played.runs.systems, Letter, case_id=played.case.case_id)
    return [(one.kind, wib(one.written_at)) for one in letters]


def solved_at_night(runs: Runs) -> tuple[Played, GivenClock]:
    """An agent who works late approves the solution at 21:40 of a Saturday."""
    clock = at_office(runs.systems, "2026-11-28 16:40")
    played = Played(runs, BUDI, MATI, "Internet mati")
    played.comes_to("ApproveSolution")
    clock.advance(5)
    played.decides("ApproveSolution", choice="SEND", cause="Perangkat", repair="Dimulai ulang")
    return played, clock


@on_both
def test_a_result_that_is_approved_at_night_is_written_in_the_morning(runs: Runs) -> None:
    played, _ = solved_at_night(runs)
    assert "Outside office hours: **10 · Kabar hasil" in played.comes_to("OfficeOpens")
    assert sent(played) == [("first_response", "Sat 28 16:40")]
    assert cases_without_clock(runs.systems) == []
    played.time_passes(30)  # Monday, 03:40
    played.comes_to("OfficeOpens")
    played.time_passes(4.5)
    played.comes_to("ClosingPeriod")
    assert sent(played)[1:] == [("inform_result", "Mon 30 08:10"), ("closing", "Mon 30 08:10")]
    assert wib(parsedate_to_datetime(letter(played.case, "inform_result")["Date"])) == "Mon 30 08:10"
    assert played.path == [1, 2, 4, 5, 10, 10, 12], "held, then done"
    states = [record.state for record in rows(runs.systems, ActivityRecord, name="inform_result")]
    assert states == ["held", "done"]


def test_a_person_may_send_it_at_once(runs: Runs) -> None:
    played, _ = solved_at_night(runs)
    played.comes_to("OfficeOpens")
    played.decides("OfficeOpens", choice="SEND")
    # and the closing keeps its own hours
    assert "12 · Closing" in played.comes_to("OfficeOpens")
    assert sent(played)[1:] == [("inform_result", "Sat 28 21:40")]


def test_the_result_of_the_highest_tier_goes_at_once(runs: Runs) -> None:
    clock = at_office(runs.systems, "2026-11-28 16:40")
    played = Played(runs, BUDI, MATI, "Internet mati")
    played.comes_to("ApproveSolution")
    with runs.systems.store.write() as session:
        session.execute(update(Case).values(tier="HVC_VVIP"))
    clock.advance(5)
    played.decides("ApproveSolution", choice="SEND", cause="Perangkat", repair="Dimulai ulang")
    assert "12 · Closing" in played.comes_to("OfficeOpens")
    assert sent(played)[1:] == [("inform_result", "Sat 28 21:40")]


def test_what_a_customer_asks_at_night_is_answered_at_night(runs: Runs) -> None:
    """First response and prepared answer are no letters of ours alone; the closing is."""
    at_office(runs.systems, "2026-11-24 01:40")
    played = Played(runs, BUDI, PRICE, "Harga paket")
    assert "12 · Closing" in played.comes_to("OfficeOpens")
    assert sent(played) == [("first_response", "Tue 24 01:40"), ("give_information", "Tue 24 01:40")]
    played.time_passes(6.5)
    played.comes_to("ClosingPeriod")
    assert sent(played)[2:] == [("closing", "Tue 24 08:10")]


def test_an_update_comes_in_the_morning_and_an_answer_at_once(runs: Runs) -> None:
    clock = at_office(runs.systems, "2026-11-24 19:00")
    played = Played(runs, BUDI, MATI, "Internet mati")
    played.comes_to("ApproveSolution")
    played.decides("ApproveSolution", choice="COORDINATE")
    played.comes_to("UnitProgress")
    clock.advance(4)
    played.mail("Sudah sampai mana perbaikannya?")
    played.comes_to("UnitProgress")
    assert sent(played)[1:] == [("inform_status", "Tue 24 23:00")]
    # one that was due by day, and that a run which was away did not take, is kept for the morning, too
    keep_signal(runs.systems, played.case.case_id, "update", "by day", {})
    played.time_passes(6.2)
    played.comes_to("UnitProgress")
    assert len(sent(played)) == 2, "none at 05:12"
    played.time_passes(3)
    played.comes_to("UnitProgress")
    assert sent(played)[2:] == [("inform_status", "Wed 25 08:12")]


@on_both
def test_an_agent_may_still_answer_what_was_escalated_and_the_leader_may(runs: Runs) -> None:
    """A case that waits for an agent is kept going beneath: the customer hears of us, and the supervisor of it."""
    at_office(runs.systems, "2026-11-24 08:00")
    played = Played(runs, BUDI, "Selamat siang. Demikian dari kami.", "Halo")
    played.comes_to("ConfirmAnalysis")
    for _ in range(3):
        played.time_passes(2.1)
        watch_waits.fn()
    assert waiting(played.case).escalated_to == "Supervisor"
    assert [kind for kind, _ in sent(played)] == ["first_response", "keep_informed"]
    run = runs.client.read_flow_run(played.run)  # type: ignore[arg-type]
    assert run.tags == ["menunggu Agent Email", "menunggu Supervisor", "terlambat / overdue"]
    # the form of now is the one that was shown first: what somebody has typed is not lost
    assert waiting(played.case).wait_key == "confirm-analysis-1"
    played.decides("ConfirmAnalysis", need="COMPLAINT", topic="no_service", service_number=LINE)
    played.comes_to("ApproveSolution")
    record = rows(runs.systems, ActivityRecord, name="confirm-analysis-1")[-1]
    assert record.performer == "Agent Email → Supervisor: Sari"
    assert rows(runs.systems, Wait)[0].escalated_to == "", "the next decision has a time of its own"


def test_an_answer_that_is_refused_does_not_stop_the_clock(runs: Runs) -> None:
    clock = at_office(runs.systems, "2026-11-24 08:00")
    played = Played(runs, BUDI, MATI, "Internet mati")
    played.comes_to("ApproveSolution")
    before = waiting(played.case)
    clock.advance(0.9)
    played.decides("ApproveSolution", choice="SEND", cause="", repair="")
    played.comes_to("ApproveSolution")
    again = waiting(played.case)
    assert again.wait_key == "approve-solution-1-r2"
    assert (again.since, again.due_at) == (before.since, before.due_at)
