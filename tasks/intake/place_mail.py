"""What becomes of a mail: the first rule that has something to say decides, the last one opens a case.

Rules look and say; they write nothing (``store_mail.py`` does). They run in the transaction that stores the mail, so
that two intakes see each other's mails.

Held by `tests/tasks/intake/test_arrival.py` and `tests/tasks/intake/test_known_mail.py`.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from sqlalchemy import and_, or_
from sqlmodel import Session, col, select

from adapters.wiring import Systems
from models.forms import FORMS
from models.letter import LetterKind
from models.mail import BY_FORWARDER, Automatic, ParsedMail
from models.reasons import Reason, Why
from models.settings import Settings
from models.sop import REVISION
from models.states import MailOutcome, SignalKind
from models.tables import Case, Letter, Message, NewCase, Wait
from tasks.find_case import Match, find_case, is_answer, references
from tasks.intake.known_mail import COPIED, Known, known_of
from tasks.intake.limits import answers_like_a_robot
from tasks.intake.read_mail import Parsed
from tasks.run.family import going_on


@dataclass(frozen=True)
class Look:
    """A mail in the moment in which it is placed, and the store to look into."""

    session: Session
    systems: Systems
    parsed: Parsed
    now: datetime

    @property
    def mail(self) -> ParsedMail:
        """What was read."""
        return self.parsed.mail

    @property
    def came_at(self) -> datetime:
        """When it was with us, as far as is known."""
        return self.parsed.arrived_at or self.now

    @property
    def forwarded(self) -> bool:
        """Whether a forwarder before the mailbox is the likely cause of any doubt about the sender."""
        mailbox = self.parsed.received.mailbox
        return self.systems.settings.comes_forwarded(mailbox) and BY_FORWARDER.issuperset(self.mail.doubts)

    @property
    def doubtful(self) -> bool:
        """Whether anybody may have written it: it says nothing of any case, and an agent looks."""
        return self.mail.forged and not self.forwarded

    @cached_property
    def known(self) -> Known:
        """What the store knows of it."""
        settings, mailbox = self.systems.settings, self.parsed.received.mailbox
        return known_of(self.session, settings, self.mail, mailbox, self.now, self.came_at)


@dataclass(frozen=True)
class LetterCame:
    """An effect: the mail proves that our letter has left."""

    letter_id: int


@dataclass(frozen=True)
class Reported:
    """An effect: the mail reports what became of a letter."""

    letter_id: int


@dataclass(frozen=True)
class Told:
    """An effect: the mail's case is to hear of it, or of the one that it repeats."""

    tells_of: int = 0


@dataclass(frozen=True)
class Placed:
    """A mail's one outcome, why, the case that it belongs to or opens, and what else follows from it."""

    outcome: MailOutcome
    reasons: tuple[Reason, ...]
    case_id: int | None = None
    """The case that was there already."""
    opens: NewCase | None = None
    effect: LetterCame | Reported | Told | None = None
    copy: bool = False
    """It is our own copy of a letter, and belongs where those are."""


def _quarantined(*why: Why | Reason, case: int | None = None) -> Placed:
    reasons = tuple(one if isinstance(one, Reason) else Reason(one) for one in why)
    return Placed("quarantined", reasons, case)


_MACHINE = re.compile(r"(?:wordpress|www(?:-data)?|apache|nginx|web(?:site|form)?|(?:contact)?forms?|formulir|situs)@")
"""Names of web servers and their forms."""
_TAKES_NO_ANSWERS = re.compile(
    r"(?:[^@]*[-._])?(?:no|do[-._]?not|ne[-._]?pas|jangan)[-._]?(?:reply|repondre|balas)(?:[-._+\d][^@]*)?@"
)

_FIELDS = 20_000
"""Characters in which a form's fields are looked for."""
_REPORTS = {Automatic.BOUNCE, Automatic.DELAYED, Automatic.FEEDBACK}
_MESSAGE_ID = re.compile(r"<[^<>\s@]{1,400}@[^<>\s@]{1,255}>")
_IDS = 50
"""Message-IDs in a report's words that are looked for among our letters."""
_RETURNED = 2_000
"""Characters of a bounce in which a reference of ours is looked for."""

Rule = Callable[[Look], Placed | None]


def place(look: Look) -> Placed:
    """The mail's place; a case of its own where it has none."""
    for rule in RULES:
        if found := rule(look):
            return found
    return old_or_new(look)


def _nobody(look: Look) -> Placed | None:
    return None if look.mail.sender else _quarantined(Why.NO_SENDER)


