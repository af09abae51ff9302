"""Signals: made once for each cause, taken once, retired with a reason."""

import pytest

from adapters.wiring import Systems
from models.forms import ApproveSolution
from models.states import Retired, SignalKind
from models.tables import Outbox, Signal
from tasks.run import signals
from tests.cases import MAJU, at_office, opened, rows
from tests.conftest import BOTH

on_both = pytest.mark.parametrize("wired", BOTH, indirect=True)


@on_both
def test_one_cause_gives_one_signal(wired: Systems) -> None:
    case, at = opened(wired), wired.clock.now()
    for _ in range(2):
        with wired.store.write() as session:
            signals.keep_once(session, signals.of_unit(case.case_id, "JKT-0000001/1:resolved", at, {}))
    assert [signal.source for signal in rows(wired, Signal)] == ["ticket:JKT-0000001/1:resolved"]


@on_both
def test_a_signal_is_taken_once_and_by_its_own_case(wired: Systems) -> None:
    case, other, at = opened(wired), opened(wired, MAJU), wired.clock.now()
    with wired.store.write() as session:
        session.add(signals.of_mail(case.case_id, 7, at))
    (signal,) = rows(wired, Signal)
    with wired.store.write() as session:
        assert not signals.take(session, other.case_id, [signal.id], "unit-progress-1", at)
        assert signals.take(session, case.case_id, [signal.id], "unit-progress-1", at)
        assert not signals.take(session, case.case_id, [signal.id], "unit-progress-2", at)
    (signal,) = rows(wired, Signal)
    assert (signal.taken_by, signal.taken_at, signal.retired) == ("unit-progress-1", at, Retired.NO)


@on_both
def test_what_is_retired_says_why_and_nothing_else_is(wired: Systems) -> None:
    case, other, at = opened(wired), opened(wired, MAJU), wired.clock.now()
    outbox = Outbox(letter_id=1, not_before=at)
    with wired.store.write() as session:
        mails = [signals.of_mail(case.case_id, 7, at), signals.of_mail(case.case_id, 8, at, tells_of=7)]
        session.add_all([*mails, signals.of_undelivered(case.case_id, outbox, at)])
        session.add_all([signals.of_merger(case.case_id, other.case_id, 2, at), signals.of_mail(other.case_id, 9, at)])
    with wired.store.write() as session:
        signals.retire_mail(session, 7, Retired.SPLIT, at)
        signals.retire_merger(session, other.case_id, at)
        signals.retire_undelivered(session, outbox, at)
    with wired.store.write() as session:
        signals.retire(session, case.case_id, list(SignalKind), Retired.CASE_ENDED, at)
        assert not signals.is_pending(session, case.case_id, list(SignalKind))
        assert signals.is_pending(session, other.case_id, [SignalKind.MAIL])
    assert [signal.retired for signal in rows(wired, Signal)] == [
        *(Retired.SPLIT, Retired.CASE_ENDED, Retired.SENT_AGAIN, Retired.UNMERGED, Retired.NO)
    ]
    assert rows(wired, Signal)[1].answers == {"message": 7}


def test_an_update_is_offered_in_office_hours_alone(wired: Systems) -> None:
    clock = at_office(wired, "2026-11-24 09:00")
    case = opened(wired)
    assert SignalKind.UPDATE in signals.offered(wired, case.row, ApproveSolution)
    clock.advance(12)
    assert signals.offered(wired, case.row, ApproveSolution) == [
        *(SignalKind.MAIL, SignalKind.APPROVAL, SignalKind.UNDELIVERED)
    ]
