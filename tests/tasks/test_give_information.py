"""Activity 11: the answer goes out, with related products (SOP 7.11, 5.5)."""

from adapters.wiring import Systems
from tasks.find_information import Information
from tasks.give_information import give_information
from tests.cases import BUDI, PRICE, do_now, done, latest, letter, opened, text

ANSWER = Information(answer="Harga ada di situs kami.", related_products=("IndiHome TV", "Wifi Extender"))


def test_the_letter_has_the_answer_and_related_products(systems: Systems) -> None:
    case = opened(systems, BUDI, PRICE, "Harga paket")
    done(give_information, case, ANSWER)
    for words in (ANSWER.answer, *ANSWER.related_products):
        assert words in text(case, "give_information")
    assert letter(case, "give_information")["Auto-Submitted"] == "auto-replied"
    assert latest(case, "give_information").performer == "Agent Email"


def test_an_answer_that_a_person_wrote_is_theirs(systems: Systems) -> None:
    case = opened(systems, BUDI, PRICE, "Harga paket")
    done(give_information, case, ANSWER, written_by="Sari")
    assert letter(case, "give_information")["Auto-Submitted"] is None
    assert latest(case, "give_information").performer == "Sari"


def test_related_products_are_not_left_out(systems: Systems) -> None:
    case = opened(systems, BUDI, PRICE, "Harga paket")
    do_now(give_information, case, Information(answer="Harga ada di situs kami."))
    assert latest(case, "give_information").output["fact"] == "related_products"
