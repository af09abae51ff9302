"""Who gets copies of the letters to a case's customer (5.3); intake records who was in Cc.

Held by `tests/tasks/intake/test_copied.py`.
"""

from sqlmodel import Session, col, or_, select

from adapters.letters.writer import ADDRESS
from adapters.wiring import Systems
from models.tables import Case, Party
from tasks.run.family import family

MOST = 20
"""Limit of addresses that get a copy of one letter."""


def copies(session: Session, systems: Systems, case: Case) -> tuple[str, ...]:
    """Addresses that get copies of a letter to the case's customer."""
    wanted = or_(col(Party.letters), col(Party.copied)) if systems.settings.letters_to_cc else col(Party.letters)
    query = select(Party.address).where(col(Party.case_id).in_(family(session, case.key)), wanted)
    found = sorted(
        {address for address in session.exec(query) if address != case.address and ADDRESS.fullmatch(address)}
    )
    return tuple(found[:MOST])


def is_copied(session: Session, case_id: int, address: str) -> bool:
    """Whether the address gets copies: a copy that does not arrive says nothing about the customer."""
    query = select(Party.address).where(col(Party.case_id).in_(family(session, case_id)), Party.address == address)
    query = query.where(or_(col(Party.letters), col(Party.copied)))
    return session.exec(query).first() is not None
