"""Team leaders' forms in the Prefect UI: cases by reference or number, and what the run says at its end."""

from typing import Any

import pytest
from prefect import Flow
from prefect.utilities.callables import parameter_schema_from_entrypoint

from flows import correct_cases
from flows.correct_cases import add_party, merge_cases, remove_party, split_case, unmerge_case
from models.tables import Party
from tests.cases import BUDI, MAJU, PRICE, STRANGER, arrives, opened, rows, snapshot
from tests.runs import Played, Runs

HERE = "Selamat siang. Demikian dari kami."


FLOWS = (merge_cases, unmerge_case, split_case, add_party, remove_party)


@pytest.mark.parametrize("flow", FLOWS, ids=lambda flow: flow.name)
def test_the_form_explains_each_field(flow: Flow[..., Any]) -> None:
    """As the engine reads it when it is deployed."""
    fields = parameter_schema_from_entrypoint(f"{correct_cases.__file__}:{flow.fn.__name__}").properties
    assert [name for name, field in fields.items() if " / " not in field.get("description", "")] == []


def test_a_merger_of_two_customers_says_whom_letters_go_to_and_is_taken_back(runs: Runs) -> None:
    first = Played(runs, BUDI, HERE, "Halo")
    first.comes_to("ConfirmAnalysis")
    own, other = Played(runs, BUDI, PRICE, "Harga paket"), Played(runs, MAJU, PRICE, "Harga paket")
    for played in (own, other):
        played.comes_to("ClosingPeriod")
    assert merge_cases.fn("JKT-0000002", "1", "Rina").message == ""
    said = merge_cases.fn("3", "JKT-0000001", "Rina").message
    assert said == "They are of two customers: letters go to that of JKT-0000001, none to that of JKT-0000003"
    unmerge_case.fn("JKT-0000003", "Rina")
    assert [snapshot(played.case).status for played in (own, other)] == ["merged", "open"]


def test_a_party_is_added_and_taken_back(runs: Runs) -> None:
    case = opened(runs.systems)
    arrives(runs.systems, STRANGER, "Saya istri Pak Budi.", f"[{case.reference}]")
    add_party.fn(case.reference, 2, "Rina")
    assert [party.address for party in rows(runs.systems, Party)] == [STRANGER]
    remove_party.fn(case.reference, 2, "Rina")
    assert rows(runs.systems, Party) == []
