"""What a page carries of the case that it showed."""

import pytest

from adapters.wiring import Systems
from models.errors import WrongUse
from models.forms.analysis import ConfirmAnalysis
from tasks.desk.facts import Facts, news
from tests.cases import opened
from tests.desk import asks


def test_what_a_page_carries_is_read_as_it_was_written(systems: Systems) -> None:
    case = opened(systems)
    with systems.store.read() as session:
        before = Facts.now(session, case.case_id)
        assert Facts.read(before.written()) == before
        assert list(news(session, case.case_id, before)) == []
    asks(case, ConfirmAnalysis)
    with systems.store.read() as session:
        asked = f"Sekarang ditanyakan / asked now: {ConfirmAnalysis.title}"
        assert list(news(session, case.case_id, before)) == [asked]


@pytest.mark.parametrize("text", ["", "nonsense", "[]", '{"mail": "x"}'])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(WrongUse, match="open the case again"):
        Facts.read(text)
