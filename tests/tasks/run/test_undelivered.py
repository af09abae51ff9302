"""A letter that did not arrive is seen, and the customer is reached another way or the case says that they were not."""

from datetime import timedelta
from email import message_from_bytes
from itertools import count

import pytest
from sqlalchemy import delete

from models.forms.trouble import Unreachable, UnreachableChoice
from models.tables import Bounce, Case, Decision, Letter, Outbox, Signal, Wait
from tasks.end_case import Ended, end_case
from tasks.intake.batch import TakenIn
from tasks.join_case import join_case
from tasks.receive_and_analyse import receive_and_analyse
from tasks.run.ask_unreachable import problem, settle
from tasks.run.case_run import CaseRun
from tasks.run.send_letter import deliver
from tasks.run.undelivered import undelivered
from tasks.upkeep.doctor.check import Warn
from tasks.upkeep.doctor.records import letters
from tasks.upkeep.monitor import deliver_signals, send_due_letters
from tests.cases import (
    BUDI,
    MAJU,
    TOKO,
    accepted,
    arrives,
    done,
    latest,
    letter,
    opened,
    pending,
    post,
    received,
    rows,
    snapshot,
    take_in,
)
from tests.fakes import with_methods
from tests.runs import Played, Runs
from tests.tasks.intake.test_batch import BOUNCE

OTHER, STRANGE = "santoso@example.org", "lain@example.com"


@pytest.fixture
def told(runs: Runs) -> Played:
    """Budi's complaint is solved, and the letters are out."""
    played = Played(runs, BUDI, "Internet saya 122345678901 mati total sejak pagi.", "Internet mati")
    played.comes_to("ApproveSolution")
    played.decides("ApproveSolution", choice="SEND", cause="Perangkat", repair="Dimulai ulang")
    played.comes_to("ClosingPeriod")
    post(runs.systems)
    return played


_numbers = count()


def report_on(case: CaseRun, kind: str) -> bytes:
    """A report, other than all before, that the letter's recipient is unknown."""
    report = BOUNCE % str(letter(case, kind)["Message-ID"]).encode()
    return report.replace(b"<bounce@", b"<bounce.%d@" % next(_numbers))


def bounces(played: Played, kind: str = "inform_result") -> None:
    """The letter's recipient is unknown after all."""
    report = report_on(played.case, kind)
    assert take_in(played.runs.systems, received(report)).case_id == played.case.case_id
    deliver_signals.fn()


def state(played: Played, kind: str = "inform_result") -> Outbox:
    number = rows(played.runs.systems, Letter, kind=kind)[-1].id
    return rows(played.runs.systems, Outbox, letter_id=number)[0]


def test_a_bounce_asks_the_agent_and_the_case_does_not_end_as_if_informed(told: Played) -> None:
    bounces(told)
    assert "Inform the result" in told.comes_to("Unreachable")
    assert state(told).state == "bounced"
    with pytest.raises(Warn, match="1 did not arrive"):
        letters(told.runs.systems)
    told.decides("Unreachable", choice="TOLD")
    assert "say in the note" in told.comes_to("Unreachable")
    told.decides("Unreachable", choice="TOLD", note="Ditelepon pukul 10")
    told.comes_to("ClosingPeriod")
    assert letters(told.runs.systems) == "none on their way"
    told.time_passes(48.1)
    assert told.goes_on() == "Completed"
    assert snapshot(told.case).outcome == "complaint"
    assert [(one.form, one.by) for one in rows(told.runs.systems, Decision)][1] == ("Unreachable", "Sari")


def test_who_decides_on_something_else_reads_that_a_letter_did_not_arrive(runs: Runs) -> None:
    played = Played(runs, BUDI, "Berapa tagihan saya bulan ini untuk 122345678901?", "Tagihan")
    assert "did not arrive" not in played.comes_to("ConfirmAnalysis")
    bounces(played, "first_response")
    words = "did not arrive: Respon awal / First response → 5\\.1\\.1 delivery report"
    assert words in played.comes_to("ConfirmAnalysis")
    (shown,) = rows(runs.systems, Wait)
    deliver_signals.fn()
    assert rows(runs.systems, Wait) == [shown], "what stands there is not written again"


