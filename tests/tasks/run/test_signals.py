"""Signals: made once for each cause, taken once, retired with a reason."""

import pytest

from adapters.wiring import Systems
from models.forms.complaint import ApproveSolution
from models.states import Retired, SignalKind
from models.tables import Outbox, Signal
from tasks.run import signals
from tests.cases import MAJU, at_office, opened, rows
from tests.conftest import BOTH

on_both = pytest.mark.parametrize("systems", BOTH, indirect=True)


@on_both
def test_one_cause_gives_one_signal(systems: Systems) -> None:
    case, at = opened(systems), systems.clock.now()
    for _ in range(2):
        with systems.store.write() as session:
            signals.keep_once(session, signals.of_unit(case.case_id, "JKT-0000001/1:resolved", at, {}))
    assert [signal.source for signal in rows(systems, Signal)] == ["ticket:JKT-0000001/1:resolved"]


@on_both
def test_a_signal_is_taken_once_and_by_its_own_case(systems: Systems) -> None:
    case, other, at = opened(systems), opened(systems, MAJU), systems.clock.now()
    with systems.store.write() as session:
        session.add(signals.of_mail(case.case_id, 7, at))
    (signal,) = rows(systems, Signal)
    with systems.store.write() as session:
        assert not signals.take(session, other.case_id, [signal.id], "unit-progress-1", at)
        assert signals.take(session, case.case_id, [signal.id], "unit-progress-1", at)
        assert not signals.take(session, case.case_id, [signal.id], "unit-progress-2", at)
    (signal,) = rows(systems, Signal)
    assert (signal.taken_by, signal.taken_at, signal.retired) == ("unit-progress-1", at, Retired.NO)


@on_both
def test_what_is_retired_says_why_and_nothing_else_is(systems: Systems) -> None:
    case, other, at = opened(systems), opened(systems, MAJU), systems.clock.now()
    outbox = Outbox(letter_id=1, not_before=at)
    with systems.store.write() as session:
        mails = [signals.of_mail(case.case_id, 7, at), signals.of_mail(case.case_id, 8, at, tells_of=7)]
        session.add_all([*mails, signals.of_undelivered(case.case_id, outbox, at)])
        session.add_all([signals.of_merger(case.case_id, other.case_id, 2, at), signals.of_mail(other.case_id, 9, at)])
    with systems.store.write() as session:
        signals.retire_mail(session, 7, Retired.SPLIT, at)
        signals.retire_merger(session, other.case_id, at)
        signals.retire_undelivered(session, outbox, at)
    with systems.store.write() as session:
        signals.retire(session, case.case_id, list(SignalKind), Retired.CASE_ENDED, at)
        assert not signals.is_pending(session, case.case_id, list(SignalKind))
        assert signals.is_pending(session, other.case_id, [SignalKind.MAIL])
    assert [signal.retired for signal in rows(systems, Signal)] == [
        *(Retired.SPLIT, Retired.CASE_ENDED, Retired.SENT_AGAIN, Retired.UNMERGED, Retired.NO)
    ]
    assert rows(systems, Signal)[1].answers == {"message": 7}


def test_an_update_is_offered_in_office_hours_alone(systems: Systems) -> None:
    clock = at_office(systems, "2026-11-24 09:00")
    case = opened(systems)
    assert SignalKind.UPDATE in signals.offered(systems, case.row, ApproveSolution)
    clock.advance(12)
    assert signals.offered(systems, case.row, ApproveSolution) == [
        *(SignalKind.MAIL, SignalKind.APPROVAL, SignalKind.UNDELIVERED)
    ]
