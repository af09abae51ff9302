"""What becomes of a mail: the first rule that has something to say decides, the last one opens a case.

All of it happens in the transaction that stores the mail, so that two intakes see each other's mails.

Held by `tests/tasks/intake/test_arrival.py` and `tests/tasks/intake/test_known_mail.py`.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, partial

from sqlalchemy import and_, or_, update
from sqlmodel import Session, col, select

from adapters.ems import Received
from adapters.mail.parser import parse
from adapters.wiring import Systems
from models.forms import FORMS
from models.letter import LetterKind
from models.mail import Automatic, ParsedMail, may_be_forwarded, sender_doubt
from models.settings import Settings
from models.sop import REVISION
from models.states import MailOutcome
from models.tables import Bounce, Case, Letter, Message, NewCase, Outbox, Wait, row
from tasks.find_case import Match, find_case, is_answer, references
from tasks.intake.copied import add_copied, is_copied
from tasks.intake.known_mail import COPIED, Known, known_of
from tasks.intake.limits import answers_like_a_robot
from tasks.run import signals
from tasks.run.family import going_on
from tasks.run.own_copy import is_copy
from tasks.run.undelivered import undelivered


@dataclass(frozen=True)
class Arrived:
    """A mail in the moment in which it is placed."""

    session: Session
    wired: Systems
    received: Received
    mail: ParsedMail
    now: datetime
    arrived_at: datetime | None
    """When it came to the mailbox, where that can be told; before ``now`` where the service was away."""
    customer_id: str = ""
    """Whose address on record the sender's is, where that matters."""
    segment: str = ""
    """The sender's, where another desk serves it (SOP W-89) and that is known already."""

    @property
    def came_at(self) -> datetime:
        """When it was with us, as far as is known."""
        return self.arrived_at or self.now

    @property
    def forwarded(self) -> bool:
        """Whether a forwarder before the mailbox is the likely cause of any doubt about the sender."""
        settings = self.wired.settings
        return settings.comes_forwarded(self.received.mailbox) and may_be_forwarded(self.mail.warnings)

    @property
    def doubtful(self) -> bool:
        """Whether anybody may have written it: it says nothing of any case, and an agent looks."""
        return self.mail.forged and not self.forwarded

    @cached_property
    def known(self) -> Known:
        """What the store knows of it."""
        settings, mailbox = self.wired.settings, self.received.mailbox
        return known_of(self.session, settings, self.mail, mailbox, self.now, self.came_at)


@dataclass(frozen=True)
class Place:
    """A mail's one outcome, why, and the case that it belongs to."""

    outcome: MailOutcome
    reason: str
    known: int | None = None
    """Number of the case that was there already."""
    opened: Case | None = None
    """The case that the mail opens; it has its number once it is flushed."""
    then: Callable[[Message], object] = lambda _: None
    """What follows from it, once the mail has its row."""
    copy: bool = False
    """It is our own copy of a letter, and belongs where those are."""

    @property
    def case_id(self) -> int | None:
        """The case that the mail belongs to."""
        return self.opened.id if self.opened else self.known


_MACHINE = re.compile(r"(?:wordpress|www(?:-data)?|apache|nginx|web(?:site|form)?|(?:contact)?forms?|formulir|situs)@")
"""Names of web servers and their forms."""
_UNREAD = re.compile(
    r"(?:[^@]*[-._])?(?:no|do[-._]?not|ne[-._]?pas|jangan)[-._]?(?:reply|repondre|balas)(?:[-._+\d][^@]*)?@"
)

UNNAMED_FORM = "if a form of ours sends it, add {} to LAYANAN_FORMS, and `layanan mail accept` answers its customer"
"""Advice; with what stands in From."""
_BY_HAND = "answer it by hand"
_GROUP = "if {} is a group of ours, add it to the aliases of its mailbox in LAYANAN_MAILBOXES, "
_ACCEPT = "a customer's is taken in by `layanan mail accept`"
_FIELDS = 20_000
"""Characters in which a form's fields are looked for."""
_REPORTS = {Automatic.BOUNCE, Automatic.DELAYED, Automatic.FEEDBACK}
_MESSAGE_ID = re.compile(r"<[^<>\s@]{1,400}@[^<>\s@]{1,255}>")
_IDS = 50
"""Message-IDs in a report's words that are looked for among our letters."""
_RETURNED = 2_000
"""Characters of a bounce in which a reference of ours is looked for."""

Rule = Callable[[Arrived], Place | None]


def place(arrived: Arrived) -> Place:
    """The mail's place; opens its case where it has none."""
    for rule in RULES:
        if found := rule(arrived):
            return found
    return old_or_new(arrived)


