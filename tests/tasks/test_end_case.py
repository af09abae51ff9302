"""The end of a case, and the mail that comes in its last moment."""

from typing import Any

import pytest

from adapters.wiring import Systems
from models.tables import Case, Message, Signal
from tasks.closing import closing
from tasks.end_case import Ended, end_case
from tasks.intake.batch import TakenIn
from tasks.run.case_run import CaseRun
from tests.cases import BUDI, arrives, deadlines, done, keep_signal, latest, opened, pending, post, rows, snapshot
from tests.conftest import BOTH
from tests.fakes import with_body


def reply(systems: Systems, case: CaseRun) -> TakenIn:
    return arrives(systems, BUDI, "Masih mati, tolong dicek lagi.", f"Re: [{case.reference}]")


def test_nothing_is_left_that_could_wake_it(systems: Systems) -> None:
    case = opened(systems)
    done(closing, case)
    keep_signal(systems, case.case_id, "update", "deadline:99", {})
    post(systems)
    assert done(end_case, case, "complaint") == Ended(ended=True, outcome="complaint")
    row = snapshot(case)
    assert (row.status, row.outcome, row.closed_at is not None) == ("closed", "complaint", True)
    assert deadlines(case) == {}
    assert pending(case) == []
    assert rows(systems, Signal)[0].retired == "case_ended"


@pytest.mark.parametrize("systems", BOTH, indirect=True)
def test_a_mail_in_the_last_moment_keeps_it_open(systems: Systems) -> None:
    """It joins after the body has run and before the transaction that closes the case."""
    case = opened(systems)
    post(systems)

    def then_a_mail_comes(*args: Any) -> Ended:
        output = end_case.body(*args)
        assert reply(systems, case).outcome == "joined"
        return output

    assert done(with_body(end_case, then_a_mail_comes), case, "complaint") == Ended(ended=False, outcome="complaint")
    assert latest(case, "end_case").output["ended"] is False
    assert snapshot(case).status == "open"
    assert pending(case) == ["mail"]

    # once it is read, the case may end
    with systems.store.write() as session:
        wake = rows(systems, Signal)[0]
        wake.taken_at = systems.clock.now()
        session.merge(wake)
    assert done(end_case, case, "complaint").ended


def test_a_mail_after_the_end_opens_a_new_case(systems: Systems) -> None:
    case = opened(systems)
    post(systems)
    done(end_case, case, "complaint")
    taken = reply(systems, case)
    assert taken.outcome == "opened"
    old, new = rows(systems, Case)
    assert (new.previous_id, new.status, old.status) == (old.id, "open", "closed")
    assert rows(systems, Message)[-1].reasons == [["follows_closed", old.reference]]
    assert pending(case) == []