def test_the_letter_goes_to_another_address_on_record_and_to_no_other(told: Played) -> None:
    bounces(told)
    told.comes_to("Unreachable")
    told.decides("Unreachable", choice="OTHER_ADDRESS", address=STRANGE)
    assert "not on record for this customer" in told.comes_to("Unreachable")
    told.decides("Unreachable", choice="OTHER_ADDRESS", address=OTHER.upper())
    told.comes_to("ClosingPeriod")
    send_due_letters.fn()
    assert snapshot(told.case).address == OTHER
    sent = rows(told.runs.systems, Letter, kind="inform_result")[-1]
    assert accepted(told.runs.systems, OTHER) == [sent.message_id]
    message = message_from_bytes(told.runs.systems.store.kept(sent.sha256))
    assert (message["To"], state(told).state) == (OTHER, "sent")
    assert accepted(told.runs.systems, STRANGE) == []


def test_the_customer_still_writes_from_the_address_that_the_case_began_with(told: Played) -> None:
    bounces(told)
    told.comes_to("Unreachable")
    told.decides("Unreachable", choice="OTHER_ADDRESS", address=OTHER)
    told.comes_to("ClosingPeriod")
    # SISKA need not know it, nor answer
    told.runs.systems.siska = with_methods(told.runs.systems.siska, customer_by_address=lambda _: None)
    told_again = arrives(told.runs.systems, BUDI, "Masih mati.", f"Re: [{told.case.reference}]")
    assert (told_again.outcome, told_again.case_id) == ("joined", told.case.case_id)


def test_it_is_sent_again_and_may_bounce_again(told: Played) -> None:
    bounces(told)
    told.comes_to("Unreachable")
    told.decides("Unreachable", choice="SEND_AGAIN")
    told.comes_to("ClosingPeriod")
    send_due_letters.fn()
    sent = rows(told.runs.systems, Letter, kind="inform_result")[-1]
    assert accepted(told.runs.systems, BUDI).count(sent.message_id) == 2
    bounces(told)
    told.comes_to("Unreachable")
    assert len(rows(told.runs.systems, Bounce)) == len(rows(told.runs.systems, Signal, kind="undelivered")) == 2


def test_a_report_that_comes_twice_is_about_the_first_sending(told: Played) -> None:
    """As by two mailboxes, or where a mailbox gives its mails new UIDs."""
    systems, report = told.runs.systems, report_on(told.case, "inform_result")
    take_in(systems, received(report))
    deliver_signals.fn()
    told.comes_to("Unreachable")
    told.decides("Unreachable", choice="SEND_AGAIN")
    told.comes_to("ClosingPeriod")
    send_due_letters.fn()
    for again in (report, b"Received: by another\n" + report):
        assert take_in(systems, received(again)) == TakenIn("duplicate", told.case.case_id)
    assert (state(told).state, len(rows(systems, Bounce))) == ("sent", 1)


def test_a_customer_who_cannot_be_reached_is_the_case_s_outcome(told: Played) -> None:
    bounces(told)
    told.comes_to("Unreachable")
    told.decides("Unreachable", choice="UNREACHABLE")
    told.comes_to("ClosingPeriod")
    told.time_passes(48.1)
    assert told.goes_on() == "Completed"
    assert snapshot(told.case).outcome == "not informed"


def test_several_lost_letters_are_one_matter(told: Played) -> None:
    for kind in ("inform_result", "closing"):
        report = BOUNCE % str(letter(told.case, kind)["Message-ID"]).encode()
        take_in(told.runs.systems, received(report))
    deliver_signals.fn()
    description = told.comes_to("Unreachable")
    assert all(words in description for words in ("Inform the result", "Closing"))
    told.decides("Unreachable", choice="TOLD", note="Ditelepon")
    told.comes_to("ClosingPeriod")
    assert pending(told.case) == []


