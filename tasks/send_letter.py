"""The sending of one letter: through the outbox, once.

A letter is claimed before it is sent. A claim that ran out (the process was killed, or the connection broke after
the text was handed over) leaves it open whether the server took it: then our own copy is looked for first. Only if
there is none is the letter sent once more, with the same Message-ID, or a person asked, as the settings say.
"""

from datetime import timedelta

from prefect import task
from prefect.cache_policies import NO_CACHE
from sqlalchemy import or_, update
from sqlmodel import col, select

from adapters.wiring import Systems, systems
from models.errors import Deferred, LayananError, OutcomeUnknown, Refused, Unavailable
from models.tables import Letter, Outbox
from tasks.undelivered import put_back, undelivered

BACKOFF = timedelta(seconds=30)
LONGEST_BACKOFF = timedelta(hours=1)
MOST_DEFERRALS = 30
"""How often the server may say "later" to a letter, which takes about a day, before it did not arrive."""


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
    claim = _claim(wired, letter_id)
    if claim is None:
        with wired.store.read() as session:
            return session.exec(select(Outbox.state).where(Outbox.letter_id == letter_id)).one()
    letter, outbox = claim
    # while it is open whether an earlier attempt went through, it stays so
    doubtful, attempts = outbox.state == "sending", outbox.attempts + 1
    later = "sending" if doubtful else "queued"
    try:
        if doubtful and wired.ems.has_copy(letter.message_id, wired.settings.mailbox(letter.sender)):
            return _settle(wired, letter_id, "sent")
        raw = wired.store.kept(letter.sha256)
    except LayananError as error:
        return _settle(wired, letter_id, later, str(error), attempts)
    if doubtful and _is_a_persons(wired, outbox):
        return _fail(wired, letter_id, "smtp: it is open whether it went, and no copy of it came")
    try:
        wired.ems.send(raw, letter.sender, [letter.recipient])
    except OutcomeUnknown:
        counted = update(Outbox).where(col(Outbox.letter_id) == letter_id).values(unanswered=Outbox.unanswered + 1)
        with wired.store.write() as session:
            session.execute(counted)
        return "sending"
    except Deferred as error:
        if (deferrals := outbox.deferrals + 1) >= MOST_DEFERRALS:
            return _fail(wired, letter_id, f"{error}, {deferrals} times")
        return _settle(wired, letter_id, later, str(error), attempts, deferrals=deferrals)
    except Unavailable as error:
        return _settle(wired, letter_id, later, str(error), attempts)
    except Refused as error:
        return _fail(wired, letter_id, str(error))
    return _settle(wired, letter_id, "sent")


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


def _claim(wired: Systems, letter_id: int) -> tuple[Letter, Outbox] | None:
    """The letter, and its way out as it was before; None where it is not to be sent now."""
    now = wired.machine_clock.now()
    mine = (
        update(Outbox)
        .where(
            col(Outbox.letter_id) == letter_id,
            or_(col(Outbox.state) == "queued", col(Outbox.state) == "sending"),
            col(Outbox.not_before) <= now,
        )
        .values(
            state="sending",
            attempts=Outbox.attempts + 1,
            not_before=now + timedelta(seconds=wired.settings.claim_seconds),
        )
    )
    with wired.store.write() as session:
        outbox = session.exec(select(Outbox).where(Outbox.letter_id == letter_id).with_for_update()).one()
        session.expunge(outbox)
        if session.execute(mine).rowcount != 1:  # type: ignore[attr-defined]
            return None
        letter = session.exec(select(Letter).where(Letter.id == letter_id)).one()
        return letter, outbox


def _is_a_persons(wired: Systems, outbox: Outbox) -> bool:
    """Whether a letter that may have gone, and no copy of which has come, is not simply sent again."""
    if wired.settings.smtp.in_doubt == "ask":
        return outbox.attempts > 0  # a person who wants it sent again has put them back
    return outbox.unanswered > 1


def _fail(wired: Systems, letter_id: int, error: str) -> str:
    """Give it up, unless a report or a copy of it has come meanwhile and says more."""
    with wired.store.write() as session:
        state = session.exec(select(Outbox.state).where(Outbox.letter_id == letter_id).with_for_update()).one()
        if state == "sending":
            undelivered(session, letter_id, "failed", error, wired.clock.now())
            return "failed"
        return state


def _settle(wired: Systems, letter_id: int, state: str, error: str = "", attempts: int = 0, **counted: int) -> str:
    """Its state after this attempt, unless a report or a copy of it has come meanwhile and says more."""
    now = wired.machine_clock.now()
    wait = min(BACKOFF * 2 ** min(attempts, 10), LONGEST_BACKOFF) if attempts else timedelta()
    values = {"state": state, "error": error, "not_before": now + wait, **counted}
    if state == "sent":
        values["sent_at"] = wired.clock.now()
    mine = (col(Outbox.letter_id) == letter_id, col(Outbox.state) == "sending")
    with wired.store.write() as session:
        if session.execute(update(Outbox).where(*mine).values(**values)).rowcount == 1:  # type: ignore[attr-defined]
            return state
        return session.exec(select(Outbox.state).where(Outbox.letter_id == letter_id)).one()