def _nobody(arrived: Arrived) -> Place | None:
    return None if arrived.mail.sender else Place("set_aside", "no sender's address")


def _our_letter(arrived: Arrived) -> Place | None:
    """A copy of our letter, be it in a forwarder's name: the server took it."""
    if arrived.known.letter_id is None:
        return None
    letter = arrived.session.get_one(Letter, arrived.known.letter_id)
    wired, mail = arrived.wired, arrived.mail
    sent, ours = wired.store.kept(letter.sha256), wired.settings.is_ours(mail.sender)
    if not (is_copy(arrived.received.raw, sent) if ours else mail.text.split() == parse(sent).text.split()):
        return None
    # not where a report has come in this moment, which says more
    on_its_way = (col(Outbox.letter_id) == letter.id, col(Outbox.state).in_(["queued", "sending"]))
    arrived.session.execute(update(Outbox).where(*on_its_way).values(state="sent", sent_at=arrived.now))
    return Place("automatic", "copy of our own letter", letter.case_id, copy=ours)


def _ourselves(arrived: Arrived) -> Place | None:
    """No letter of ours, and no program's: a colleague's, or of a form on our own site that no setting names."""
    mail = arrived.mail
    if mail.automatic or not arrived.wired.settings.is_ours(mail.sender):
        return None
    asks = [address for address in mail.reply_to if not arrived.wired.settings.is_ours(address)]
    advice = UNNAMED_FORM.format(mail.sender) if len(asks) == 1 else f"a colleague's, perhaps; {_BY_HAND}"
    return Place("set_aside", f"from an address of ours, and no letter of ours: {advice}")


def _form(arrived: Arrived) -> Place | None:
    """Perhaps a form's that a customer has filled in, which no setting names; nobody reads answers at its address."""
    mail, settings = arrived.mail, arrived.wired.settings
    # a form service may say that a program sent the mail; a customer has filled it in all the same
    if mail.passed_on or mail.automatic not in {None, Automatic.AUTO_REPLY}:
        return None
    if mail.sender in settings.ours.forms:
        return Place("set_aside", f"by a form of LAYANAN_FORMS, but Reply-To names no one customer; {_BY_HAND}")
    if not mail.sender or mail.of_server or mail.sender in settings.segment_desk_addresses or is_answer(mail):
        return None
    if not is_like_a_form(mail, settings, by_text=mail.automatic is not None):
        return None
    if arrived.known.cases and not _UNREAD.match(mail.sender):
        return None
    return Place("set_aside", f"asks for answers at another address: {UNNAMED_FORM.format(mail.sender)}")


def is_like_a_form(mail: ParsedMail, settings: Settings, *, by_text: bool) -> bool:
    """Whether it asks for answers at one other address, and more than that shows a form.

    The text shows that address as a field, or its own takes no answers, is a web server's, or is of our domain while
    the other is not. Who only has another address for answers is no form, and is answered at their own.

    Args:
        by_text: only the text counts.
    """
    others = [address for address in mail.reply_to if address != mail.sender]
    if len(others) != 1:
        return False
    field = re.compile(
        rf"(?:[:=][ \t]*<?|^[ \t]*(?:e-?mail[ \t]+)?){re.escape(others[0])}\b", re.IGNORECASE | re.MULTILINE
    )
    if field.search(mail.new_text[:_FIELDS]):
        return True
    domain, asked = (address.rpartition("@")[2] for address in (mail.sender, others[0]))
    of_our_site = domain in {own.rpartition("@")[2] for own in settings.own_addresses} and asked != domain
    return not by_text and bool(_UNREAD.match(mail.sender) or _MACHINE.match(mail.sender) or of_our_site)


def _automatic(arrived: Arrived) -> Place | None:
    mail = arrived.mail
    if mail.automatic is None:
        return None
    reason = f"{mail.automatic}: {mail.automatic_reason}"
    reports = mail.bounce or mail.automatic in _REPORTS
    if reports and (letter := _reported(arrived)):
        return _report_of(arrived, letter, reason)
    if mail.of_server and mail.automatic in _REPORTS:
        return Place("set_aside", f"{reason}, of no letter that we know; perhaps a person's")
    # that the customer is away, or what a gateway has marked, is for the agent to see
    case = _match(arrived, open_cases=False).case
    # what a list sends on may be a customer's mail, as may be what a server on the way marks as spam
    if mail.automatic is Automatic.LIST:
        advice = _GROUP.format(mail.list_name) if mail.list_name else ""
        return Place("set_aside", f"{reason}; perhaps a person's: {advice}{_ACCEPT}", case.id if case else None)
    if mail.doubtful or (mail.automatic is Automatic.SPAM and case is None and arrived.known.cases):
        return Place("set_aside", f"{reason}; perhaps a person's", case.id if case else None)
    return Place("automatic", reason, case.id if case else None)


