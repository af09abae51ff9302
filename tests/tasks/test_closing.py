"""Activity 12: the closing letter, and the time to answer it (SOP 7.12)."""

from adapters.letters.bodies import as_text
from adapters.letters.words import WORDS
from adapters.wiring import Systems
from models.tables import Case, Deadline
from tasks.closing import closing
from tests.cases import deadlines, done, letter, opened, rows, text


def test_the_waiting_period_begins_with_the_letter(systems: Systems) -> None:
    case = opened(systems)
    done(closing, case)
    assert deadlines(case) == {"closing": 48.0}
    assert case.reference in letter(case, "closing")["Subject"]
    assert rows(systems, Case)[0].status == "open"


def test_the_letter_says_until_when_an_answer_reopens(systems: Systems) -> None:
    case = opened(systems)
    done(closing, case)
    (deadline,) = rows(systems, Deadline)
    until = WORDS["id"].moment(deadline.due_at.astimezone(systems.settings.zone))
    assert f"sebelum {as_text(until).strip()}." in text(case, "closing")


def test_a_second_closing_begins_a_new_period(systems: Systems) -> None:
    case = opened(systems)
    done(closing, case)
    systems.clock.advance(10)  # type: ignore[attr-defined]
    done(closing, case)
    assert deadlines(case) == {"closing": 48.0}
