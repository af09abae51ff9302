"""Old or new (SOP 5.3): does a mail belong to a case that we know?

In order of trust: the mail answers one of our letters; it names a case's signed reference (in the Subject, or in the
address that it was sent to); it names a case's reference, or follows a mail of the case; the same sender has recently
written about the same line or matter. The sender must be the case's customer (an address on record) or a party of the
case, or of one that was merged with it: anybody else who quotes a reference opens a case of their own and learns
nothing.
A mail with a doubtful sender joins no case, and no mail joins a case that such a mail opened: an agent compares.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache

from sqlalchemy import bindparam, func, or_, union_all
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from adapters.analyser.names import names
from adapters.analyser.rules import MAX_TEXT
from adapters.mail.text import bare_subject
from adapters.wiring import Systems
from models.analysis import Analysis, Kind
from models.errors import LayananError
from models.mail import ParsedMail
from models.reasons import Reason, Why
from models.settings import Settings
from models.sop import SITES
from models.tables import Case, Letter, Message, Party
from tasks.run.family import family

REFERENCE = re.compile(rf"\b(?:{'|'.join(SITES)})-(\d{{7,9}})(?!\d)(?:-([a-z]{{8}})\b)?", re.IGNORECASE)
MOST_CASES = 20
"""Number of a sender's newest open cases with which a new mail is compared."""
DOUBTFUL = 0.4
"""Score from which a person is asked whether two mails are about one matter."""


_THEIRS, _MERGED = aliased(Case), aliased(Case)
# uses the indexes of the addresses, however many cases are open
_CASES_OF = union_all(
    select(_THEIRS.id).where(col(_THEIRS.address) == bindparam("sender")),
    # people who were in Cc also write about matters of their own
    select(Party.case_id).where(col(Party.address) == bindparam("sender"), col(Party.copied).is_(False)),
    # the sender's own case was merged into this one
    select(_MERGED.merged_into).where(
        col(_MERGED.address) == bindparam("sender"), col(_MERGED.merged_into).is_not(None)
    ),
)
_OPEN_CASES = (
    select(Case)
    .where(
        col(Case.id).in_(_CASES_OF),
        col(Case.status) == "open",
        col(Case.opened_at) >= bindparam("since"),
        col(Case.sender_doubt) == "",
    )
    .order_by(col(Case.id).desc())
    .limit(MOST_CASES)
)


def same_matter_since(settings: Settings, came_at: datetime) -> datetime:
    """The earliest opening of a case for a mail of this time to be about the same matter."""
    return came_at - timedelta(days=settings.policy.same_matter_days)


def references(text: str) -> set[tuple[int, str]]:
    """Our references in a text: number and token, which is empty if the reference is not signed."""
    return {(int(number), token.lower()) for number, token in REFERENCE.findall(text)}


def answers(subject: str, thread: Sequence[str]) -> bool:
    """Whether a mail claims to be an answer: by Message-IDs, or by one of our references."""
    return bool(thread) or REFERENCE.search(subject) is not None


def is_answer(mail: ParsedMail) -> bool:
    """Whether this mail claims to be an answer."""
    thread = (*mail.in_reply_to, *mail.references)
    return answers(mail.subject, thread) or bool(_signed_addresses(mail)) or mail.continues


def _signed_addresses(mail: ParsedMail) -> set[tuple[int, str]]:
    """Numbers and tokens of ``layanan+JKT-0000001-bcdfghjk@…``.

    The rest of the address does not matter: the token proves the reference, and our aliases may have any name.
    """
    plus = (each.rpartition("@")[0].rpartition("+") for each in (*mail.recipients, *mail.delivered_to))
    found = (REFERENCE.fullmatch(reference) for local, _, reference in plus if local)
    return {(int(one[1]), one[2].lower()) for one in found if one and one[2]}


@dataclass(frozen=True)
class Match:
    """The case that a mail belongs to, or may belong to, and why."""

    case: Case | None = None
    perhaps: Case | None = None
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True)
class _Named:
    """A case that a mail names; ``secret``: by something that outsiders do not know."""

    case: Case
    tie: Why
    secret: bool = False


