"""Whether a mail is a copy of one of our letters, by content that only we and the customer know.

Held by `tests/tasks/intake/test_copied.py`.
"""

from collections.abc import Sequence

from sqlmodel import Session, col, select

from adapters.mail.parser import parse
from adapters.wiring import Systems
from models.mail import ParsedMail
from models.tables import Letter


def is_copy(raw: bytes, letter: bytes) -> bool:
    """Whether a mail has the letter's Message-ID, its Subject with the case's token, and its words.

    Mail servers may encode a text anew and append words of their own. Our Message-IDs can be guessed.
    """
    found, ours = parse(raw), parse(letter)
    words = ours.text.split()
    return (
        found.message_id == ours.message_id
        and "".join(ours.subject.split()) in "".join(found.subject.split())
        and found.text.split()[: len(words)] == words
    )


def copied_letters(session: Session, systems: Systems, mails: Sequence[tuple[ParsedMail, bytes]]) -> dict[str, int]:
    """Numbers of the letters that these mails copy, even under a forwarder's name; by the mail's SHA-256.

    Args:
        mails: each with its bytes.
    """
    ids = {mail.message_id for mail, _ in mails}
    letters = select(Letter.message_id, Letter.id, Letter.sha256).where(col(Letter.message_id).in_(ids))
    found = {message_id: (number, sha256) for message_id, number, sha256 in session.exec(letters)}
    copies = {}
    for mail, raw in mails:
        if mail.message_id not in found:
            continue
        number, sha256 = found[mail.message_id]
        sent = systems.store.kept(sha256)
        ours = systems.settings.is_ours(mail.sender)
        if is_copy(raw, sent) if ours else mail.text.split() == parse(sent).text.split():
            copies[mail.sha256] = number or 0
    return copies
