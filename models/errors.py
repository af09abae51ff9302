"""The few errors of the service. Each says whether trying again helps (``permanent``).

A message names the system and what happened; it never holds an address, a mail's text or a secret,
because it ends up in logs and in the history that managers audit.

Held by `tests/adapters/systems/test_tmf.py` and `tests/tasks/run/test_activity.py`.
"""

from datetime import datetime


class LayananError(Exception):
    """Root of every error of ours."""

    permanent = True


class OfSystem(LayananError):
    """Base of what goes wrong with a system; the text names it.

    Args:
        reply: the server's code, such as ``550 5.7.1``, where it gave one; two replies are compared by it.
        words: the server's own words, without addresses: they are shown to people, never logged or compared.
    """

    def __init__(self, system: str, what: str, *, reply: str = "", words: str = "") -> None:
        super().__init__(f"{system}: {what}")
        self.reply, self.words = reply, words


class Unavailable(OfSystem):
    """A system did not answer, or said "later": time-out, refused connection, 408, 429, 5xx. Try again."""

    permanent = False


class AskedToWait(Unavailable):
    """A system is left alone until ``until``: it asked for that, does not answer, or is still at work on our request.

    Args:
        since: From when on that is so, several such times in a row counting as one.
    """

    def __init__(self, system: str, what: str, until: datetime, since: datetime) -> None:
        super().__init__(system, what)
        self.until = until
        self.since = since


class Deferred(Unavailable):
    """The server for letters is there, and takes this letter later (4xx to it). Try again, but not for ever."""


class Refused(OfSystem):
    """A system understood and said no (4xx, wrong password, unknown host key). Trying again does not help.

    Args:
        said: The system's own words. They may quote a customer, so they are no part of the error's text, which ends up
            in logs: only the form that asks a person to help shows them.
    """

    def __init__(self, system: str, what: str, said: str = "", *, reply: str = "") -> None:
        super().__init__(system, what, reply=reply, words=said)
        self.said = said


class BrokenAnswer(Refused):
    """A system's answer breaks its own standard; the text says which field."""


class NothingDone(LayananError):
    """Each item that a part of the monitor took has failed; the text has the errors of some."""

    permanent = False


class MissingFact(LayananError):
    """A letter cannot be written because a fact is missing; ``fact`` names it. A person must give it."""

    def __init__(self, letter: str, fact: str) -> None:
        super().__init__(f"letter {letter}: the fact “{fact}” is missing")
        self.letter = letter
        self.fact = fact


class Defect(LayananError):
    """Our own code broke. The text says where and never the broken error's words, which may quote a customer."""


class SettingsError(LayananError):
    """A setting is wrong or missing; the text names it, its problem and an example."""


class WrongUse(LayananError):
    """A command or a form was given something that it does not take; the text says what it takes."""


class UnknownCase(WrongUse):
    """No case has this reference."""


class NotWaiting(LayananError):
    """A case takes no decision now; the text says why."""


class Unreadable(LayananError):
    """Nothing can be made of a mail's bytes; ``reason`` says why. It is set aside for a person, whole."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"unreadable mail: {reason}")
        self.reason = reason


class OutcomeUnknown(OfSystem):
    """The connection broke after a letter was handed over and before the answer: it may have been accepted.

    It must be looked for (``Ems.has_copy``) before it is sent again.
    """

    permanent = False
