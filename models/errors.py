"""The few errors of the service. Each says whether a retry helps (``permanent``).

A message names the system and what happened. It never contains an address, a mail's text or a secret, because it is
shown in logs and in the history that managers audit. Held by `tests/tasks/run/test_activity.py`.
"""

from datetime import datetime


class LayananError(Exception):
    """Root of every error of ours."""

    permanent = True


class OfSystem(LayananError):
    """Base of what goes wrong with a system. The message names the system.

    Args:
        reply: the server's code, such as ``550 5.7.1``, if it gave one; replies are compared by it.
        words: the system's own words. They may quote a customer, so only the form that asks a person for help shows
            them; they are neither part of the message, which is logged, nor compared.
    """

    def __init__(self, system: str, what: str, *, reply: str = "", words: str = "") -> None:
        super().__init__(f"{system}: {what}")
        self.reply, self.words = reply, words


class Unavailable(OfSystem):
    """A system did not answer, or said "later": timeout, refused connection, 408, 429, 5xx. A retry helps."""

    permanent = False


class AskedToWait(Unavailable):
    """A system gets no call until ``until``: it asked for that, does not answer, or still works on our request.

    Args:
        since: When this began; several such times in a row count as one.
    """

    def __init__(self, system: str, what: str, until: datetime, since: datetime) -> None:
        super().__init__(system, what)
        self.until = until
        self.since = since


class Deferred(Unavailable):
    """The SMTP relay wants this letter later (4xx). A retry helps, but not for ever."""


class Refused(OfSystem):
    """A system understood and refused (4xx, wrong password, unknown host key). A retry does not help."""


class BrokenAnswer(Refused):
    """A system's answer breaks its own standard. The message names the field."""


class NothingDone(LayananError):
    """Every item of one part of the monitor's sweep has failed. The message quotes some of the errors."""

    permanent = False


class MissingFact(LayananError):
    """A letter cannot be written because the fact ``fact`` is missing. A person must give it."""

    def __init__(self, letter: str, fact: str) -> None:
        super().__init__(f"letter {letter}: the fact “{fact}” is missing")
        self.letter = letter
        self.fact = fact


class Defect(LayananError):
    """A fault in our own code. The message says where, without the error's own text, which may quote a customer."""


class SettingsError(LayananError):
    """A setting is wrong or missing. The message names it, its problem and an example."""


class WrongUse(LayananError):
    """A command or a form got a value that it does not accept. The message says what it accepts."""


class UnknownCase(WrongUse):
    """No case has this reference."""


class NotWaiting(LayananError):
    """A case accepts no decision now. The message says why."""


class Unreadable(LayananError):
    """A mail's bytes cannot be parsed; ``reason`` says why. The whole mail is quarantined for a person."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"unreadable mail: {reason}")
        self.reason = reason


class OutcomeUnknown(OfSystem):
    """The connection broke after a letter was sent and before the relay's answer: the relay may have accepted it.

    Look for its copy (``Ems.has_copy``) before sending it again.
    """

    permanent = False
