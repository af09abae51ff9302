"""The sending of one letter: through the outbox, once.

A process takes a lease on a letter before it sends it. If the lease runs out (the process was killed, or the connection
broke after the text was handed over), the delivery is unconfirmed: the next process first looks for our own copy. Only
if there is none, it sends the letter once more, with the same Message-ID, or asks a person, as the settings say.

Letters of one case to one recipient go in the order in which they were written: none overtakes one that still waits.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from email.parser import BytesHeaderParser
from email.utils import getaddresses
from itertools import islice, starmap
from time import monotonic
from typing import Any

import sqlalchemy
from prefect import task
from prefect.cache_policies import NO_CACHE
from sqlalchemy import Boolean, and_, bindparam, exists, or_, update
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from adapters.case_store.holds import pause_after
from adapters.ems.protocol import UsOrRecipient
from adapters.wiring import Systems, load_systems
from models.errors import Deferred, LayananError, OfSystem, OutcomeUnknown, Refused, Unavailable
from models.states import LOST, UNDER_WAY, RefusalCause
from models.tables import Kept, Letter, Outbox
from tasks.run import relay, signals
from tasks.run.own_copy import is_copy
from tasks.run.undelivered import in_outbox, put_back, undelivered

BACKOFF = timedelta(seconds=30)
LONGEST_BACKOFF = timedelta(hours=1)
MOST_DEFERRALS = 30
"""How often the server may say "later" to a letter, which takes about a day, before it did not arrive."""

MOST_REFUSALS = 12
"""How often the server may refuse a letter for good, in a reply that may concern us, before a person is asked: within
seven hours, in which no other letter has told whom the reply concerns. An outage of a morning is over by then."""

TOGETHER = 10
"""Letters that are read at once."""


@dataclass(frozen=True)
class _Queued:
    """A letter in the outbox, as it was before its lease was taken."""

    letter_id: int
    state: str
    not_before: datetime
    attempts: int
    error: str
    unanswered: int
    deferrals: int
    tries: int
    reply: str
    refused_at: datetime | None
    refusals: int
    routine: bool
    case_id: int
    message_id: str
    sender: str
    recipient: str
    sha256: str
    content: bytes | None
    """The letter itself; None where it is a file."""


# made once, and without the weight of whole rows: each letter is asked for
_QUEUED = (
    sqlalchemy.select(
        *(
            next(getattr(table, field.name) for table in (Outbox, Letter, Kept) if field.name in table.model_fields)
            for field in fields(_Queued)
        )
    )
    .select_from(Outbox)
    .join(Letter)
    .outerjoin(Kept, col(Kept.sha256) == Letter.sha256)
    .where(col(Outbox.letter_id).in_(bindparam("letters", expanding=True)))
)
_EARLIER, _EARLIER_OUTBOX = aliased(Letter), aliased(Outbox)


def _earlier(letter_id: Any, case_id: Any, recipient: Any, routine: Any, *of_outbox: Any) -> Any:
    """Whether an earlier letter of the case to the same recipient is not out yet; a routine one holds routine ones."""
    same = (_EARLIER.case_id == case_id, _EARLIER.recipient == recipient, col(_EARLIER.id) < letter_id)
    waits = (col(_EARLIER_OUTBOX.letter_id) == _EARLIER.id, col(_EARLIER_OUTBOX.state).in_(UNDER_WAY), *of_outbox)
    return exists().where(*same, *waits, or_(col(_EARLIER_OUTBOX.routine).is_(False), routine))


# taking a lease and putting a letter back are counted: a letter that has changed since it was read is not taken
_TAKE_LEASE = (
    update(Outbox)
    .where(
        *(getattr(Outbox, name) == bindparam(f"its_{name}") for name in ("letter_id", "state", "attempts", "tries")),
        ~_earlier(
            *(bindparam(f"its_{name}") for name in ("letter_id", "case_id", "recipient")),
            bindparam("its_routine", type_=Boolean),
        ),
    )
    # an error that stands there is this attempt's, or no attempt has begun since
    .values(state="sending", attempts=Outbox.attempts + 1, not_before=bindparam("until"), error="")
)
# unless a report or a copy of the letter has come meanwhile, and says more
_SENDING = update(Outbox).where(col(Outbox.letter_id) == bindparam("its_letter_id"), col(Outbox.state) == "sending")
_SENT = _SENDING.values(state="sent", error="", cause="", not_before=bindparam("now"), sent_at=bindparam("at"))
# what did not go says nothing of the attempt of another, who has taken the lease since
_OURS = _SENDING.where(*(getattr(Outbox, name) == bindparam(f"its_{name}") for name in ("attempts", "tries")))


@task(
    name="Kirim surat / Send letter",
    task_run_name="Kirim surat / Send letter",
    cache_policy=NO_CACHE,
    persist_result=False,
)
def send_letter(letter_id: int) -> str:
    """Send a letter if nobody else does; returns its state. What cannot go now is sent by the monitor later."""
    return deliver(load_systems(), letter_id)


def deliver(systems: Systems, letter_id: int) -> str:
    """Send one queued letter; returns ``sent``, ``queued``, ``sending`` (unconfirmed) or ``failed``.

    Or ``bounced``, where a report came before the server's answer.

    Raises:
        Unavailable: the case store does not answer.
    """
    deliver_all(systems, [letter_id])
    # one that is sent again may be the probe, and then those before it must be tried
    if (state := _state(systems, letter_id)) not in UNDER_WAY or not (earlier := _earlier_letters(systems, letter_id)):
        return state
    deliver_all(systems, [*earlier, letter_id])
    return _state(systems, letter_id)


def deliver_all(systems: Systems, letter_ids: Iterable[int]) -> None:
    """Send queued letters one after the other, until the server takes none; what one recipient's says stops no other.

    The outcome of one letter is committed together with the lease on the next, before that is sent.

    Raises:
        Unavailable: the case store does not answer.
    """
    last: _Outcome | None = None
    for queued in _queued(systems, letter_ids):
        until = monotonic() + systems.settings.claim_seconds / 2  # the text needs its time, too, and the copy
        with systems.store.write() as session:
            if last is not None:
                last.record(session)
            lease = _take_lease(session, systems, queued)
        last = _sent(systems, queued, until, lease) if lease else None
        if last is not None and last.ends:
            break
    if last is not None:
        with systems.store.write() as session:
            last.record(session)


def _state(systems: Systems, letter_id: int) -> str:
    with systems.store.read() as session:
        return session.exec(select(Outbox.state).where(Outbox.letter_id == letter_id)).one()


def _earlier_letters(systems: Systems, letter_id: int) -> list[int]:
    """Letters that go before this one, and are not out yet; none that keeps office hours is hurried by it."""
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


@dataclass(frozen=True)
class _Outcome:
    """What became of an attempt; ``ends`` where the server would take no other letter now."""

    record: Callable[[Session], object]
    ends: bool = False


def send_again(systems: Systems, letter_id: int) -> None:
    """Put a letter that did not arrive back in the outbox: the next sweep sends it.

    Raises:
        Refused: it is not failed.
        Unavailable: the case store does not answer.
    """
    with systems.store.write() as session:
        _, outbox = in_outbox(session, letter_id)
        if outbox.state not in LOST:
            raise Refused(f"letter {letter_id}", "only a failed one can be sent again; `layanan letters` shows states")
        signals.retire_undelivered(session, outbox, systems.clock.now())
        put_back(systems, outbox)
        session.add(outbox)


def due_letters(systems: Systems, limit: int = 500) -> list[int]:
    """Letters that somebody should send now, in their order; while the relay refuses us one at most, the probe.

    That is the one that it refused longest ago, or, where it refuses for good, one that it has not refused yet: no
    letter that is refused for its own sake keeps the others from going. Routine ones that are late wait for the
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