def find_case(
    session: Session,
    systems: Systems,
    mail: ParsedMail,
    came_at: datetime,
    customer_id: str = "",
    *,
    open_cases: bool = True,
    forwarded: bool = False,
) -> Match:
    """The mail's case.

    Args:
        customer_id: the customer with the sender's address on record, if that was looked up.
        open_cases: whether the sender may have any.
        forwarded: whether a forwarder is the likely cause of a doubt about the sender. Then a secret still ties the
            mail to a case.
    """
    remark: tuple[Reason, ...] = ()
    perhaps = None
    for named in _named_cases(session, mail):
        reference, tie = named.case.reference, Reason(named.tie)
        if not _belongs(session, named.case, mail.sender, customer_id):
            remark = remark or (Reason(Why.OTHER_SENDERS_CASE, reference), tie)
        elif mail.forged and not (forwarded and named.secret):
            current = _current(session, named.case, mail)
            perhaps = perhaps or (current if current.status == "open" else None)
            remark = remark or (Reason(Why.SENDER_IN_DOUBT, reference), tie)
        elif named.case.sender_doubt and not mail.forged:
            remark = remark or (Reason(Why.CASE_IN_DOUBT, reference), tie)
        elif mail.passed_on == "form" and not named.secret:
            # anybody can type a customer's address, and a case's number
            return Match(perhaps=_current(session, named.case, mail), reasons=(Reason(Why.BY_FORM), tie))
        else:
            return Match(_current(session, named.case, mail), reasons=(tie,))
    if mail.forged or not open_cases:
        return Match(perhaps=perhaps, reasons=remark)
    scored = _same_matter(session, systems, mail, came_at)
    if mail.passed_on == "form" and scored.case:
        scored = Match(perhaps=scored.case, reasons=(Reason(Why.BY_FORM), *scored.reasons))
    return replace(scored, reasons=(*scored.reasons, *remark))


def whose_address(systems: Systems, mail: ParsedMail) -> str:
    """The customer with the sender's address on record; looked up only if a mail names somebody else's case.

    Empty if SISKA does not answer: then the mail opens a case of its own.
    """
    if not is_answer(mail):
        return ""
    with systems.store.read() as session:
        cases = [named.case for named in _named_cases(session, mail)]
    if not cases or any(case.address == mail.sender for case in cases):
        return ""
    try:
        customer = systems.siska.customer_by_address(mail.sender)
    except LayananError:
        return ""
    return customer.customer_id if customer else ""


def _named_cases(session: Session, mail: ParsedMail) -> list[_Named]:
    thread = [*mail.in_reply_to, *mail.references]
    in_subject, in_address = references(mail.subject), _signed_addresses(mail)
    if not (thread or in_subject or in_address or mail.continues):
        return []
    ours = select(Case).join(Letter).where(col(Letter.message_id).in_(thread)).order_by(col(Case.id).desc())
    theirs = select(Case).join(Message, col(Message.case_id) == col(Case.id)).order_by(col(Case.id).desc())
    numbers = {number for number, _ in in_subject | in_address}
    named = session.exec(select(Case).where(col(Case.id).in_(numbers))).all() if numbers else []
    signatures, said = in_subject | in_address, {number for number, _ in in_subject}
    found = [_Named(case, Why.ANSWERS_LETTER, secret=True) for case in session.exec(ours)] if thread else []
    signed = [case for case in named if case.token and (case.key, case.token) in signatures]
    found += [_Named(case, Why.SIGNED_REFERENCE, secret=True) for case in signed]
    found += [_Named(case, Why.REFERENCE) for case in named if case.key in said]
    if thread:
        earlier = theirs.where(col(Message.message_id).in_(thread))
        found += [_Named(case, Why.FOLLOWS_MAIL) for case in session.exec(earlier)]
    if mail.continues:
        earlier = theirs.where(Message.conversation == mail.conversation)
        found += [_Named(case, Why.CONVERSATION) for case in session.exec(earlier)]
    return found


def _belongs(session: Session, case: Case, sender: str, customer_id: str) -> bool:
    """Whether the sender may write in the case; in merged cases, whoever may write in one of them."""
    if sender == case.address:
        return True
    # not ``going_on``, which locks
    while case.merged_into is not None:
        case = session.get_one(Case, case.merged_into)
    one = family(session, case.key)
    theirs = or_(col(Case.address) == sender, col(Case.customer_id).in_([customer_id] if customer_id else []))
    party = select(Party.case_id).where(col(Party.case_id).in_(one), Party.address == sender)
    known = union_all(select(Case.id).where(col(Case.id).in_(one), theirs), party)
    return session.execute(known.limit(1)).first() is not None


def _current(session: Session, case: Case, mail: ParsedMail) -> Case:
    """The case that continues for this one: the one it was merged into, or the newest of those that followed it.

    Only cases of its customer or of the sender count, and none that may have been opened by somebody in their name.
    """
    seen = {case.id}
    while True:
        follows = select(Case).where(col(Case.address).in_([case.address, mail.sender]), Case.previous_id == case.id)
        if not mail.forged:
            follows = follows.where(Case.sender_doubt == "")
        newest = follows.order_by(col(Case.id).desc()).limit(1)
        later = session.get(Case, case.merged_into) if case.merged_into else session.exec(newest).first()
        if later is None or later.id in seen:
            return case
        case = later
        seen.add(case.id)


