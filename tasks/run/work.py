"""What an activity gets, and where it collects its local effects until they are committed with its record.

Held by `tests/tasks/run/test_activity.py`.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, TypeVar

from pydantic import ValidationError
from sqlalchemy import update
from sqlmodel import Session, col, select

from adapters.letters.writer import Envelope
from adapters.wiring import Systems
from models.errors import MissingFact, Refused
from models.letter import LetterFacts
from models.mail import without_detail
from models.office_hours import OfficeHours
from models.settings import Settings
from models.states import NOT_THE_CUSTOMERS, Retired, SignalKind
from models.tables import Case, Deadline, Letter, Message, NewLetter, Outbox, row
from tasks.run import signals
from tasks.run.copies import copies
from tasks.run.family import family
from tasks.run.letter_limit import letters_used_up

Effect = Callable[[Session], object]
F = TypeVar("F", bound=LetterFacts)


class Work:
    """One activity at work for one case.

    The body may call systems directly. What it wants to write in the case store it registers here; all of that is
    written in the transaction that records the activity.
    """

    def __init__(
        self,
        systems: Systems,
        case: Case,
        name: str,
        occurrence: int,
        given: Mapping[str, str] | None = None,
        by_hand: str = "",
        session: Session | None = None,
        messages: Sequence[Message] = (),
    ) -> None:
        self.systems = systems
        self.case = case
        """The case at the start; changes go through :meth:`change`."""
        self.name = name
        self.occurrence = occurrence
        self.given = given or {}
        """Facts that were missing in an earlier attempt, and that a person gave."""
        self.by_hand = by_hand
        """Who has sent the activity's letter by hand; then none is written."""
        self.now: datetime = systems.clock.now()
        self.performer: str = f"{by_hand} (manual)" if by_hand else ""
        """Who did it, if not the SOP's first performer."""
        self.letters: list[Letter] = []
        self.effects: list[Effect] = []
        self._session = session
        """The caller's transaction, if the activity is done inside one."""
        if messages:
            self.messages = list(messages)

    @property
    def settings(self) -> Settings:
        """The service's settings."""
        return self.systems.settings

    @cached_property
    def messages(self) -> list[Message]:
        """The customer's mails, and those of cases merged into this one, oldest first."""
        with self.look() as session:
            of_case = col(Message.case_id).in_(family(session, self.case.key))
            theirs = (of_case, col(Message.outcome).not_in(NOT_THE_CUSTOMERS))
            return list(session.exec(select(Message).where(*theirs).order_by(col(Message.id))))

    def look(self) -> AbstractContextManager[Session]:
        """A session to read in: the caller's transaction, if there is one."""
        return self.systems.store.read() if self._session is None else nullcontext(self._session)

    def message(self, message_id: int) -> Message:
        """One of the case's mails; the newest for 0."""
        return next((mail for mail in self.messages if mail.id == message_id), self.messages[-1])

    def effect(self, effect: Effect) -> None:
        """Change the case store when the activity is recorded.

        If an effect returns an output of the activity's type, that replaces the body's output: for what only the
        transaction can know.
        """
        self.effects.append(effect)

    def change(self, **columns: Any) -> None:
        """Change columns of the case."""
        self.effects.append(
            lambda session: (
                session.execute(update(Case).where(col(Case.id) == self.case.key).values(**columns)) and None
            )
        )

    @property
    def office(self) -> OfficeHours:
        """Office hours of the case's site."""
        return self.settings.office_of(self.case.mailbox)

    def deadline(self, kind: SignalKind, after: timedelta) -> datetime:
        """Give the case a signal after this time; replaces earlier deadlines of the kind. Returns when it is due.

        An update that is due while the office is closed is due when it opens.
        """
        due = self.now + after
        if kind is SignalKind.UPDATE:
            due = self.office.next_open(due)
        self.drop_deadlines(kind)
        self.effect(lambda session: session.add(Deadline(case_id=self.case.key, kind=kind, due_at=due)))
        return due

    def drop_deadlines(self, *kinds: SignalKind) -> None:
        """Drop the case's deadlines and pending signals of these kinds."""

        def drop(session: Session) -> None:
            of_case = col(Deadline.case_id) == self.case.key
            session.execute(update(Deadline).where(of_case, col(Deadline.kind).in_(kinds)).values(over=True))
            signals.retire(session, self.case.key, kinds, Retired.NOT_DUE, self.now)

        self.effect(drop)

    def save(self, item: Any) -> None:
        """Insert or update a row."""
        self.effect(lambda session: session.merge(item))

    def letter(self, facts: LetterFacts, *, written_by_person: bool = False, routine: bool = False) -> str:
        """Write a letter to the customer and put it in the outbox; returns its Message-ID, derived from the activity.

        It goes to the case's address, in the case's language, as an answer to the customer's latest mail. If a person
        has sent it by hand, none is written, and the Message-ID is empty. A late ``routine`` letter is not sent while
        the office is closed.

        Raises:
            MissingFact: the letter cannot be written yet.
            Refused: the address has had the largest number of letters for a day.
        """
        if self.by_hand:
            return ""
        case, last = self.case, self.messages[-1]
        limits = self.settings.limits
        with self.look() as session:
            if letters_used_up(session, limits, case.address, self.now):
                raise Refused("letters", f"{limits.letters_a_day} have gone to this address within a day: a loop?")
            copied = copies(session, self.systems, case)
        return self._post(
            facts,
            language=case.language,
            recipient=case.address,
            recipient_name=case.name,
            in_reply_to=last.message_id,
            references=(*last.references, last.message_id),
            conversation=last.conversation,
            copies=copied,
            automatic=not written_by_person,
            routine=routine,
        )

    def forward(self, facts: LetterFacts, *, recipient: str, recipient_name: str, mails: Sequence[Message]) -> str:
        """Write a letter to a segment desk, with the customer's mails attached unchanged, and put it in the outbox.

        Raises:
            MissingFact: the letter cannot be written yet.
        """
        if self.by_hand:
            return ""
        return self._post(
            facts,
            language="id",
            recipient=recipient,
            recipient_name=recipient_name,
            in_reply_to="",
            references=(),
            automatic=True,
            attached=tuple(self.systems.store.kept(mail.sha256) for mail in mails),
        )

    def _completed(self, facts: F) -> F:
        """The facts with what a person gave; a list's items are separated by commas."""
        given: dict[str, Any] = {}
        for name, text in self.given.items():
            if name in type(facts).model_fields:
                several = isinstance(getattr(facts, name), tuple)
                given[name] = [part.strip() for part in text.split(",") if part.strip()] if several else text
        try:
            return type(facts).model_validate(facts.model_dump() | given)
        except ValidationError as error:
            raise MissingFact(facts.kind.value, str(error.errors()[0]["loc"][0])) from None

    def _post(self, facts: LetterFacts, *, routine: bool = False, **more: Any) -> str:
        case, facts = self.case, self._completed(facts).until(self.now)
        to = Envelope(
            reference=case.reference,
            token=case.token,
            sender=case.mailbox,
            subject=case.subject,
            message_id=letter_id(case, facts.kind, self.occurrence),
            now=self.now,
            **more,
        )
        rendered = self.systems.letters.write(facts, to)
        letter = row(
            Letter,
            NewLetter(
                case_id=case.key,
                kind=rendered.kind,
                occurrence=self.occurrence,
                message_id=rendered.message_id,
                recipient=rendered.recipient,
                recipient_key=without_detail(rendered.recipient),
                sender=case.mailbox,
                subject=rendered.subject,
                sha256=hashlib.sha256(rendered.raw).hexdigest(),
                written_at=self.now,
            ),
        )
        self.letters.append(letter)
        self.effect(lambda session: self.systems.store.keep_within(session, rendered.raw))
        out = Outbox(letter=letter, not_before=self.systems.machine_clock.now(), routine=routine)
        self.effect(lambda session: session.add(out))
        return rendered.message_id


def letter_id(case: Case, kind: str, occurrence: int) -> str:
    """The Message-ID of a letter, which case, kind and occurrence determine, and which no other letter has."""
    what = f"{case.reference}|{case.opened_at.isoformat()}|{case.address}|{kind}|{occurrence}"
    digest = hashlib.sha256(what.encode()).hexdigest()[:16]
    return f"<{case.reference.lower()}.{kind}.{occurrence}.{digest}@{case.mailbox.rpartition('@')[2]}>"