def _queued(systems: Systems, letter_ids: Iterable[int]) -> Iterator[_Queued]:
    ids = iter(letter_ids)
    while some := list(islice(ids, TOGETHER)):
        with systems.store.read() as session:
            found = {one.letter_id: one for one in starmap(_Queued, session.execute(_QUEUED, {"letters": some}))}
        yield from (found[letter_id] for letter_id in some)


@dataclass(frozen=True)
class _Lease:
    """The right to send one letter for a time."""

    probe: bool
    """It is the one that tells whether the relay takes letters again."""


def _take_lease(session: Session, systems: Systems, queued: _Queued) -> _Lease | None:
    """Take the lease on a letter, unless it is not to be sent now, or another was quicker."""
    now = systems.machine_clock.now()
    if queued.state not in UNDER_WAY or queued.not_before > now:
        return None
    until = now + timedelta(seconds=systems.settings.claim_seconds)
    probe = relay.begin_probe(session, systems, now, until)
    if probe is False:
        return None
    its = {
        f"its_{name}": getattr(queued, name)
        for name in ("letter_id", "state", "attempts", "tries", "case_id", "recipient", "routine")
    }
    if session.connection().execute(_TAKE_LEASE, its | {"until": until}).rowcount == 1:
        return _Lease(probe=bool(probe))
    if probe:
        relay.end_probe(session, systems)
    return None