def remember_matters(session: Session, systems: Systems, mails: Sequence[tuple[ParsedMail, datetime]]) -> None:
    """Analyse mails, and the first mails of their senders' open cases, before the store is locked to compare them.

    Args:
        mails: each with its time of arrival.
    """
    senders = {mail.sender for mail, _ in mails}
    known = select(Case.address).where(col(Case.address).in_(senders), Case.status == "open").distinct()
    party = select(Party.address).where(col(Party.address).in_(senders)).distinct()
    having = {*session.exec(known), *session.exec(party)}
    for mail, came_at in mails:
        if mail.sender in having and not mail.forged:
            _same_matter(session, systems, mail, came_at)


def _same_matter(session: Session, systems: Systems, mail: ParsedMail, came_at: datetime) -> Match:
    since = same_matter_since(systems.settings, came_at)
    open_cases = session.exec(_OPEN_CASES, params={"sender": mail.sender, "since": since}).all()
    if not open_cases:
        return Match()
    new = _matter(systems, mail)
    first = _first_mails(session, open_cases)
    scores = [(*_score(new, _known_matter(systems, case, first.get(case.key))), case) for case in open_cases]
    score, why, case = max(scores, key=lambda scored: scored[0])
    if why is not None and score >= systems.settings.policy.same_matter_threshold:
        return Match(case, reasons=(Reason(why),))
    if score < DOUBTFUL or why is None:
        return Match()
    return Match(perhaps=case, reasons=(Reason(Why.PERHAPS, case.reference), Reason(why)))


@dataclass(frozen=True)
class _Matter:
    """What a mail or a case is about."""

    topic: str
    lines: frozenset[str]
    follows_up: bool = False
    titles: frozenset[str] = frozenset()
    """Numbers, places and names in the Subject and the sender's name, without lines."""
    names: frozenset[str] = frozenset()
    """The same, with those in the text."""

    @property
    def marks(self) -> frozenset[str]:
        """What distinguishes two matters of one line: of the text, only what looks like the number of a thing."""
        return self.titles | {name for name in self.names if _THINGS_NUMBER.search(name)}


_THINGS_NUMBER = re.compile(r"^(?!(?:19|20)\d\d$).*\d.*\d.*\d")
"""At least three digits, and not a year."""


def _score(new: _Matter, known: _Matter) -> tuple[float, Why | None]:
    """How certain it is, from 0 to 1, that both are one matter, and why; None if nothing says so.

    Another number, place or name may mean another matter of the same customer, which a person must compare.
    """
    same_topic = new.topic == known.topic != "other"
    if new.lines & known.lines:
        if not same_topic and not new.follows_up and "other" not in {new.topic, known.topic}:
            return 0.6, Why.OTHER_TOPIC
        apart = not new.lines <= known.lines or not new.marks <= known.names
        return (0.6, Why.LINE_AND_OTHER_NAME) if apart else (1.0, Why.SAME_LINE)
    if new.lines and known.lines:
        return 0.0, None
    if same_topic:
        if new.lines:
            return 0.5, Why.LINE_NAMED_ONCE
        return (0.8, Why.SAME_MATTER) if new.names <= known.names else (0.5, Why.TOPIC_AND_OTHER_NAME)
    return (0.5, Why.ASKS_FOR_STATUS) if new.follows_up and not new.lines else (0.0, None)


def _first_mails(session: Session, cases: Sequence[Case]) -> dict[int | None, Message]:
    """The mail that opened each case."""
    of_cases = col(Message.case_id).in_([case.id for case in cases])
    first = select(func.min(Message.id)).where(of_cases).group_by(col(Message.case_id))
    return {mail.case_id: mail for mail in session.exec(select(Message).where(col(Message.id).in_(first)))}


def _known_matter(systems: Systems, case: Case, first: Message | None) -> _Matter:
    said = _matter(systems, first) if first else _Matter("other", frozenset())
    if not case.kind:
        # activity 1 is not done yet
        return said
    return replace(said, topic=case.topic, lines=said.lines.union(filter(None, [case.service_number])))


def _matter(systems: Systems, mail: ParsedMail | Message) -> _Matter:
    return _analysed(systems.analyser.analyse, mail.sender_name, mail.subject, mail.new_text[:MAX_TEXT])


@lru_cache(maxsize=256)
def _analysed(analyse: Callable[[str, str], Analysis], sender_name: str, subject: str, text: str) -> _Matter:
    """Cached, because each mail is compared with all cases of its sender."""
    analysis = analyse(subject, text)
    lines = frozenset(number.value for number in analysis.service_numbers)
    follows_up = analysis.kind.value is Kind.FOLLOW_UP or analysis.topic.value == "case_status"
    title = f"{sender_name} . {bare_subject(subject)}"
    for number in analysis.service_numbers:
        title, text = title.replace(number.text, " "), text.replace(number.text, " ")
    in_title = names(title)
    return _Matter(analysis.topic.value, lines, follows_up, in_title, in_title | names(text))