def _our_letter(look: Look) -> Placed | None:
    """A copy of our letter, be it in a forwarder's name: the server took it."""
    if look.parsed.copy_of is None:
        return None
    letter = look.session.get_one(Letter, look.parsed.copy_of)
    ours = look.systems.settings.is_ours(look.mail.sender)
    effect = LetterCame(look.parsed.copy_of)
    return Placed("automatic", (Reason(Why.OUR_LETTER),), letter.case_id, effect=effect, copy=ours)


def _ourselves(look: Look) -> Placed | None:
    """No letter of ours, and no program's: a colleague's, or of a form on our own site that no setting names."""
    mail = look.mail
    if mail.automatic or not look.systems.settings.is_ours(mail.sender):
        return None
    asks = [address for address in mail.reply_to if not look.systems.settings.is_ours(address)]
    return _quarantined(Reason(Why.UNNAMED_FORM, mail.sender) if len(asks) == 1 else Why.OUR_ADDRESS)


def _form(look: Look) -> Placed | None:
    """Perhaps a form's that a customer has filled in, which no setting names; nobody reads answers at its address."""
    mail, settings = look.mail, look.systems.settings
    # a form service may say that a program sent the mail; a customer has filled it in all the same
    if mail.passed_on or mail.automatic not in {None, Automatic.AUTO_REPLY}:
        return None
    if mail.sender in settings.ours.forms:
        return _quarantined(Why.FORM_WITHOUT_CUSTOMER)
    if not mail.sender or mail.of_server or mail.sender in settings.segment_desk_addresses:
        return None
    if not is_by_unnamed_form(mail, settings, has_cases=bool(look.known.cases)):
        return None
    return _quarantined(Reason(Why.UNNAMED_FORM, mail.sender))


def is_by_unnamed_form(mail: ParsedMail, settings: Settings, *, has_cases: bool) -> bool:
    """Whether a form sent it that no setting names, and no customer of ours: nobody reads answers at its address.

    Args:
        has_cases: cases were opened for its sender's address.
    """
    if mail.passed_on or is_answer(mail) or not _is_like_a_form(mail, settings, by_text=mail.automatic is not None):
        return False
    return not has_cases or bool(_TAKES_NO_ANSWERS.match(mail.sender))


def _is_like_a_form(mail: ParsedMail, settings: Settings, *, by_text: bool) -> bool:
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
    return not by_text and bool(_TAKES_NO_ANSWERS.match(mail.sender) or _MACHINE.match(mail.sender) or of_our_site)


def _automatic(look: Look) -> Placed | None:
    mail = look.mail
    if mail.automatic is None:
        return None
    reason = Reason(Why.PROGRAM, f"{mail.automatic}: {mail.automatic_reason}")
    reports = mail.bounce or mail.automatic in _REPORTS
    if reports and (letter := _reported(look)):
        return _report_of(look, letter, reason)
    if mail.of_server and mail.automatic in _REPORTS:
        return _quarantined(reason, Why.NO_LETTER_OF_OURS)
    # that the customer is away, or what a gateway has marked, is for the agent to see
    case = _match(look, open_cases=False).case
    case_id = case.id if case else None
    # what a list sends on may be a customer's mail, as may be what a server on the way marks as spam
    if mail.automatic is Automatic.LIST and mail.list_name:
        return _quarantined(reason, Reason(Why.LIST, mail.list_name), case=case_id)
    spam = mail.automatic is Automatic.SPAM and case is None and look.known.cases
    if mail.automatic is Automatic.LIST or mail.doubtful or spam:
        return _quarantined(reason, Why.PERHAPS_A_PERSON, case=case_id)
    return Placed("automatic", (reason,), case_id)


def _server(look: Look) -> Placed | None:
    """Words from a mail server's own address, in any language: a report, unless its sender is known as a person."""
    if not look.mail.of_server or look.known.cases:
        return None
    if letter := _reported(look):
        return _report_of(look, letter, Reason(Why.SERVERS_REPORT))
    return _quarantined(Why.NO_LETTER_OF_OURS)


def _report_of(look: Look, letter: Letter, reason: Reason) -> Placed:
    # what was said of one sending says nothing of the next
    if before := _had_before(look):
        return Placed("duplicate", (Reason(Why.SAME, str(before)),), letter.case_id)
    if look.doubtful:
        return _quarantined(reason, Why.REPORT_IN_DOUBT, case=letter.case_id)
    return Placed("automatic", (reason,), letter.case_id, effect=Reported(letter.id or 0))


def _had_before(look: Look) -> int | None:
    """The same report, taken in by another mailbox, or before the mailbox gave its mails new UIDs."""
    mail = look.mail
    sent_twice = and_(col(Message.message_id) == mail.message_id, col(Message.content) == mail.content)
    same = or_(col(Message.sha256) == mail.sha256, sent_twice)
    return look.session.exec(select(Message.id).where(same, Message.outcome == "automatic").limit(1)).first()


