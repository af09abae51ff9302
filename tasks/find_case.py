"""Old or new (SOP 5.3): does a mail belong to a case that we know?

By order of trust: it answers one of our letters; it names a case's reference; it follows a mail of a case; the same
sender wrote of the same line or matter lately. In every case the sender must be the case's own customer: somebody
else who quotes a reference opens a case of their own and learns nothing.
"""

import re
from datetime import datetime, timedelta

from sqlmodel import Session, col, select

from adapters.wiring import Systems
from models.mail import ParsedMail
from models.tables import Case, Letter, Message

REFERENCE = re.compile(r"\b(?:JKT|BDG)-(\d{7,9})\b")


def find_case(session: Session, wired: Systems, mail: ParsedMail, now: datetime) -> tuple[Case | None, str]:
    """The case and why it is this one; or no case, and a remark where somebody else's was named."""
    remark = ""
    for named, why in _named_cases(session, mail):
        if named.address == mail.sender:
            return _last(session, named), why
        remark = f"names {named.reference}, which is another sender's ({why})"
    case = _same_matter(session, wired, mail, now)
    return (case, "same sender, same matter") if case else (None, remark)


def _named_cases(session: Session, mail: ParsedMail) -> list[tuple[Case, str]]:
    thread = [*mail.in_reply_to, *mail.references]
    found: list[tuple[Case, str]] = []
    if thread:
        ours = select(Case).join(Letter).where(col(Letter.message_id).in_(thread)).order_by(col(Case.id).desc())
        found += [(case, "answers our letter") for case in session.exec(ours)]
    numbers = [int(number) for number in REFERENCE.findall(mail.subject)]
    if numbers:
        found += [
            (case, "reference in the subject") for case in session.exec(select(Case).where(col(Case.id).in_(numbers)))
        ]
    if thread:
        theirs = (
            select(Case)
            .join(Message, col(Message.case_id) == col(Case.id))
            .where(col(Message.message_id).in_(thread))
            .order_by(col(Case.id).desc())
        )
        found += [(case, "follows an earlier mail") for case in session.exec(theirs)]
    return found


def _last(session: Session, case: Case) -> Case:
    """The case, or the newest of those that followed it after it was closed."""
    while later := session.exec(select(Case).where(Case.address == case.address, Case.previous_id == case.id)).first():
        case = later
    return case


def _same_matter(session: Session, wired: Systems, mail: ParsedMail, now: datetime) -> Case | None:
    since = now - timedelta(days=wired.settings.policy.same_matter_days)
    open_cases = session.exec(
        select(Case)
        .where(Case.address == mail.sender, Case.status == "open", col(Case.opened_at) >= since)
        .order_by(col(Case.id).desc())
    ).all()
    if not open_cases:
        return None
    topic, lines = _matter(wired, mail.subject, mail.new_text)
    for case in open_cases:
        known_topic, known_lines = case.topic, {case.service_number}
        if not case.kind:
            # its activity 1 is still to come
            first = session.exec(
                select(Message).where(Message.case_id == case.id).order_by(col(Message.id)).limit(1)
            ).one()
            known_topic, known_lines = _matter(wired, first.subject, first.new_text)
        if known_lines & lines or (not lines and topic != "other" and known_topic == topic):
            return case
    return None


def _matter(wired: Systems, subject: str, text: str) -> tuple[str, set[str]]:
    """The topic of a mail, and the lines that it names."""
    analysis = wired.analyser.analyse(subject, text)
    return analysis.topic.value, {number.value for number in analysis.service_numbers}