def _server(arrived: Arrived) -> Place | None:
    """Words from a mail server's own address, in any language: a report, unless its sender is known as a person."""
    if not arrived.mail.of_server or arrived.known.cases:
        return None
    if letter := _reported(arrived):
        return _report_of(arrived, letter, "a mail server's words about our letter")
    return Place("set_aside", "a mail server's words, of no letter that we know; perhaps a person's")


def _report_of(arrived: Arrived, letter: Letter, reason: str) -> Place:
    # what was said of one sending says nothing of the next
    if before := _had_before(arrived):
        return Place("duplicate", f"same as mail {before}", letter.case_id)
    if arrived.doubtful:
        return Place("set_aside", f"{reason}; its sender is in doubt", letter.case_id)
    return Place("automatic", reason, letter.case_id, then=partial(_bounced, arrived, letter.id or 0))


def _had_before(arrived: Arrived) -> int | None:
    """The same report, taken in by another mailbox, or before the mailbox gave its mails new UIDs."""
    mail = arrived.mail
    sent_twice = and_(col(Message.message_id) == mail.message_id, col(Message.content) == mail.content)
    same = or_(col(Message.sha256) == mail.sha256, sent_twice)
    return arrived.session.exec(select(Message.id).where(same, Message.outcome == "automatic").limit(1)).first()


def _reported(arrived: Arrived) -> Letter | None:
    """The letter that a bounce or a complaint reports: by its Message-ID, else the latest to an address that it names.

    What it answers, or a signed reference, ties that one to it; a robot's answer names the robot's own address alone.
    What a mail server says in plain words may name nobody whom we can read; its own letters it does not report.
    """
    session, mail = arrived.session, arrived.mail
    if letter := session.exec(select(Letter).where(Letter.message_id == mail.reported_message_id)).first():
        return letter
    addresses = [one.address for one in mail.bounce]
    any_others = mail.of_server and not addresses
    named = col(Letter.recipient) != mail.sender if any_others else col(Letter.recipient).in_(addresses)
    said = references(f"{mail.subject}\n{mail.text[:_RETURNED]}")
    mentioned = _MESSAGE_ID.findall(mail.text[:_FIELDS])[:_IDS] if mail.of_server else []
    answered = col(Letter.message_id).in_([*mail.in_reply_to, *mail.references, *mentioned])
    # the cases first: over both tables at once no index helps, and all letters would be looked at
    signed = [and_(col(Case.id) == number, col(Case.token) == token) for number, token in said if token]
    cases = session.exec(select(Case.id).where(or_(*signed))).all() if signed else []
    tied = select(Letter).where(named, or_(answered, col(Letter.case_id).in_(cases)))
    return session.exec(tied.order_by(col(Letter.id).desc()).limit(1)).first()


def _bounced(arrived: Arrived, letter_id: int, report: Message) -> None:
    """Keep what a delivery report says; a recipient whom the letter has not reached wakes its case, named or not."""
    session = arrived.session
    said = arrived.mail.bounce
    session.add_all(Bounce(letter_id=letter_id, mail_id=report.id or 0, **one.model_dump()) for one in said)
    # a full mailbox of ours, which refuses our own copy, says nothing of the customer's
    failed = [one for one in said if one.action == "failed" and not arrived.wired.settings.is_ours(one.address)]
    letter = session.get_one(Letter, letter_id)
    lost = [
        one for one in failed if one.address == letter.recipient or not is_copied(session, letter.case_id, one.address)
    ]
    if lost or (not said and arrived.mail.automatic in {Automatic.BOUNCE, None}):
        codes = dict.fromkeys(one.status for one in lost if one.status)
        words = arrived.mail.automatic_reason or "in a mail server's words"
        undelivered(session, letter_id, "bounced", " ".join([*codes, words]), arrived.now)


def _unread(arrived: Arrived) -> Place | None:
    """A program's, but perhaps a form that a customer has filled in."""
    return Place("set_aside", "its sender's address takes no answers") if _UNREAD.match(arrived.mail.sender) else None