def _reported(look: Look) -> Letter | None:
    """The letter that a bounce or a complaint reports: by its Message-ID, else the latest to an address that it names.

    What it answers, or a signed reference, ties that one to it; a robot's answer names the robot's own address alone.
    What a mail server says in plain words may name nobody whom we can read; its own letters it does not report.
    """
    session, mail = look.session, look.mail
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


def _takes_no_answers(look: Look) -> Placed | None:
    """A program's, but perhaps a form that a customer has filled in."""
    return _quarantined(Why.TAKES_NO_ANSWERS) if _TAKES_NO_ANSWERS.match(look.mail.sender) else None


def _desk(look: Look) -> Placed | None:
    """From a segment desk (SOP W-89), or in answer to what we forwarded, whoever at the desk wrote it."""
    mail, case_id = look.mail, None
    if look.doubtful:
        return None
    if mail.in_reply_to:
        of_desk = (col(Letter.message_id).in_(mail.in_reply_to), Letter.kind == LetterKind.TO_DESK)
        answered = select(Case.id).join(Letter).where(*of_desk, Case.address != mail.sender)
        case_id = look.session.exec(answered).first()
    if case_id is None and mail.sender not in look.systems.settings.segment_desk_addresses:
        return None
    return Placed("automatic", (Reason(Why.DESK),), case_id)


def _twin(look: Look) -> Placed | None:
    """The same mail again: a copy is kept with its case; who sends it once more asks again, and the case is woken."""
    session, mail = look.session, look.mail
    twin = session.get(Message, look.known.twin_id) if look.known.twin_id else None
    if twin is None or twin.case_id is None:
        return None
    number, elsewhere = str(twin.id), twin.mailbox != look.parsed.received.mailbox
    copy = twin.message_id == mail.message_id or (elsewhere and look.came_at - twin.came_at < COPIED)
    if copy or mail.forged:
        return Placed("duplicate", (Reason(Why.SAME, number),), twin.case_id)
    # the lock orders this with the case's end
    case = going_on(session, twin.case_id)
    if case.status != "open":
        return None
    # it answers what the case waits for from the customer; anybody else reads of it on their form
    wait = session.get(Wait, case.key)
    waits_for_it = wait is not None and SignalKind.MAIL in FORMS[wait.form].takes
    effect = Told(twin.id or 0) if waits_for_it else None
    return Placed("duplicate", (Reason(Why.SENT_AGAIN, number),), case.id, effect=effect)


def _flood(look: Look) -> Placed | None:
    most = look.systems.settings.limits.mails_an_hour
    if look.known.mails < most:
        return None
    return _quarantined(Reason(Why.FLOOD, str(most)))


def _robot(look: Look) -> Placed | None:
    """Who writes several new mails at once answers nothing; a robot that leaves no trace stops at a day's letters.

    A forged mail gets no letter, so it is part of no loop: an agent looks at it.
    """
    if look.doubtful or not is_answer(look.mail):
        return None
    if not answers_like_a_robot(look.session, look.systems.settings.limits, look.mail.sender, look.came_at):
        return None
    case = _match(look).case
    return _quarantined(Why.LOOP, case=case.id if case else None)


RULES: tuple[Rule, ...] = (
    *(_our_letter, _ourselves, _form, _automatic, _server, _nobody, _desk, _takes_no_answers, _twin, _flood, _robot),
)
"""Tried in this order, before the mail is taken for a customer's."""


def _match(look: Look, *, open_cases: bool = True) -> Match:
    return find_case(
        look.session,
        look.systems,
        look.mail,
        look.came_at,
        look.parsed.customer_id,
        open_cases=open_cases and look.known.cases,
        forwarded=look.forwarded,
    )


def old_or_new(look: Look) -> Placed:
    """SOP 5.3: it joins an open case, or opens one."""
    mail, received = look.mail, look.parsed.received
    match = _match(look)
    case, reasons = match.case, match.reasons
    if case is not None:
        # the lock orders this with the case's end: it either sees the mail, or is closed already
        case = going_on(look.session, case.key)
        if case.status == "open":
            return Placed("joined", reasons, case.id, effect=Told())
        reasons = (Reason(Why.FOLLOWS_CLOSED, case.reference),)
    opens = NewCase(
        site=received.site,
        mailbox=received.mailbox,
        address=mail.sender,
        name=mail.sender_name,
        subject=mail.subject,
        language=mail.language,
        opened_at=look.came_at,
        sop_revision=REVISION,
        previous_id=case.id if case else None,
        perhaps_id=match.perhaps.id if match.perhaps else None,
        sender_doubt=" ".join(mail.doubts),
        segment=look.parsed.segment,
    )
    return Placed("opened", reasons or (Reason(Why.NEW),), opens=opens)