def _sent(systems: Systems, queued: _Queued, until: float, lease: _Lease) -> "_Outcome":
    """Send a leased letter, unless its text would begin so late that the lease might run out meanwhile."""
    # an earlier attempt that is unconfirmed stays so
    doubtful, letter_id = queued.state == "sending", queued.letter_id
    try:
        raw = systems.store.kept_file(queued.sha256) if queued.content is None else queued.content
        if doubtful and _has_copy(systems, queued, raw):
            return _done(systems, letter_id, lease)
    except LayananError as error:
        # who was cut off before keeps that doubt, though there is an error now
        return _later(systems, queued, str(error), lease, unanswered=max(queued.unanswered, int(_was_cut_off(queued))))
    if doubtful and _is_a_persons(systems, queued):
        return _failed(
            systems, queued, "smtp: it is open whether it went, and no copy of it came", lease, cause="unclear"
        )
    try:
        systems.ems.send(raw, queued.sender, [queued.recipient], until, _copies(raw))
    except OutcomeUnknown:
        return _changed(systems, queued, lease, ends=True, unanswered=queued.unanswered + 1)
    except (Deferred, UsOrRecipient) as error:
        return _disputed(systems, queued, error, lease)
    except Unavailable as error:
        return _refuses_us(systems, queued, error)
    except Refused as error:
        return _failed(systems, queued, str(error), lease, cause="recipient", reply=error.reply)
    return _done(systems, letter_id, lease)


def _copies(raw: bytes) -> list[str]:
    """Who gets a copy of a letter, as its own header says."""
    head = BytesHeaderParser().parsebytes(raw.partition(b"\r\n\r\n")[0])
    return [address for _, address in getaddresses(head.get_all("Cc", []))]


def _has_copy(systems: Systems, queued: _Queued, raw: bytes) -> bool:
    if systems.settings.smtp.copies == "none":
        return False
    box = systems.settings.mailbox(queued.sender)
    return systems.ems.has_copy(queued.message_id, box, lambda found: is_copy(found, raw))


def _is_a_persons(systems: Systems, queued: _Queued) -> bool:
    """Whether a letter that may have gone, and no copy of which has come, is not simply sent again."""
    if systems.settings.smtp.in_doubt == "ask":
        return queued.unanswered > 0 or _was_cut_off(queued)
    return queued.unanswered > 1


def _was_cut_off(queued: _Queued) -> bool:
    """Whether an attempt ended without a word: a person has put back none, and the server put off what has an error."""
    return queued.state == "sending" and queued.attempts > 0 and not queued.error


