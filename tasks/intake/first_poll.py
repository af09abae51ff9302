"""The first poll of a mailbox: decides which mail is taken in, and asks a person before thousands get a letter.

Each new mailbox has a first poll, and another one when its UIDVALIDITY changes: after a restored backup the server may
say that each old mail came today. A mailbox whose mail was taken in before this check existed continues without it.
"""

import logging
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import func, update
from sqlmodel import col, select

from adapters.case_store.store import AlreadyRecorded
from adapters.wiring import Systems
from models.errors import LayananError
from models.settings import Mailbox
from models.tables import FirstPoll, Message

BEFORE = timedelta(days=3)
"""Mail this much older than the first start is taken in: that of a long weekend without an answer."""

log = logging.getLogger("layanan.intake")


@dataclass(frozen=True)
class FirstLook:
    """The unsettled mail of a mailbox, and whether its intake waits for a person."""

    box: Mailbox
    moment: str
    """Time, for people, from which mail is taken in."""
    uidvalidity: int
    new: int
    older: int
    waits: bool

    @property
    def question(self) -> str:
        """What the person who decides should know."""
        return (
            f"{self.new} mails since {self.moment} would be taken in, and each sender gets a letter; none is taken in "
            f"until a person agrees ({self.older} older ones are left)"
        )


def answer(box: Mailbox) -> str:
    """What to type to agree."""
    return (
        f"`layanan mail begin {box.address} --by NAME` takes them in; to leave more of them, first give the mailbox a "
        "later `since` in LAYANAN_MAILBOXES"
    )


def read_from(systems: Systems, box: Mailbox) -> Mailbox:
    """The mailbox with the time from which its mail is taken in.

    Raises:
        Unavailable: the case store does not answer.
    """
    return _from(box, _known(systems, box) or _first_seen(systems, box))


def begin(systems: Systems, box: Mailbox) -> Mailbox | None:
    """The mailbox as it is to be read; None until a person has agreed to its first poll.

    Raises:
        Unavailable, Refused: mailbox or case store do not answer.
    """
    known = _known(systems, box)
    if known is not None and known.agreed_at is not None:
        return _from(box, known)
    seen = look(systems, box)
    # logged once, not with each poll
    say = log.warning if known is None or known.uidvalidity != seen.uidvalidity else log.debug
    if known is None:
        _keep(systems, known := _first_seen(systems, box))
    if seen.waits:
        _change(systems, known, uidvalidity=seen.uidvalidity)
        # the log contains no addresses
        say("a mailbox of %s is not read: %s; `layanan doctor` says how to agree", box.site, seen.question)
        return None
    if known.agreed_at is None:
        _agreed(systems, known, seen, "")
    return seen.box


def is_the_one_agreed_to(systems: Systems, box: Mailbox, uidvalidity: int) -> bool:
    """Whether mails of this UIDVALIDITY may be taken in. If it is new and there are many mails, a person is asked.

    Raises:
        Unavailable, Refused: mailbox or case store do not answer.
    """
    known = _known(systems, box)
    if known is None or known.uidvalidity == uidvalidity:
        return True
    _change(systems, known, agreed_at=None)
    return begin(systems, box) is not None


def look(systems: Systems, box: Mailbox) -> FirstLook:
    """Look at the mailbox without changing anything.

    Raises:
        Unavailable, Refused: mailbox or case store do not answer.
    """
    poll = _known(systems, box) or _first_seen(systems, box)
    box = _from(box, poll)
    lying = systems.ems.unsettled(box)
    waits = poll.agreed_at is None and len(lying.new) > systems.settings.first_poll_most
    since = (box.since or poll.seen_at).astimezone(systems.settings.zone_of(box.address))
    return FirstLook(box, f"{since:%Y-%m-%d %H:%M %Z}", lying.uidvalidity, len(lying.new), len(lying.older), waits)


def agree(systems: Systems, box: Mailbox, by: str) -> FirstLook:
    """Record that a person agrees to the mailbox's first poll.

    Raises:
        Unavailable, Refused: mailbox or case store do not answer.
    """
    seen = look(systems, box)
    known = _known(systems, box)
    if known is None:
        _keep(systems, known := _first_seen(systems, box))
    if known.agreed_at is None:
        _agreed(systems, known, seen, by)
    return seen


def questions(systems: Systems, boxes: Iterable[Mailbox]) -> Iterator[str]:
    """The mailboxes that wait for a person, with what to type. Mailboxes that cannot be read are left out."""
    for box in boxes:
        with suppress(LayananError):
            seen = look(systems, box)
            if seen.waits:
                yield f"{box.address}: {seen.question} → {answer(box)}"


def _known(systems: Systems, box: Mailbox) -> FirstPoll | None:
    with systems.store.read() as session:
        return session.get(FirstPoll, box.address.lower())


def _first_seen(systems: Systems, box: Mailbox) -> FirstPoll:
    """The record of a mailbox without one: it is new, or its mail was taken in before this check existed."""
    now = systems.machine_clock.now()
    first = FirstPoll(mailbox=box.address.lower(), seen_at=now, uidvalidity=0)
    its = Message.mailbox == box.address
    with systems.store.read() as session:
        began = session.exec(select(func.min(Message.received_at)).where(its)).one()
        if began is not None:
            first.seen_at, first.agreed_at = min(began, now), now
            last = select(Message.uidvalidity).where(its).order_by(col(Message.id).desc()).limit(1)
            first.uidvalidity = session.exec(last).one()
    return first


def _from(box: Mailbox, poll: FirstPoll) -> Mailbox:
    return box if box.since else box.model_copy(update={"since": poll.seen_at - BEFORE})


def _keep(systems: Systems, poll: FirstPoll) -> None:
    # another intake may have been faster
    with suppress(AlreadyRecorded), systems.store.write() as session:
        session.add(poll)


def _agreed(systems: Systems, poll: FirstPoll, seen: FirstLook, by: str) -> None:
    _change(systems, poll, uidvalidity=seen.uidvalidity, agreed_at=systems.machine_clock.now(), agreed_by=by)


def _change(systems: Systems, poll: FirstPoll, **values: Any) -> None:
    with systems.store.write() as session:
        session.execute(update(FirstPoll).where(col(FirstPoll.mailbox) == poll.mailbox).values(**values))
