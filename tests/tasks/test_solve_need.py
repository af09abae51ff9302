"""Activity 5: solved there and then, by whom (SOP 7.5)."""

from adapters.wiring import Systems
from models.need import Solution
from tasks.solve_need import solve_need
from tests.cases import done, latest, opened

SOLUTION = Solution(cause="Sesi lama", repair="Sesi diperbarui")


def test_it_records_the_solution_and_who_approved_it(systems: Systems) -> None:
    case = opened(systems)
    solved = done(solve_need, case, SOLUTION, approved_by="Sari")
    assert (solved.solution, solved.first_contact) == (SOLUTION, True)
    assert latest(case, "solve_need").performer == "Sari"
