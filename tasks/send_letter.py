"""The sending of one letter: through the outbox, once.

A letter is claimed before it is sent. A claim that ran out (the process was killed, or the connection broke after
the text was handed over) leaves it open whether the server took it: then our own copy is looked for first. Only if
there is none is the letter sent once more, with the same Message-ID, or a person asked, as the settings say.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from itertools import islice, starmap
from time import monotonic
from typing import Any

import sqlalchemy
from prefect import task
from prefect.cache_policies import NO_CACHE
from sqlalchemy import bindparam, update
from sqlmodel import Session, col, select

from adapters.wiring import Systems, systems
from models.errors import Deferred, LayananError, OutcomeUnknown, Refused, Unavailable
from models.tables import Kept, Letter, Outbox
from tasks.undelivered import put_back, undelivered, way_out

BACKOFF = timedelta(seconds=30)
LONGEST_BACKOFF = timedelta(hours=1)
MOST_DEFERRALS = 30
"""How often the server may say "later" to a letter, which takes about a day, before it did not arrive."""

TOGETHER = 10
"""Letters that are read at once."""


@dataclass(frozen=True)
class _WayOut:
    """A letter and its way out, as it was before it was claimed."""

    letter_id: int
    state: str
    not_before: datetime
    attempts: int
    error: str
    unanswered: int
    deferrals: int
    tries: int
    message_id: str
    sender: str
    recipient: str
    sha256: str
    content: bytes | None
    """The letter itself; None where it is a file."""


# made once, and without the weight of whole rows: each letter is asked for
_WAYS_OUT = (
    sqlalchemy.select(
        *(
            next(getattr(table, field.name) for table in (Outbox, Letter, Kept) if field.name in table.model_fields)
            for field in fields(_WayOut)
        )
    )
    .select_from(Outbox)
    .join(Letter)
    .outerjoin(Kept, col(Kept.sha256) == Letter.sha256)
    .where(col(Outbox.letter_id).in_(bindparam("letters", expanding=True)))
)
# whoever claims a letter or puts it back counts that: one that was read before is claimed as it was
_CLAIM = (
    update(Outbox)
    .where(*(getattr(Outbox, name) == bindparam(f"its_{name}") for name in ("letter_id", "state", "attempts", "tries")))
    # an error that stands there is this attempt's, or no attempt has begun since
    .values(state="sending", attempts=Outbox.attempts + 1, not_before=bindparam("until"), error="")
)
# unless a report or a copy of the letter has come meanwhile, and says more
_SENDING = update(Outbox).where(col(Outbox.letter_id) == bindparam("its_letter_id"), col(Outbox.state) == "sending")
_SENT = _SENDING.values(state="sent", error="", not_before=bindparam("now"), sent_at=bindparam("at"))
# what did not go says nothing of the attempt of another, who has claimed it since
_OURS = _SENDING.where(*(getattr(Outbox, name) == bindparam(f"its_{name}") for name in ("attempts", "tries")))


@task(
    name="Kirim surat / Send letter",
    task_run_name="Kirim surat / Send letter",
    cache_policy=NO_CACHE,
    persist_result=False,
)
def send_letter(letter_id: int) -> str:
    """Send a letter if nobody else does; returns its state. What cannot go now is sent by the monitor later."""
    return deliver(systems(), letter_id)


def deliver(wired: Systems, letter_id: int) -> str:
    """Send one queued letter; returns ``sent``, ``queued``, ``sending`` (open whether it went) or ``failed``.

    Or ``bounced``, where a report came before the server's answer.

    Raises:
        Unavailable: the case store does not answer.
    """
    deliver_all(wired, [letter_id])
    with wired.store.read() as session:
        return session.exec(select(Outbox.state).where(Outbox.letter_id == letter_id)).one()


def deliver_all(wired: Systems, letter_ids: Iterable[int]) -> None:
    """Send queued letters one after the other, until the server takes none; what one recipient's says stops no other.

    What became of one is committed together with the claim of the next, before that is sent.

    Raises:
        Unavailable: the case store does not answer.
    """
    last: _Outcome | None = None
    for way in _ways_out(wired, letter_ids):
        until = monotonic() + wired.settings.claim_seconds / 2  # the text needs its time, too, and the copy
        with wired.store.write() as session:
            if last is not None:
                last.record(session)
            claimed = _claim(session, wired, way)
        last = _sent(wired, way, until) if claimed else None
        if last is not None and last.ends:
            break
    if last is not None:
        with wired.store.write() as session:
            last.record(session)


@dataclass(frozen=True)
class _Outcome:
    """What became of an attempt; ``ends`` where the server would take no other letter now."""

    record: Callable[[Session], object]
    ends: bool = False


def send_again(wired: Systems, letter_id: int) -> None:
    """Put a letter that did not arrive back in the outbox: the next pass sends it.

    Raises:
        Refused: it is not failed.
        Unavailable: the case store does not answer.
    """
    with wired.store.write() as session:
        outbox = session.exec(select(Outbox).where(Outbox.letter_id == letter_id).with_for_update()).one()
        if outbox.state not in {"failed", "bounced"}:
            raise Refused(f"letter {letter_id}", "only a failed one can be sent again; `layanan letters` shows states")
        put_back(wired, outbox)
        session.add(outbox)


def due_letters(wired: Systems, limit: int = 500) -> list[int]:
    """Letters that somebody should send now."""
    query = (
        select(Outbox.letter_id)
        .where(col(Outbox.state).in_(["queued", "sending"]), col(Outbox.not_before) <= wired.machine_clock.now())
        .order_by(col(Outbox.letter_id))
        .limit(limit)
    )
    with wired.store.read() as session:
        return list(session.exec(query))


def _ways_out(wired: Systems, letter_ids: Iterable[int]) -> Iterator[_WayOut]:
    ids = iter(letter_ids)
    while some := list(islice(ids, TOGETHER)):
        with wired.store.read() as session:
            found = {way.letter_id: way for way in starmap(_WayOut, session.execute(_WAYS_OUT, {"letters": some}))}
        yield from (found[letter_id] for letter_id in some)


def _claim(session: Session, wired: Systems, way: _WayOut) -> bool:
    """Claim a letter, unless it is not to be sent now, or another was quicker."""
    now = wired.machine_clock.now()
    if way.state not in {"queued", "sending"} or way.not_before > now:
        return False
    until = now + timedelta(seconds=wired.settings.claim_seconds)
    its = {"its_letter_id": way.letter_id, "its_state": way.state, "its_attempts": way.attempts, "its_tries": way.tries}
    return session.connection().execute(_CLAIM, its | {"until": until}).rowcount == 1


def _sent(wired: Systems, way: _WayOut, until: float) -> _Outcome:
    """Send a letter that is claimed, unless its text begins so late that another might claim it meanwhile."""
    # while it is open whether an earlier attempt went through, it stays so
    doubtful, letter_id = way.state == "sending", way.letter_id
    try:
        if doubtful and wired.ems.has_copy(way.message_id, wired.settings.mailbox(way.sender)):
            return _done(wired, letter_id)
        raw = wired.store.kept_file(way.sha256) if way.content is None else way.content
    except LayananError as error:
        # who was cut off before keeps that doubt, though there is an error now
        return _later(wired, way, str(error), unanswered=max(way.unanswered, int(_was_cut_off(way))))
    if doubtful and _is_a_persons(wired, way):
        return _failed(wired, way, "smtp: it is open whether it went, and no copy of it came")
    try:
        wired.ems.send(raw, way.sender, [way.recipient], until)
    except OutcomeUnknown:
        return _changed(way, ends=True, unanswered=way.unanswered + 1)
    except Deferred as error:
        if (deferrals := way.deferrals + 1) >= MOST_DEFERRALS:
            return _failed(wired, way, f"{error}, {deferrals} times")
        return _later(wired, way, str(error), ends=False, deferrals=deferrals)
    except Unavailable as error:
        return _later(wired, way, str(error))
    except Refused as error:
        return _failed(wired, way, str(error))
    return _done(wired, letter_id)


def _is_a_persons(wired: Systems, way: _WayOut) -> bool:
    """Whether a letter that may have gone, and no copy of which has come, is not simply sent again."""
    if wired.settings.smtp.in_doubt == "ask":
        return way.unanswered > 0 or _was_cut_off(way)
    return way.unanswered > 1


def _was_cut_off(way: _WayOut) -> bool:
    """Whether an attempt ended without a word: a person has put back none, and the server put off what has an error."""
    return way.state == "sending" and way.attempts > 0 and not way.error


def _done(wired: Systems, letter_id: int) -> _Outcome:
    sent = {"its_letter_id": letter_id, "now": wired.machine_clock.now(), "at": wired.clock.now()}
    return _Outcome(lambda session: session.connection().execute(_SENT, sent))


def _later(wired: Systems, way: _WayOut, error: str, *, ends: bool = True, **counted: int) -> _Outcome:
    wait = min(BACKOFF * 2 ** min(way.attempts + 1, 10), LONGEST_BACKOFF)
    until = wired.machine_clock.now() + wait
    return _changed(way, ends=ends, state=way.state, error=error, not_before=until, **counted)


def _failed(wired: Systems, way: _WayOut, error: str) -> _Outcome:
    now = wired.clock.now()

    def record(session: Session) -> None:
        _, outbox = way_out(session, way.letter_id)
        if outbox.state == "sending" and (outbox.attempts, outbox.tries) == (way.attempts + 1, way.tries):
            undelivered(session, way.letter_id, "failed", error, now)

    return _Outcome(record)


def _changed(way: _WayOut, *, ends: bool = False, **values: Any) -> _Outcome:
    """What an attempt changes."""
    its = {"its_letter_id": way.letter_id, "its_attempts": way.attempts + 1, "its_tries": way.tries}
    return _Outcome(lambda session: session.connection().execute(_OURS.values(**values), its), ends)