def _done(systems: Systems, letter_id: int, lease: _Lease) -> _Outcome:
    sent = {"its_letter_id": letter_id, "now": systems.machine_clock.now(), "at": systems.clock.now()}

    def record(session: Session) -> None:
        if lease.probe:
            relay.takes_letters(session, systems)
        session.connection().execute(_SENT, sent)

    return _Outcome(record)


def _refuses_us(systems: Systems, queued: _Queued, error: OfSystem) -> _Outcome:
    """The relay takes no letter of ours now: this one stays where it was, and counts nothing against itself."""
    now = systems.machine_clock.now()
    its = _its(queued)

    def record(session: Session) -> None:
        relay.refuses_us(session, systems, error)
        kept: dict[str, Any] = {"state": queued.state, "error": str(error), "not_before": now, "cause": "us"}
        session.connection().execute(_OURS.values(**kept, reply=error.reply), its)

    return _Outcome(record, ends=True)


def _disputed(systems: Systems, queued: _Queued, error: OfSystem, lease: _Lease) -> _Outcome:
    """The relay refuses a letter, for now or for good, and the reply may concern us: what others were told decides."""
    now, lasting = systems.machine_clock.now(), error.reply.startswith("5")
    known = queued.refused_at if queued.reply == error.reply else None
    counted: dict[str, Any] = {"deferrals": queued.deferrals + (not lasting), "refusals": queued.refusals + lasting}
    told = f"{error}, {counted['deferrals']} times" if not lasting else str(error)
    changes: dict[str, Any] = {
        "reply": error.reply,
        "words": error.words,
        "refused_at": known or now,
        "cause": "unclear",
    }

    def record(session: Session) -> None:
        if lasting and known and relay.taken_since(session, known):
            # another's letter was taken in between: it is this recipient's, or this letter's
            _failed(systems, queued, str(error), lease, cause="recipient", reply=error.reply).record(session)
        elif lease.probe or relay.concerns_us(session, error.reply, queued.recipient):
            relay.refuses_us(session, systems, error, several=True)
            _changed(systems, queued, state=queued.state, not_before=now, error=str(error), **changes).record(session)
        elif counted["refusals"] >= MOST_REFUSALS or counted["deferrals"] >= MOST_DEFERRALS:
            _failed(systems, queued, told, lease, cause="unclear", reply=error.reply).record(session)
        else:
            _later(systems, queued, str(error), lease, **changes, **counted).record(session)

    return _Outcome(record)


def _later(systems: Systems, queued: _Queued, error: str, lease: _Lease, **changes: Any) -> _Outcome:
    wait = pause_after(queued.attempts + 1, BACKOFF, LONGEST_BACKOFF)
    until = systems.machine_clock.now() + wait
    return _changed(systems, queued, lease, state=queued.state, not_before=until, error=error, **changes)


def _failed(
    systems: Systems, queued: _Queued, error: str, lease: _Lease, *, cause: RefusalCause, reply: str = ""
) -> _Outcome:
    now = systems.clock.now()

    def record(session: Session) -> None:
        if lease.probe:
            relay.end_probe(session, systems)
        _, outbox = in_outbox(session, queued.letter_id)
        if outbox.state == "sending" and (outbox.attempts, outbox.tries) == (queued.attempts + 1, queued.tries):
            outbox.cause, outbox.reply = cause, reply
            undelivered(session, queued.letter_id, "failed", error, now)

    return _Outcome(record)


def _changed(
    systems: Systems, queued: _Queued, lease: _Lease | None = None, *, ends: bool = False, **values: Any
) -> _Outcome:
    """What an attempt changes; one that says nothing of the relay ends the probe that it was."""

    def record(session: Session) -> None:
        if lease is not None and lease.probe:
            relay.end_probe(session, systems)
        session.connection().execute(_OURS.values(**values), _its(queued))

    return _Outcome(record, ends)


def _its(queued: _Queued) -> dict[str, Any]:
    """This attempt, and no later one."""
    return {"its_letter_id": queued.letter_id, "its_attempts": queued.attempts + 1, "its_tries": queued.tries}
