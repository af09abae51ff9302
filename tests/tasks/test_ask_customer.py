"""SOP 5.4: what is missing is asked, and waited for only so long."""

from adapters.wiring import Systems
from models.errors import MissingFact
from tasks.ask_customer import ask_customer
from tests.cases import STRANGER, deadlines, do_now, done, latest, need, opened, text


def test_a_stranger_is_asked_for_both(systems: Systems) -> None:
    case = opened(systems, STRANGER)
    done(ask_customer, case, need(customer_id="", service_number=""))
    assert "nomor layanan" in text(case, "ask_customer").lower()
    assert deadlines(case) == {"answer": 72.0}


def test_a_customer_is_asked_for_the_line_alone(systems: Systems) -> None:
    case = opened(systems)
    done(ask_customer, case, need(customer_id="", service_number=""))
    both = text(case, "ask_customer")
    done(ask_customer, case, need(service_number=""))
    assert text(case, "ask_customer") != both


def test_nothing_missing_is_no_question(systems: Systems) -> None:
    case = opened(systems)
    do_now(ask_customer, case, need())
    assert latest(case, "ask_customer").output == {
        "error": str(MissingFact("ask_customer", "missing")),
        "fact": "missing",
    }
