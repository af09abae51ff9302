"""Activity 1: receive the e-mail and analyse what the customer explains (SOP 7.1)."""

import re
from typing import Any

from sqlmodel import Session, col, select

from adapters.letters.message import reply_subject
from models.analysis import Analysis, Finding, Kind, Urgency
from models.facts import Customer, Segment, Tier
from models.forms.analysis import NeedChoice, TopicChoice
from models.mail import UNREAD
from models.need import Need
from models.reasons import doubts_said, warnings_said
from models.states import SignalKind
from models.tables import Case, Message
from tasks.find_case import REFERENCE, answers, same_matter_since
from tasks.run.activity import activity
from tasks.run.briefing import short
from tasks.run.work import Work

FOLLOW_UP = "Tindak lanjut / Follow-up"
"""Not a choice on the form: a person says what the mail follows up."""
URGENCIES: dict[Urgency, str] = {
    "critical": "Sangat mendesak / Critical urgency",
    "high": "Mendesak / High urgency",
    "normal": "Urgensi biasa / Normal urgency",
    "low": "Tidak mendesak / Low urgency",
}


OPENED = ("opened", "other_segment")
"""Outcomes of mails that opened a case."""
REPLY = "Re:"
_TAG = re.compile(r"\[[^\]]*\]")
"""Our reference, and what mail programs put before a Subject, such as ``[EXTERNAL]``."""


@activity(1)
def receive_and_analyse(
    work: Work,
    message_id: int = 0,
    earlier: Need | None = None,
    *,
    told_number: str = "",
    after_closing: bool = False,
    vouched: bool = False,
) -> Need:
    """Read one mail of the case, by default the first: what does it want, and whose is it?

    Customer data is opened only for an address on record (SISKA); a number that a stranger names opens nothing.

    Args:
        earlier: the need so far; the mail answers our question and adds to it.
        told_number: the line that a person found out; they vouch for its customer.
        after_closing: the mail answers the closing letter; the case itself is not changed.
        vouched: a person has confirmed the sender.
    """
    first = earlier is None and not after_closing
    mail = work.messages[0] if first and not message_id else work.message(message_id)
    analysis = analysed(work, mail)
    doubt = "" if vouched else doubts_said(work.case.sender_doubt.split())
    customer, verified = _customer(work, analysis, told_number, doubtful=bool(doubt))
    need = _need(work, mail, analysis, customer, told_number)
    need = need.model_copy(update={"verified": verified, "doubt": doubt})
    if first:
        need = need.model_copy(update=_perhaps(work, need))
    if earlier is not None:
        need = earlier.with_answer(need)
        work.drop_deadlines(SignalKind.ANSWER)
    if not after_closing:
        work.change(
            service_number=need.service_number,
            customer_id=need.customer_id,
            segment="" if need.segment is Segment.UNKNOWN else need.segment.value,
            tier=need.tier.value if need.customer_id else "",
            name=customer.name if customer and verified else work.case.name,
        )
    if vouched:
        work.change(sender_doubt="")
    if first:
        work.change(kind=need.kind.value, topic=need.topic)
    return need


def analysed(work: Work, mail: Message) -> Analysis:
    """The analysis of a mail, by its new text and by the customer's own part of its Subject."""
    return work.systems.analyser.analyse(_own_subject(work, mail), mail.new_text, sender_name=mail.sender_name)


def _customer(work: Work, analysis: Analysis, told_number: str, *, doubtful: bool) -> tuple[Customer | None, bool]:
    """Whose case it is, and whether its address is on record (SISKA)."""
    lines = [told_number] if told_number else [number.value for number in analysis.service_numbers]
    if not doubtful and (customer := work.systems.siska.customer_by_address(work.case.address, lines)):
        return customer, True
    return (work.systems.siska.customer_by_service_number(told_number) if told_number else None), False


