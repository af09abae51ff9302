"""SOP 5.3, by an agent's decision: the mail that opened this case belongs to another one."""

from sqlmodel import Session

from models.need import Output
from tasks.run.activity import step
from tasks.run.family import locked
from tasks.run.work import Work
from tasks.upkeep.merge_case import merge_rows


class Joined(Output):
    """Whether the case was merged; it was not if the other one has ended meanwhile."""

    joined: bool


@step("5.3")
def join_case(work: Work, into_id: int, by: str) -> Joined:
    """Merge the case into the one that it belongs to, which reads its mails."""
    work.performer = f"Agent Email: {by}"

    def join(session: Session) -> Joined:
        if locked(session, into_id).status != "open":
            return Joined(joined=False)
        merge_rows(session, work.systems, work.case.key, into_id, by)
        return Joined(joined=True)

    work.effect(join)
    return Joined(joined=False)
