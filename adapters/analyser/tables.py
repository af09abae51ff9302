"""The mechanics of the analyser: spells out a mail, scores it by tables of phrases, and makes findings of the scores.

Held by `tests/adapters/analyser/test_rules.py`.
"""

import math
import re
from collections.abc import Callable, Mapping
from typing import Any

from adapters.analyser.words import GROUPS, SHORT

_TEMPERATURE = 3.0  # of the softmax; set on other mails than those that the words were written for
_UNKNOWN = 1.0  # weight of “none of the labels”
_MAX_EVIDENCE = 80
_WORD = re.compile(r"[^\W_]+|[.?!](?!\w)|\n\s*\n")
_LINE = re.compile(r"^ *(-?[\d.]+):(.+?)(?=^ *-?[\d.]+:|\Z)", re.MULTILINE | re.DOTALL)
_GAP = r"(?: \w++){0,4} "
_SHORT = {
    short: word for word, shorts in (line.split(":") for line in SHORT.strip().splitlines()) for short in shorts.split()
}


def spell_out(text: str) -> str:
    """The text as the tables write it: lower-case words with single spaces. The end of a sentence is a word, too."""
    found = _WORD.findall(re.sub(r"['’`]|(?<=\bwi)-(?=fi\b)", "", text.lower()))
    return " ".join(_spell_word(word) if word[0].isalnum() else word.strip() or "." for word in found)


def any_of(phrases: str) -> re.Pattern[str]:
    """A regex that finds any of the ``phrases``, which are separated by semicolons, in a text spelt out."""
    return re.compile("|".join(map(_regex, phrases.split(";"))))


def evidence(said: list[str]) -> str:
    """The first phrases of ``said``, each once, short enough to show."""
    return "; ".join(dict.fromkeys(said))[:_MAX_EVIDENCE]


class Scores:
    """The sum of weights for each label, with the phrases that contributed."""

    def __init__(self) -> None:
        self.total: dict[str, float] = {}
        self.said: dict[str, list[str]] = {}

    def add(self, label: str, weight: float, *said: str) -> None:
        """Add ``weight`` to a label, because of the phrases ``said``."""
        self.total[label] = self.total.get(label, 0) + weight
        self.said.setdefault(label, []).extend(said)

    @property
    def best(self) -> str:
        """The label with the greatest weight."""
        return max(self.total, key=self.total.__getitem__)

    def shares(self) -> dict[str, float]:
        """Softmax over the labels with evidence and over “none of them”."""
        top = self.total[self.best]
        powers = {label: math.exp((total - top) / _TEMPERATURE) for label, total in self.total.items() if total > 0}
        whole = sum(powers.values()) + math.exp((_UNKNOWN - top) / _TEMPERATURE)
        return {label: power / whole for label, power in powers.items()}

    def finding(self) -> dict[str, Any]:
        """The best label as the fields of a ``Finding``; the confidence is its share."""
        best = self.best
        return {"value": best, "confidence": self.shares().get(best, 0), "evidence": evidence(self.said[best])}


class Table:
    """A compiled table of ``words.py``; ``start`` gives labels a weight before any word is read."""

    def __init__(self, table: Mapping[str, str], **start: float) -> None:
        self._start = dict.fromkeys(table, 0.0) | start
        self._rules = [
            (label, float(weight), re.compile(_regex(phrase)))
            for label, lines in table.items()
            for weight, phrases in _LINE.findall(lines)
            for phrase in phrases.split(";")
        ]

    def score(self, text: str, place: Callable[[int], float] = lambda _: 1) -> Scores:
        """Score a text spelt out; ``place`` returns the factor of a phrase's weight for its offset in the text."""
        scores = Scores()
        for label, weight in self._start.items():
            scores.add(label, weight)
        for label, weight, rule in self._rules:
            if found := list(rule.finditer(text)):
                said = [found[0][0]] if weight > 0 else []
                scores.add(label, weight * max(place(match.start()) for match in found), *said)
        return scores


def _spell_word(word: str) -> str:
    stem = word[:-3] if len(word) > 6 and word.endswith("nya") else word
    return _SHORT.get(word) or _SHORT.get(stem, stem)


def _regex(phrase: str) -> str:
    """A phrase as a regex. Its repetitions are possessive or bounded, so that matching takes linear time."""
    first, near, second = phrase.partition("~")
    orders = (f"{first}..{second}", f"{second}..{first}") if near else (first,)
    return "|".join(rf"(?<!\S){_GAP.join(map(_sequence, order.split('..')))}(?!\S)" for order in orders)


def _sequence(words: str) -> str:
    whole = re.sub(r"<(\w+)>", lambda group: GROUPS[group[1]], re.sub(r"\|\s+", "|", words))
    return " ".join(f"(?:{'|'.join(map(_alternative, word.split('|')))})" for word in whole.split())


def _alternative(word: str) -> str:
    if word.endswith("*"):
        return rf"{re.escape(word[:-1])}\w*+"
    return " ".join(re.escape(_spell_word(part)) for part in word.split("_"))