def _own_subject(work: Work, mail: Message) -> str:
    """The Subject, or only ``Re:`` if it repeats the Subject of our letters, which says nothing about the matter."""
    if not answers(mail.subject, mail.references):
        return mail.subject
    with work.look() as session:
        own = session.get_one(Case, mail.case_id or work.case.key)
        # the mail that opened a case gave it its Subject; the Subject of the previous case may be quoted in it
        cases = [] if mail.outcome in OPENED else [work.case, own]
        if own.previous_id is not None:
            cases.append(session.get_one(Case, own.previous_id))
    service = work.settings.sender_name
    ours = {_bare(case.subject, service) for case in cases}
    return REPLY if _bare(mail.subject, service) in ours else REFERENCE.sub("", mail.subject)


def _bare(subject: str, service: str) -> str:
    return reply_subject(_TAG.sub("", subject), "", service).casefold()


def _perhaps(work: Work, need: Need) -> dict[str, Any]:
    """The open case that this one may belong to: by intake, or because the same customer wrote from another address."""
    with work.systems.store.read() as session:
        known = work.case.perhaps_id
        other = _merged_into(session, known) if known else _of_the_customer(session, work, need)
        return {"perhaps_id": other.key, "perhaps": short(other)} if other else {}


def _merged_into(session: Session, case_id: int) -> Case:
    """The case that continues for this one."""
    case = session.get_one(Case, case_id)
    return case if case.merged_into is None else _merged_into(session, case.merged_into)


def _of_the_customer(session: Session, work: Work, need: Need) -> Case | None:
    if not need.verified or not need.customer_id or need.topic == "other":
        return None
    lines = {"", need.service_number} if need.service_number else None
    cases = select(Case).where(
        Case.customer_id == need.customer_id,
        Case.topic == need.topic,
        Case.status == "open",
        Case.id != work.case.id,
        col(Case.opened_at) >= same_matter_since(work.settings, work.now),
        *([col(Case.service_number).in_(lines)] if lines else []),
    )
    return session.exec(cases.order_by(col(Case.id).desc())).first()


def _need(work: Work, mail: Message, analysis: Analysis, customer: Customer | None, told_number: str) -> Need:
    policy = work.settings.policy
    segment = customer.segment if customer else Segment.UNKNOWN
    # an agent looks at a follow-up that intake could not tie to a case
    sure = analysis.sure(policy.analysis_threshold) and analysis.kind.value is not Kind.FOLLOW_UP
    unread = unread_words(mail)
    return Need(
        message_id=mail.id or 0,
        kind=analysis.kind.value,
        topic=analysis.topic.value,
        products=analysis.products.value,
        service_number=told_number or _service_number(analysis, customer),
        urgency=analysis.urgency.value,
        sure=sure and not unread,
        kind_prevails=analysis.kind.confidence > 0.5,
        unread=unread,
        thanks_only=analysis.thanks_alone,
        confidence=min(analysis.kind.confidence, analysis.topic.confidence),
        because=_because(analysis),
        wants_escalation=analysis.wants_escalation.value,
        customer_id=customer.customer_id if customer else "",
        segment=segment,
        tier=customer.tier if customer else Tier.REGULAR,
        ours=segment is Segment.UNKNOWN or segment.value in policy.our_segments,
    )


def unread_words(mail: Message) -> str:
    """Why the customer's words could not be read; empty if they could."""
    return "; ".join(warnings_said((), [code for code in mail.warnings if code in UNREAD], {}))


def _because(analysis: Analysis) -> str:
    found: list[tuple[str, Finding[Any]]] = [
        (NeedChoice.__members__.get(analysis.kind.value.name, FOLLOW_UP), analysis.kind),
        (TopicChoice[analysis.topic.value], analysis.topic),
        (URGENCIES[analysis.urgency.value], analysis.urgency),
    ]
    return "; ".join(f"{name} {one.confidence:.0%}" + f" “{one.evidence}”" * bool(one.evidence) for name, one in found)


def _service_number(analysis: Analysis, customer: Customer | None) -> str:
    """The line that the matter is about: the customer's own that the mail names, else the customer's only one."""
    if customer is None:
        return ""
    named = [number.value for number in analysis.service_numbers]
    if named:
        # nothing is disclosed about somebody else's line: the customer is asked
        return next((number for number in named if number in customer.service_numbers), "")
    return customer.service_numbers[0] if len(customer.service_numbers) == 1 else ""
