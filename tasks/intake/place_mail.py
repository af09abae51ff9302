"""Decides what becomes of a mail: the first rule that applies decides, else the mail joins or opens a case.

Rules write nothing; ``store_mail.py`` applies their result. They run in the transaction that stores the mail, so that
two intakes see each other's mails.

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
    """A mail that is being placed, with the store."""

    session: Session
    systems: Systems
    parsed: Parsed
    now: datetime

    @property
    def mail(self) -> ParsedMail:
        """The parsed mail."""
        return self.parsed.mail

    @property
    def came_at(self) -> datetime:
        """Its time of arrival, or of intake if that is unknown."""
        return self.parsed.arrived_at or self.now

    @property
    def forwarded(self) -> bool:
        """Whether a forwarder before the mailbox is the likely cause of all doubts about the sender."""
        mailbox = self.parsed.received.mailbox
        return self.systems.settings.comes_forwarded(mailbox) and BY_FORWARDER.issuperset(self.mail.doubts)

    @property
    def doubtful(self) -> bool:
        """Whether anybody may have written it: it then proves nothing about a case, and an agent looks at it."""
        return self.mail.forged and not self.forwarded

    @cached_property
    def known(self) -> Known:
        """What the store knows about it."""
        settings, mailbox = self.systems.settings, self.parsed.received.mailbox
        return known_of(self.session, settings, self.mail, mailbox, self.now, self.came_at)


@dataclass(frozen=True)
class LetterCame:
    """An effect: the mail proves that our letter was sent."""

    letter_id: int


@dataclass(frozen=True)
class Reported:
    """An effect: the mail reports what became of a letter."""

    letter_id: int


@dataclass(frozen=True)
class Told:
    """An effect: its case gets a signal of the mail, or of the one that it repeats."""

    tells_of: int = 0


@dataclass(frozen=True)
class Placed:
    """A mail's outcome and its reasons, the case that it belongs to or opens, and its effect."""

    outcome: MailOutcome
    reasons: tuple[Reason, ...]
    case_id: int | None = None
    """The existing case."""
    opens: NewCase | None = None
    effect: LetterCame | Reported | Told | None = None
    copy: bool = False
    """Whether it is our own copy of a letter, which belongs in the sent folder."""


def _quarantined(*why: Why | Reason, case: int | None = None) -> Placed:
    reasons = tuple(one if isinstance(one, Reason) else Reason(one) for one in why)
    return Placed("quarantined", reasons, case)


_MACHINE = re.compile(r"(?:wordpress|www(?:-data)?|apache|nginx|web(?:site|form)?|(?:contact)?forms?|formulir|situs)@")
"""Names of web servers and their forms."""
_TAKES_NO_ANSWERS = re.compile(
    r"(?:[^@]*[-._])?(?:no|do[-._]?not|ne[-._]?pas|jangan)[-._]?(?:reply|repondre|balas)(?:[-._+\d][^@]*)?@"
)

_FIELDS = 20_000
"""Characters that are searched for a form's fields."""
_REPORTS = {Automatic.BOUNCE, Automatic.DELAYED, Automatic.FEEDBACK}
_MESSAGE_ID = re.compile(r"<[^<>\s@]{1,400}@[^<>\s@]{1,255}>")
_IDS = 50
"""Message-IDs in a report's text that are compared with our letters."""
_RETURNED = 2_000
"""Characters of a bounce that are searched for a reference."""

Rule = Callable[[Look], Placed | None]


def place(look: Look) -> Placed:
    """Place the mail by the first rule that applies, else as old or new."""
    for rule in RULES:
        if found := rule(look):
            return found
    return old_or_new(look)


def _nobody(look: Look) -> Placed | None:
    return None if look.mail.sender else _quarantined(Why.NO_SENDER)


def _our_letter(look: Look) -> Placed | None:
    """A copy of our letter, even in a forwarder's name, proves that the relay accepted it."""
    if look.parsed.copy_of is None:
        return None
    letter = look.session.get_one(Letter, look.parsed.copy_of)
    ours = look.systems.settings.is_ours(look.mail.sender)
    effect = LetterCame(look.parsed.copy_of)
    return Placed("automatic", (Reason(Why.OUR_LETTER),), letter.case_id, effect=effect, copy=ours)


def _ourselves(look: Look) -> Placed | None:
    """From our own address, but neither our letter nor automatic: a colleague's, or by an unnamed form on our site."""
    mail = look.mail
    if mail.automatic or not look.systems.settings.is_ours(mail.sender):
        return None
    asks = [address for address in mail.reply_to if not look.systems.settings.is_ours(address)]
    return _quarantined(Reason(Why.UNNAMED_FORM, mail.sender) if len(asks) == 1 else Why.OUR_ADDRESS)


