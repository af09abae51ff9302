"""What a person has seen of a case when they decide, and what has happened since."""

from collections.abc import Iterator
from typing import Self

from pydantic import BaseModel, Field, ValidationError
from sqlalchemy import func
from sqlmodel import Session, col, select

from models.errors import WrongUse
from models.forms import FORMS
from models.forms.base import SYSTEM
from models.states import SignalKind
from models.tables import Decision, Message, Signal, TicketRow, Wait
from tasks.run.briefing import TICKET
from tasks.run.family import family

LONG = 240
"""Characters of a mail that a line of news quotes."""


class Facts(BaseModel, frozen=True):
    """A case at one moment: of each kind of news, the latest."""

    wait: str = ""
    """Key of what it waits for; empty: for nothing."""
    mail: int = Field(default=0, ge=0, lt=2**31)
    decision: int = Field(default=0, ge=0, lt=2**31)
    signal: int = Field(default=0, ge=0, lt=2**31)
    tickets: str = ""

    @classmethod
    def now(cls, session: Session, case_id: int) -> Self:
        """The case as it is in this transaction."""
        mails = select(func.max(Message.id)).where(col(Message.case_id).in_(family(session, case_id)))
        decisions = select(func.max(Decision.id)).where(Decision.case_id == case_id)
        signals = select(func.max(Signal.id)).where(Signal.case_id == case_id, Signal.kind == SignalKind.UNIT)
        tickets = select(TicketRow.status).where(TicketRow.case_id == case_id).order_by(col(TicketRow.external_id))
        return cls(
            wait=session.exec(select(Wait.wait_key).where(Wait.case_id == case_id)).first() or "",
            mail=session.exec(mails).one() or 0,
            decision=session.exec(decisions).one() or 0,
            signal=session.exec(signals).one() or 0,
            tickets=" ".join(session.exec(tickets)),
        )

    def written(self) -> str:
        """As a page carries it."""
        return self.model_dump_json()

    @classmethod
    def read(cls, text: str) -> Self:
        """What a page carried.

        Raises:
            WrongUse: it is no such text.
        """
        try:
            return cls.model_validate_json(text)
        except ValidationError:
            raise WrongUse("seen: not what the case's page gave; open the case again") from None


def news(session: Session, case_id: int, seen: Facts) -> Iterator[str]:
    """What has happened since somebody saw the case so, a line each; nothing where it is as they saw it."""
    now = Facts.now(session, case_id)
    if now == seen:
        return
    decisions = select(Decision).where(Decision.case_id == case_id, col(Decision.id) > seen.decision)
    for decision in session.exec(decisions.order_by(col(Decision.id))):
        if decision.by != SYSTEM:
            yield f"{decision.by} sudah memutuskan / has decided: {FORMS[decision.form].title}"
    mails = select(Message).where(col(Message.case_id).in_(family(session, case_id)), col(Message.id) > seen.mail)
    for mail in session.exec(mails.order_by(col(Message.id))):
        words = " ".join((mail.new_text or mail.subject).split())
        yield f"{mail.sender_name or mail.sender} menulis / wrote: “{words[:LONG]}{'…' * (len(words) > LONG)}”"
    if now.signal != seen.signal:
        yield "Unit melapor / a unit has reported"
    if now.tickets != seen.tickets:
        states = ", ".join(TICKET.get(state, state) for state in now.tickets.split())
        yield f"Status tiket berubah / the ticket has changed: {states}"
    if now.wait != seen.wait:
        asked = session.exec(select(Wait.form).where(Wait.case_id == case_id)).first()
        yield (
            f"Sekarang ditanyakan / asked now: {FORMS[asked].title}"
            if asked
            else "Kasus ini sedang berjalan, tidak menunggu keputusan / the case goes on, and awaits no decision"
        )
