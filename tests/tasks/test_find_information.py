"""Activity 3: the answer, and whose data it may show (SOP 7.3, 5.5)."""

import pytest

from adapters.wiring import Systems
from models.analysis import Kind, Topic
from tasks.find_information import find_information
from tests.cases import BUDI, PRICE, done, need, opened


def test_a_prepared_answer_names_related_products(systems: Systems) -> None:
    case = opened(systems, BUDI, PRICE, "Harga paket")
    found = done(find_information, case, need(kind=Kind.INFORMATION, topic="packages", products=("indihome_internet",)))
    assert found.answer
    assert found.related_products


@pytest.mark.parametrize("topic", ["bill_copy", "billing_amount"])
def test_a_customers_own_bills_are_shown(topic: Topic, systems: Systems) -> None:
    case = opened(systems, BUDI, "Mohon salinan tagihan saya.", "Tagihan")
    answer = done(find_information, case, need(kind=Kind.INFORMATION, topic=topic)).answer
    assert answer.startswith("Berikut tagihan Bapak/Ibu yang tercatat:\n- Tagihan B-")
    assert "- Tagihan B-1: Rp350.000, sisa Rp350.000, jatuh tempo " in answer
    assert "- Tagihan B-2: Rp360.500, sisa Rp0, jatuh tempo " in answer


def test_bills_are_shown_in_the_letters_language(systems: Systems) -> None:
    case = opened(systems, BUDI, "Could you please send me a copy of my bill for this month?", "Copy of my bill")
    answer = done(find_information, case, need(kind=Kind.INFORMATION, topic="bill_copy")).answer
    assert answer.startswith("These are your bills on record:\n- Bill B-")


def test_a_stranger_sees_no_bills(systems: Systems) -> None:
    case = opened(systems, "asing@example.com", "Mohon salinan tagihan 122345678901.", "Tagihan")
    asked = need(kind=Kind.INFORMATION, topic="bill_copy", customer_id="")
    answer = done(find_information, case, asked).answer
    assert "Rp" not in answer
    assert "B-1" not in answer


@pytest.mark.parametrize("topic", ["other", "case_status"])
def test_where_there_is_no_answer_a_person_writes_it(topic: Topic, systems: Systems) -> None:
    found = done(find_information, opened(systems), need(kind=Kind.INFORMATION, topic=topic))
    assert (found.answer, found.related_products) == ("", ())