def _form(look: Look) -> Placed | None:
    """Perhaps by a contact form that no setting names; nobody reads replies at its address."""
    mail, settings = look.mail, look.systems.settings
    # a form service may mark the mail as automatic, although a customer filled the form in
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
    """Whether a contact form that no setting names sent it, at whose address nobody reads replies.

    Args:
        has_cases: whether its sender's address has had cases.
    """
    if mail.passed_on or is_answer(mail) or not _is_like_a_form(mail, settings, by_text=mail.automatic is not None):
        return False
    return not has_cases or bool(_TAKES_NO_ANSWERS.match(mail.sender))


def _is_like_a_form(mail: ParsedMail, settings: Settings, *, by_text: bool) -> bool:
    """Whether its Reply-To is one other address, and something else shows that a form sent it.

    That is a field with this address in the text, or a sender that takes no replies, is a web server's, or is in our
    domain while the other address is not. A person with another Reply-To is no form.

    Args:
        by_text: only a field in the text counts.
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
    # the agent of the case should see that the customer is away, or what a gateway has marked
    case = _match(look, open_cases=False).case
    case_id = case.id if case else None
    # list mail and mail that is marked as spam may still be a customer's
    if mail.automatic is Automatic.LIST and mail.list_name:
        return _quarantined(reason, Reason(Why.LIST, mail.list_name), case=case_id)
    spam = mail.automatic is Automatic.SPAM and case is None and look.known.cases
    if mail.automatic is Automatic.LIST or mail.doubtful or spam:
        return _quarantined(reason, Why.PERHAPS_A_PERSON, case=case_id)
    return Placed("automatic", (reason,), case_id)


def _server(look: Look) -> Placed | None:
    """Prose from a mail server's own address, in any language: a report, unless the sender is a known customer."""
    if not look.mail.of_server or look.known.cases:
        return None
    if letter := _reported(look):
        return _report_of(look, letter, Reason(Why.SERVERS_REPORT))
    return _quarantined(Why.NO_LETTER_OF_OURS)


def _report_of(look: Look, letter: Letter, reason: Reason) -> Placed:
    # a report about one sending says nothing about the next
    if before := _had_before(look):
        return Placed("duplicate", (Reason(Why.SAME, str(before)),), letter.case_id)
    if look.doubtful:
        return _quarantined(reason, Why.REPORT_IN_DOUBT, case=letter.case_id)
    return Placed("automatic", (reason,), letter.case_id, effect=Reported(letter.id or 0))


def _had_before(look: Look) -> int | None:
    """The same report, taken in from another mailbox, or before the mailbox got new UIDs."""
    mail = look.mail
    sent_twice = and_(col(Message.message_id) == mail.message_id, col(Message.content) == mail.content)
    same = or_(col(Message.sha256) == mail.sha256, sent_twice)
    return look.session.exec(select(Message.id).where(same, Message.outcome == "automatic").limit(1)).first()


def _reported(look: Look) -> Letter | None:
    """The letter that a bounce or complaint reports: by its Message-ID, else the latest to an address that it names.

    The latter must also be tied to it by In-Reply-To, References or a signed reference, because a robot's reply names
    its own address. A mail server's prose may name no address that we can read; it never reports a letter to itself.
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
    # two queries: a query over both tables would use no index and read all letters
    signed = [and_(col(Case.id) == number, col(Case.token) == token) for number, token in said if token]
    cases = session.exec(select(Case.id).where(or_(*signed))).all() if signed else []
    tied = select(Letter).where(named, or_(answered, col(Letter.case_id).in_(cases)))
    return session.exec(tied.order_by(col(Letter.id).desc()).limit(1)).first()


def _takes_no_answers(look: Look) -> Placed | None:
    """From an address that takes no replies: a program's, or a form that a customer filled in."""
    return _quarantined(Why.TAKES_NO_ANSWERS) if _TAKES_NO_ANSWERS.match(look.mail.sender) else None


def _desk(look: Look) -> Placed | None:
    """From a segment desk (SOP W-89), or a reply by anybody to what we forwarded to it."""
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
    """The same mail again. A copy is kept with its case; if the customer sent it again, the case gets a signal."""
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
    # it answers a wait for the customer; in any other wait the form shows it
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
    """A robot that answers our letters within seconds. Several new mails at once are no answers, and so no loop.

    A forged mail gets no letter, so it cannot be part of a loop; an agent looks at it.
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
"""Tried in this order; if none applies, the mail is a customer's."""


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
    """SOP 5.3: the mail joins an open case or opens one."""
    mail, received = look.mail, look.parsed.received
    match = _match(look)
    case, reasons = match.case, match.reasons
    if case is not None:
        # the lock orders this with the case's end: the case either sees the mail or is closed already
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