def test_a_case_ends_when_its_letters_are_out(runs: Runs) -> None:
    case = opened(runs.systems)
    assert done(end_case, case, "complaint") == Ended(ended=False, outcome="complaint")
    runs.systems.clock.advance(1)  # type: ignore[attr-defined]
    post(runs.systems)
    assert done(end_case, case, "complaint").ended


def test_a_case_waits_for_the_letters_of_those_that_were_merged_into_it(runs: Runs) -> None:
    case, other = opened(runs.systems), opened(runs.systems, MAJU)
    deliver(runs.systems, rows(runs.systems, Letter, case_id=case.case_id)[0].id or 0)
    assert done(join_case, other, case.case_id, "Sari").joined
    with runs.systems.store.write() as session:
        session.execute(delete(Signal))
    assert not done(end_case, case, "complaint").ended
    post(runs.systems)
    assert done(end_case, case, "complaint").ended


ELSEWHERE = Unreachable(choice=UnreachableChoice.OTHER_ADDRESS, address=OTHER, by="Sari")


def merged(runs: Runs, one: str, into: str) -> tuple[CaseRun, list[int]]:
    """The case that goes on, and the letter of the other one, which did not arrive."""
    case, other = opened(runs.systems, into), opened(runs.systems, one, "Berapa tagihan telepon saya?", "Tagihan")
    for each in (case, other):
        done(receive_and_analyse, each)
    assert done(join_case, other, case.case_id, "Sari").joined
    return case, [rows(runs.systems, Letter, case_id=other.case_id)[0].id or 0]


def test_a_letter_to_another_customer_goes_to_none_of_this_one_s_addresses(runs: Runs) -> None:
    assert "not on record" in str(problem(*merged(runs, MAJU, BUDI), ELSEWHERE))


def test_the_other_address_is_that_of_the_case_that_goes_on_too(runs: Runs) -> None:
    case, lost = merged(runs, BUDI, BUDI)
    assert problem(case, lost, ELSEWHERE) is None
    with runs.systems.store.write() as session:
        settle(case, lost, session, ELSEWHERE)
    assert {row.address for row in rows(runs.systems, Case)} == {OTHER}


def test_a_bounce_in_the_last_moment_keeps_it_open(runs: Runs) -> None:
    case = opened(runs.systems)
    post(runs.systems)
    take_in(runs.systems, received(BOUNCE % str(letter(case, "first_response")["Message-ID"]).encode()))
    assert not done(end_case, case, "complaint").ended
    assert latest(case, "end_case").output["outcome"] == "complaint"
    assert rows(runs.systems, Case)[0].status == "open"


def test_a_refused_letter_wakes_its_case_once(runs: Runs) -> None:
    case = opened(runs.systems, "5xx@example.com")
    post(runs.systems)
    (wake,) = rows(runs.systems, Signal)
    assert (wake.kind, wake.case_id, wake.answers) == ("undelivered", case.case_id, {"letter": 1})
    assert rows(runs.systems, Outbox)[0].state == "failed"
    assert runs.systems.clock.now() - wake.created_at < timedelta(minutes=1)


def test_the_agent_reads_where_it_did_not_arrive_and_whom_to_call(runs: Runs) -> None:
    played = Played(runs, TOKO, "Internet saya 122345678906 mati total sejak pagi.", "Internet mati")
    played.comes_to("UnitProgress")
    with runs.systems.store.write() as session:
        undelivered(session, 1, "bounced", "550", runs.systems.clock.now())
    deliver_signals.fn()
    description = played.comes_to("Unreachable")
    assert "First response #1 → toko\\@example\\.com: 550" in description
    assert "Telepon / Phone: 0215551234" in description
