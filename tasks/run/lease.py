"""Which letters are to be sent, and the lease on one: the right to send it for a time.

Letters of one case to one recipient go in the order in which they were written: none overtakes an earlier one.

Held by `tests/tasks/run/test_send_letter.py` and `tests/tasks/run/test_relay.py`.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice
from typing import Any

from sqlalchemy import and_, exists, literal, or_, update
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from adapters.wiring import Systems
from models.states import UNDER_WAY
from models.tables import Kept, Letter, Outbox
from tasks.run import relay

TOGETHER = 10
"""Letters that are read at once."""


@dataclass(frozen=True)
class Queued:
    """A letter in the outbox, as it was before its lease was taken."""

    letter: Letter
    outbox: Outbox
    content: bytes | None
    """The letter itself; None if it is kept as a file."""

    @property
    def was_cut_off(self) -> bool:
        """Whether the latest attempt ended without an answer or an error, and no person has put the letter back."""
        return self.outbox.state == "sending" and self.outbox.attempts > 0 and not self.outbox.error


@dataclass(frozen=True)
class Lease:
    """The right to send one letter for a time."""

    probe: bool
    """The letter is the probe, which tells whether the relay takes letters again."""


_QUEUED = select(Letter, Outbox, Kept.content).join(Outbox).outerjoin(Kept, col(Kept.sha256) == Letter.sha256)
_EARLIER, _EARLIER_OUTBOX = aliased(Letter), aliased(Outbox)


def _earlier(letter_id: Any, case_id: Any, recipient: Any, routine: Any, *of_outbox: Any) -> Any:
    """Whether an earlier letter of the case to this recipient has not gone; a routine one holds routine ones only."""
    same = (_EARLIER.case_id == case_id, _EARLIER.recipient == recipient, col(_EARLIER.id) < letter_id)
    waits = (col(_EARLIER_OUTBOX.letter_id) == _EARLIER.id, col(_EARLIER_OUTBOX.state).in_(UNDER_WAY), *of_outbox)
    return exists().where(*same, *waits, or_(col(_EARLIER_OUTBOX.routine).is_(False), routine))


def read_queued(systems: Systems, letter_ids: Iterable[int]) -> Iterator[Queued]:
    """Read these letters, some at a time."""
    ids = iter(letter_ids)
    while some := list(islice(ids, TOGETHER)):
        with systems.store.read() as session:
            found = {row[0].id: Queued(*row) for row in session.exec(_QUEUED.where(col(Letter.id).in_(some)))}
        yield from (found[letter_id] for letter_id in some)


def take_lease(session: Session, systems: Systems, queued: Queued) -> Lease | None:
    """Take the lease on a letter; None if it is not to be sent now, or another process was faster."""
    now, letter, outbox = systems.machine_clock.now(), queued.letter, queued.outbox
    if outbox.state not in UNDER_WAY or outbox.not_before > now:
        return None
    until = now + timedelta(seconds=systems.settings.claim_seconds)
    probe = relay.begin_probe(session, systems, now, until)
    if probe is False:
        return None
    # leases and put-backs are counted, so that a letter which has changed since it was read is not taken
    known = (getattr(Outbox, name) == getattr(outbox, name) for name in ("letter_id", "state", "attempts", "tries"))
    waits = _earlier(letter.id, letter.case_id, letter.recipient, literal(outbox.routine))
    # from now on, an error in the row is of this attempt
    taken = {"state": "sending", "attempts": outbox.attempts + 1, "not_before": until, "error": ""}
    if session.connection().execute(update(Outbox).where(*known, ~waits).values(**taken)).rowcount == 1:
        return Lease(probe=bool(probe))
    if probe:
        relay.end_probe(session, systems)
    return None


def earlier_letters(systems: Systems, letter_id: int) -> list[int]:
    """Letters that go before this one and have not gone; none that keeps office hours, which is not to be hurried."""
    this = aliased(Letter)
    same = (
        col(Letter.case_id) == this.case_id,
        col(Letter.recipient) == this.recipient,
        col(Letter.id) < this.id,
    )
    earlier = select(Letter.id).join(Outbox).join(this, and_(*same))
    waiting = (col(this.id) == letter_id, col(Outbox.state).in_(UNDER_WAY), col(Outbox.routine).is_(False))
    with systems.store.read() as session:
        return [one for one in session.exec(earlier.where(*waiting).order_by(col(Letter.id))) if one is not None]


def due_letters(systems: Systems, limit: int = 500) -> list[int]:
    """Letters to send now, in their order; while the relay refuses us, one at most: the probe.

    The probe is the letter that was refused longest ago. If the relay refuses us for good, it is one that was not
    refused yet, so that no letter that is refused for its own sake stops the others. Late routine letters wait for the
    site's office hours.
    """
    now = systems.machine_clock.now()
    later = col(_EARLIER_OUTBOX.not_before) > now
    waits = _earlier(Outbox.letter_id, Letter.case_id, Letter.recipient, Outbox.routine, later)
    due = (col(Outbox.state).in_(UNDER_WAY), col(Outbox.not_before) <= now, ~waits)
    settings, at = systems.settings, systems.clock.now()
    closed = [box.address for box in settings.mailboxes if not settings.office_of(box.address).is_open(at)]
    by_day = or_(col(Outbox.routine).is_(False), col(Letter.sender).not_in(closed))
    query = select(Outbox.letter_id).join(Letter).where(*due, by_day)
    with systems.store.read() as session:
        refusal = relay.refusal(session, systems)
        if refusal is None:
            return list(session.exec(query.order_by(col(Outbox.letter_id)).limit(limit)))
        if refusal.not_before > now:
            return []
        new = [col(Outbox.cause) != ""] if refusal.reply.startswith("5") else []
        first = (*new, col(Outbox.not_before), col(Outbox.letter_id))
        return list(session.exec(query.order_by(*first).limit(1)))
