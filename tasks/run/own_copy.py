"""Whether a mail is a copy of a letter of ours: by what only we and the customer know, not by what it says it is.

Held by `tests/tasks/intake/test_copied.py`.
"""

from adapters.mail.parser import parse


def is_copy(raw: bytes, letter: bytes) -> bool:
    """Whether it has the letter's Message-ID, Subject, with the case's secret in it, and words.

    Servers on the way encode a text anew and add words of theirs. Message-IDs of ours can be guessed.
    """
    found, ours = parse(raw), parse(letter)
    words = ours.text.split()
    return (
        found.message_id == ours.message_id
        and "".join(ours.subject.split()) in "".join(found.subject.split())
        and found.text.split()[: len(words)] == words
    )
