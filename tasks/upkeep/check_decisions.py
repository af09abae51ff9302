"""Compares the decisions in the case store with the hashes that the audit log has of them."""

from collections.abc import Iterator
from itertools import islice
from typing import Any

from sqlmodel import Session, col, select

from adapters.case_store import audit
from models.audit import Action, AuditRow, AuditSalt, content_hash
from models.tables import Decision
from tasks.run.wait_key import WaitKey

MOST = 500
"""Rows that are compared at a time."""


def changed_decisions(session: Session) -> Iterator[int]:
    """Numbers of the log's rows whose decision is another one now, or missing.

    Where an erasure has deleted the salt there is nothing to compare.
    """
    rows = audit.stream(session, AuditRow.action == Action.DECIDED)
    while batch := list(islice(rows, MOST)):
        of_rows = col(AuditSalt.number).in_([row["number"] for row in batch])
        salts = {one.number: one.salt for one in session.exec(select(AuditSalt).where(of_rows))}
        query = select(Decision).where(col(Decision.case_id).in_({_case_id(row) for row in batch}))
        decisions = {(one.case_id, one.wait_key): one.answers for one in session.exec(query)}
        for row in batch:
            answers = decisions.get((_case_id(row), WaitKey.parse(row["subject"]).name))
            if row["number"] in salts and content_hash(salts[row["number"]], answers) != row["after"]:
                yield row["number"]


def _case_id(row: dict[str, Any]) -> int:
    return int(row["reference"].rpartition("-")[2])