def _desk(arrived: Arrived) -> Place | None:
    """From a segment desk (SOP W-89), or in answer to what we forwarded, whoever at the desk wrote it."""
    mail, case_id = arrived.mail, None
    if arrived.doubtful:
        return None
    if mail.in_reply_to:
        of_desk = (col(Letter.message_id).in_(mail.in_reply_to), Letter.kind == LetterKind.TO_DESK)
        answered = select(Case.id).join(Letter).where(*of_desk, Case.address != mail.sender)
        case_id = arrived.session.exec(answered).first()
    if case_id is None and mail.sender not in arrived.wired.settings.segment_desk_addresses:
        return None
    return Place("automatic", "from another segment's desk", case_id)


def _twin(arrived: Arrived) -> Place | None:
    """The same mail again: a copy is kept with its case; who sends it once more asks again, and the case is woken."""
    session, mail = arrived.session, arrived.mail
    twin = session.get(Message, arrived.known.twin_id) if arrived.known.twin_id else None
    if twin is None or twin.case_id is None:
        return None
    same, elsewhere = f"same as mail {twin.id}", twin.mailbox != arrived.received.mailbox
    copy = twin.message_id == mail.message_id or (elsewhere and arrived.came_at - twin.came_at < COPIED)
    if copy or mail.forged:
        return Place("duplicate", same, twin.case_id)
    # the lock orders this with the case's end
    case = going_on(session, twin.case_id)
    if case.status != "open":
        return None
    again = partial(_sent_again, arrived, case.key, twin.id or 0)
    return Place("duplicate", f"sent again: {same}", case.id, then=again)


def _sent_again(arrived: Arrived, case_id: int, twin_id: int, message: Message) -> None:
    """Answer what the case waits for from the customer; anybody else reads of it on their form."""
    wait = arrived.session.get(Wait, case_id)
    if wait is not None and "mail" in FORMS[wait.form].takes:
        arrived.session.add(signals.of_mail(case_id, message.id or 0, arrived.now, tells_of=twin_id))


def _flood(arrived: Arrived) -> Place | None:
    most = arrived.wired.settings.limits.mails_an_hour
    if arrived.known.mails < most:
        return None
    return Place("set_aside", f"flood: more than {most} mails of this sender within an hour")


def _robot(arrived: Arrived) -> Place | None:
    """Who writes several new mails at once answers nothing; a robot that leaves no trace stops at a day's letters.

    A forged mail gets no letter, so it is part of no loop: an agent looks at it.
    """
    if arrived.doubtful or not is_answer(arrived.mail):
        return None
    if not answers_like_a_robot(arrived.session, arrived.wired.settings.limits, arrived.mail.sender, arrived.came_at):
        return None
    case = _match(arrived).case
    return Place("set_aside", "loop: answers our letters within seconds, again and again", case.id if case else None)


RULES: tuple[Rule, ...] = (
    *(_our_letter, _ourselves, _form, _automatic, _server, _nobody, _desk, _unread, _twin, _flood, _robot),
)
"""Tried in this order, before the mail is taken for a customer's."""


def _match(arrived: Arrived, *, open_cases: bool = True) -> Match:
    return find_case(
        arrived.session,
        arrived.wired,
        arrived.mail,
        arrived.came_at,
        arrived.customer_id,
        open_cases=open_cases and arrived.known.cases,
        forwarded=arrived.forwarded,
    )


def old_or_new(arrived: Arrived) -> Place:
    """SOP 5.3: it joins an open case, or opens one."""
    session, mail = arrived.session, arrived.mail
    match = _match(arrived)
    case, why = match.case, match.why
    if case is not None:
        # the lock orders this with the case's end: it either sees the mail, or is closed already
        case = going_on(session, case.key)
        if case.status == "open":
            return Place("joined", why, case.id, then=partial(_wake, arrived, case.key))
    new = row(
        Case,
        NewCase(
            site=arrived.received.site,
            mailbox=arrived.received.mailbox,
            address=mail.sender,
            name=mail.sender_name,
            subject=mail.subject,
            language=mail.language,
            opened_at=arrived.came_at,
            sop_revision=REVISION,
            previous_id=case.id if case else None,
        ),
    )
    new.perhaps_id = match.perhaps.id if match.perhaps else None
    new.sender_doubt, new.segment = sender_doubt(mail.warnings), arrived.segment
    session.add(new)
    return Place("opened", f"follows closed case {case.reference}" if case else why or "new", opened=new)


def note_copied(session: Session, arrived: Arrived, placed: Place) -> None:
    """Keep who stood beside us in a mail that has opened or joined a case."""
    case = placed.opened or (session.get(Case, placed.known) if placed.outcome == "joined" else None)
    if case is not None:
        add_copied(session, arrived.wired, arrived.mail, case, arrived.now)


def _wake(arrived: Arrived, case_id: int, message: Message) -> None:
    arrived.session.add(signals.of_mail(case_id, message.id or 0, arrived.now))
