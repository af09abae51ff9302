"""Activity 10: inform the customer of the result, with the cause and the repair (SOP 7.10, 5.10)."""

from sqlalchemy import update
from sqlmodel import col

from models.letter import ResultFacts
from models.need import Output, Solution
from models.settings import Settings
from models.states import SignalKind
from models.tables import Case, TicketRow
from tasks.handle_intensively import Handled
from tasks.run.activity import activity
from tasks.run.moments import ticket_times
from tasks.run.work import Work


class ResultInformed(Output):
    """The letter with the result."""

    letter: str


def keeps_office_hours(settings: Settings, case: Case) -> bool:
    """Whether the result may wait for the office to open, by the customer's tier."""
    return case.tier not in settings.policy.result_at_once


@activity(10, routine=keeps_office_hours)
def inform_result(work: Work, solution: Solution, handled: Handled | None, *, approved_by: str) -> ResultInformed:
    """Tell the customer the result, and close the ticket, if there is one."""
    letter = work.letter(ResultFacts(cause=solution.cause, repair=solution.repair), written_by_person=True)
    if handled is not None:
        ticket = work.systems.mycx.close(handled.ticket_id, solution.repair)
        times = ticket_times(ticket, "My CX", opened_at=work.case.opened_at, now=work.now)
        work.effect(
            lambda session: session.execute(
                update(TicketRow)
                .where(col(TicketRow.external_id) == handled.external_id)
                .values(status=ticket.status.value, open=False, **times)
            )
        )
    # this letter answers whatever the unit or a deadline has still to say
    work.drop_deadlines(SignalKind.REPAIR, SignalKind.UPDATE, SignalKind.UNIT, SignalKind.APPROVAL)
    work.performer = approved_by
    return ResultInformed(letter=letter)
