"""A case, locked, and its relations: the cases that were merged into it, and the one that it was merged into.

Held by `tests/tasks/upkeep/test_merge_case.py`.
"""

from sqlmodel import Session, col, select

from models.tables import Case


def locked(session: Session, case_id: int) -> Case:
    """The current case; others who want to change it wait until this transaction ends."""
    # rows that only refer to the case may be written meanwhile: their writers may hold locks that we want next
    query = select(Case).where(Case.id == case_id).with_for_update(key_share=True)
    # otherwise a session that has read the row before returns what it read then
    query = query.execution_options(populate_existing=True)
    return session.exec(query).one()


def family(session: Session, case_id: int) -> list[int]:
    """Numbers of the case and of all that were merged into it, directly or not."""
    known, latest = [case_id], [case_id]
    while latest:
        merged = select(Case.id).where(col(Case.merged_into).in_(latest))
        latest = [number for number in session.exec(merged) if number is not None and number not in known]
        known += latest
    return known


def going_on(session: Session, case_id: int) -> Case:
    """The case that continues for this one, locked: itself, or the case that it was merged into.

    Locked, because a merger hands over only what was written before it.
    """
    case = locked(session, case_id)
    return case if case.merged_into is None else going_on(session, case.merged_into)
