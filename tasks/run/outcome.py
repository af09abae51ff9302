"""What becomes of an attempt to send a letter, as the outbox records it.

Held by `tests/tasks/run/test_send_letter.py` and `tests/tasks/run/test_relay.py`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import Update, update
from sqlmodel import Session, col

from adapters.case_store.holds import pause_after
from adapters.wiring import Systems
from models.errors import OfSystem
from models.states import RefusalCause
from models.tables import Outbox
from tasks.run import relay
from tasks.run.lease import Lease, Queued
from tasks.run.undelivered import in_outbox, undelivered

BACKOFF = timedelta(seconds=30)
LONGEST_BACKOFF = timedelta(hours=1)
MOST_DEFERRALS = 30
"""How often the relay may say "later" to a letter, about a day in all, before the letter counts as failed."""
MOST_REFUSALS = 12
"""How often the relay may refuse a letter for good with a reply that may concern us, before a person is asked.

That takes seven hours, in which no other letter has shown whom the reply concerns: longer than a morning's outage."""


@dataclass(frozen=True)
class Outcome:
    """What became of an attempt; ``ends`` if the relay would take no other letter now."""

    record: Callable[[Session], object]
    ends: bool = False


@dataclass(frozen=True)
class Sending:
    """An attempt to send a letter. Each method gives one outcome, to be recorded later."""

    systems: Systems
    queued: Queued
    lease: Lease

    def done(self) -> Outcome:
        """The relay has taken the letter."""
        now, at = self.systems.machine_clock.now(), self.systems.clock.now()

        def record(session: Session) -> None:
            if self.lease.probe:
                relay.takes_letters(session, self.systems)
            session.connection().execute(
                self._row().values(state="sent", error="", cause="", not_before=now, sent_at=at)
            )

        return Outcome(record)

    def cut_off(self) -> Outcome:
        """The connection broke before the relay's answer: the letter is unconfirmed."""
        return Outcome(lambda session: self._change(session, unanswered=self.queued.outbox.unanswered + 1), ends=True)

    def later(self, error: str, **changes: Any) -> Outcome:
        """The letter is tried again after a pause."""
        pause = pause_after(self.queued.outbox.attempts + 1, BACKOFF, LONGEST_BACKOFF)
        until = self.systems.machine_clock.now() + pause
        changes |= {"state": self.queued.outbox.state, "not_before": until, "error": error}
        return Outcome(lambda session: self._change(session, **changes))

    def failed(self, error: str, *, cause: RefusalCause, reply: str = "") -> Outcome:
        """The letter did not arrive: an agent is asked."""
        now = self.systems.clock.now()

        def record(session: Session) -> None:
            self._end_probe(session)
            before = self.queued.outbox
            _, outbox = in_outbox(session, before.letter_id)
            if outbox.state == "sending" and (outbox.attempts, outbox.tries) == (before.attempts + 1, before.tries):
                outbox.cause, outbox.reply = cause, reply
                undelivered(session, before.letter_id, "failed", error, now)

        return Outcome(record)

    def refuses_us(self, error: OfSystem) -> Outcome:
        """The relay takes no letter of ours now: the letter waits, and nothing counts against it."""
        now = self.systems.machine_clock.now()

        def record(session: Session) -> None:
            relay.refuses_us(session, self.systems, error)
            kept = {"state": self.queued.outbox.state, "error": str(error), "not_before": now, "cause": "us"}
            self._set(session, **kept, reply=error.reply)

        return Outcome(record, ends=True)

    def disputed(self, error: OfSystem) -> Outcome:
        """The relay refuses a letter, for now or for good, with a reply that may concern us: other letters decide."""
        outbox, now, lasting = self.queued.outbox, self.systems.machine_clock.now(), error.reply.startswith("5")
        known = outbox.refused_at if outbox.reply == error.reply else None
        deferrals, refusals = outbox.deferrals + (not lasting), outbox.refusals + lasting
        told = str(error) if lasting else f"{error}, {deferrals} times"
        changes: dict[str, Any] = {"reply": error.reply, "words": error.words, "refused_at": known or now}
        changes["cause"] = "unclear"

        def record(session: Session) -> None:
            if lasting and known and relay.taken_since(session, known):
                # another letter was taken in between, so the reply concerns this recipient or this letter
                self.failed(str(error), cause="recipient", reply=error.reply).record(session)
            elif self.lease.probe or relay.concerns_us(session, error.reply, self.queued.letter.recipient):
                relay.refuses_us(session, self.systems, error, several=True)
                self._set(session, state=outbox.state, not_before=now, error=str(error), **changes)
            elif refusals >= MOST_REFUSALS or deferrals >= MOST_DEFERRALS:
                self.failed(told, cause="unclear", reply=error.reply).record(session)
            else:
                self.later(str(error), **changes, deferrals=deferrals, refusals=refusals).record(session)

        return Outcome(record)

    def _change(self, session: Session, **values: Any) -> None:
        """Record what says nothing of the relay; if this was the probe, the next letter is one."""
        self._end_probe(session)
        self._set(session, **values)

    def _end_probe(self, session: Session) -> None:
        if self.lease.probe:
            relay.end_probe(session, self.systems)

    def _set(self, session: Session, **values: Any) -> None:
        """Change the row, unless another process has begun a later attempt."""
        before = self.queued.outbox
        ours = (col(Outbox.attempts) == before.attempts + 1, col(Outbox.tries) == before.tries)
        session.connection().execute(self._row().where(*ours).values(**values))

    def _row(self) -> Update:
        """Update of the row, unless a delivery report or a copy has come meanwhile, which says more."""
        its = col(Outbox.letter_id) == self.queued.outbox.letter_id
        return update(Outbox).where(its, col(Outbox.state) == "sending")
