"""Seconds between two times, on both data bases."""

from datetime import timedelta

import pytest
from sqlmodel import select

from adapters.case_store.elapsed import Elapsed
from adapters.case_store.store import Store
from models.tables import Case
from tests.models.test_tables import NOW, new_case, stored


@pytest.mark.parametrize("seconds", [0, 0.25, 59.999, 86_400 * 400])
def test_seconds(store: Store, seconds: float) -> None:
    case = new_case()
    case.closed_at = NOW + timedelta(seconds=seconds)
    stored(store, case)
    with store.read() as session:
        assert session.exec(select(Elapsed(Case.opened_at, Case.closed_at))).one() == pytest.approx(seconds, abs=0.001)


def test_no_end_no_seconds(store: Store) -> None:
    stored(store, new_case())
    with store.read() as session:
        assert session.exec(select(Elapsed(Case.opened_at, Case.closed_at))).one() is None
