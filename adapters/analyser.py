"""Activity 1: what a mail wants (SOP 7.1), by rules. The words stand in ``analyser_words.py``."""

import math
import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Protocol

from adapters import analyser_words as words
from adapters.analyser_numbers import known_references, service_numbers
from models.analysis import Analysis, Finding, Kind, Product, SegmentHint, ServiceNumber, Topic, Urgency
from models.letter import Language

MAX_SUBJECT, MAX_TEXT = 300, 10_000
"""Characters that are read; a letter's matter stands at its beginning."""

_TEMPERATURE = 3.0  # of the softmax; chosen so that confidences are about the shares of right findings
_UNKNOWN = 1.0  # strength of what the words do not know
_MAX_EVIDENCE = 80
_WORD = re.compile(r"[^\W_]+|[.?!](?!\w)|\n\s*\n")
_REPLY = re.compile(r"\s*(?:re|bls|balas)\s*:", re.IGNORECASE)
_GAP = r"(?: \w++){0,4} "
_LINE = re.compile(r"^ *(-?[\d.]+):(.+?)(?=^ *-?[\d.]+:|\Z)", re.MULTILINE | re.DOTALL)
_BUSINESS_PRODUCTS = {"astinet", "vpn_ip", "metro_ethernet", "managed_wifi", "hosting", "mobile"}


class Analyser(Protocol):
    """Says what a mail wants."""

    def analyse(self, subject: str, text: str, *, sender_name: str = "") -> Analysis:
        """Analyse a mail; ``text`` is the new text, without quoted letters."""
        ...


class RuleAnalyser:
    """Adds up the weights of the phrases found; a confidence is the softmax of these sums.

    Evidence is the phrases as read, with shortenings spelt out.
    """

    def __init__(self) -> None:
        self._topics = _Table(words.TOPIC)
        self._kinds = _Table(words.KIND)
        self._products = _Table(words.PRODUCTS)
        self._urgencies = _Table(words.URGENCY)
        self._segments = _Table(words.SEGMENT)
        self._escalation = _Table(words.ESCALATION)
        self._aside, self._ours = (
            re.compile("|".join(map(_regex, phrases.split(";")))) for phrases in (words.ASIDE, words.OURS)
        )

    def analyse(self, subject: str, text: str, *, sender_name: str = "") -> Analysis:
        """Analyse a mail, of which no more than ``MAX_SUBJECT`` and ``MAX_TEXT`` characters are read."""
        mail = _Mail.read(subject[:MAX_SUBJECT], text[:MAX_TEXT])
        topics = self._topics.score(mail.letter, self._place(mail))
        topics.add("other", 1)
        products = self._products.score(mail.letter)
        kinds = self._score_kinds(mail, topics, products)
        segments = self._segments.score(f"{_spell_out(sender_name)} . {mail.letter}")
        if kinds.best == "irrelevant":
            segments.add("unknown", 8)
        return Analysis(
            kind=Finding[Kind].model_validate(kinds.finding()),
            topic=Finding[Topic].model_validate(topics.finding()),
            products=_find_products(products, topics.best, kinds.best, mail.numbers),
            service_numbers=mail.numbers,
            known_references=mail.references,
            urgency=Finding[Urgency].model_validate(self._score_urgencies(mail, topics, kinds.best).finding()),
            language=_find_language(mail.letter),
            segment_hint=Finding[SegmentHint].model_validate(segments.finding()),
            wants_escalation=Finding[bool].model_validate(self._escalation.score(mail.letter).finding()),
        )

    def _place(self, mail: "_Mail") -> Callable[[int], float]:
        """How much a phrase says of the main matter, by where it stands."""
        aside = self._aside.search(mail.letter, mail.title)
        end = aside.start() if aside else len(mail.letter)
        title = 0.7 if mail.reply else 1.5  # a reply's subject is that of an old letter
        return lambda at: title if at < mail.title else 1 if at < end else 0.4

    def _score_kinds(self, mail: "_Mail", topics: "_Scores", products: "_Scores") -> "_Scores":
        kinds = self._kinds.score(mail.letter)
        shares = topics.shares()
        for topic in words.TOPIC_KIND.keys() & shares.keys():
            kinds.add(words.TOPIC_KIND[topic], 4 * shares[topic])
        if mail.references:
            kinds.add("follow_up", 7, mail.references[0])
        if mail.reply:
            kinds.add("follow_up", 3, "Re:")
            kinds.add("thanks", 2)
        named = mail.reply or mail.numbers or mail.references or max(products.total.values()) > 0
        if not named and not self._ours.search(mail.letter):
            ours = max((shares[topic] for topic in shares if topic not in words.STRANGER_TOPICS), default=0)
            kinds.add("irrelevant", 5 * (1 - ours))
        return kinds

    def _score_urgencies(self, mail: "_Mail", topics: "_Scores", kind: str) -> "_Scores":
        urgencies = self._urgencies.score(mail.letter)
        if kind in ("thanks", "irrelevant"):
            urgencies.add("low", 20)
        elif kind == "information":
            urgencies.add("critical", -20)
            if not mail.numbers and topics.best in words.GENERAL_TOPICS:
                urgencies.add("low", 10)
        elif topics.best in ("no_service", "device", "cable", "payment") and topics.total["no_service"] >= 4:
            urgencies.add("high", 10, *topics.said["no_service"][:2])
        return urgencies


class _Mail(NamedTuple):
    """A mail, read once."""

    letter: str
    """Subject and text, spelt out."""
    title: int
    """Where the subject ends in it."""
    reply: bool
    references: tuple[str, ...]
    numbers: tuple[ServiceNumber, ...]

    @classmethod
    def read(cls, subject: str, text: str) -> "_Mail":
        title, whole = _spell_out(subject), f"{subject}\n\n{text}"
        return cls(
            letter=f"{title} . {_spell_out(text)}",
            title=len(title),
            reply=_REPLY.match(subject) is not None,
            references=known_references(whole),
            numbers=service_numbers(whole),
        )


class _Scores:
    """Weights added up by label, with the words that gave them."""

    def __init__(self) -> None:
        self.total: dict[str, float] = {}
        self.said: dict[str, list[str]] = {}

    def add(self, label: str, weight: float, *said: str) -> None:
        self.total[label] = self.total.get(label, 0) + weight
        self.said.setdefault(label, []).extend(said)

    @property
    def best(self) -> str:
        return max(self.total, key=self.total.__getitem__)

    def shares(self) -> dict[str, float]:
        """Softmax over the labels that anything speaks for, and over what the words do not know."""
        top = self.total[self.best]
        powers = {label: math.exp((total - top) / _TEMPERATURE) for label, total in self.total.items() if total > 0}
        whole = sum(powers.values()) + math.exp((_UNKNOWN - top) / _TEMPERATURE)
        return {label: power / whole for label, power in powers.items()}

    def finding(self) -> dict[str, Any]:
        best = self.best
        return {"value": best, "confidence": self.shares().get(best, 0), "evidence": _evidence(self.said[best])}


class _Table:
    """A table of words, compiled."""

    def __init__(self, table: Mapping[str, str]) -> None:
        self._rules = [
            (label, float(weight), re.compile(_regex(phrase)))
            for label, lines in table.items()
            for weight, phrases in _LINE.findall(lines)
            for phrase in phrases.split(";")
        ]
        self._labels = tuple(table)

    def score(self, letter: str, place: Callable[[int], float] = lambda _: 1) -> _Scores:
        scores = _Scores()
        for label in self._labels:
            scores.add(label, 0)
        for label, weight, rule in self._rules:
            if matches := list(rule.finditer(letter)):
                said = [matches[0][0]] if weight > 0 else []
                scores.add(label, weight * max(place(match.start()) for match in matches), *said)
        return scores


def _regex(phrase: str) -> str:
    """A phrase of the tables as a regex; possessive, so that matching takes linear time."""
    first, near, second = phrase.partition("~")
    orders = (f"{first}..{second}", f"{second}..{first}") if near else (first,)
    return "|".join(rf"(?<!\S){_GAP.join(map(_sequence, order.split('..')))}(?!\S)" for order in orders)


def _sequence(phrase: str) -> str:
    spelt = re.sub(r"<(\w+)>", lambda group: words.GROUPS[group[1]], re.sub(r"\|\s+", "|", phrase))
    return " ".join(f"(?:{_ending(word)})" for word in spelt.split())


def _ending(word: str) -> str:
    return re.escape(word).replace(r"\|", "|").replace(r"\*", r"\w*+").replace("_", " ")


def _spell_out(text: str) -> str:
    """Lower-case words with single spaces; the ends of sentences stay, as words of their own."""
    found = _WORD.findall(re.sub(r"['’`]|(?<=\bwi)-(?=fi\b)", "", text.lower()))
    return " ".join(_spell_word(word) if word[0].isalnum() else word.strip() or "." for word in found)


def _spell_word(word: str) -> str:
    stem = word[:-3] if len(word) > 6 and word.endswith("nya") else word
    return _SHORT.get(word) or _SHORT.get(stem, stem)


_SHORT = {
    short: word
    for word, shorts in (line.split(":") for line in words.SHORT.strip().splitlines())
    for short in shorts.split()
}


def _find_products(
    scores: _Scores, topic: str, kind: str, numbers: tuple[ServiceNumber, ...]
) -> Finding[tuple[Product, ...]]:
    if any(number.type == "telephone" for number in numbers):
        scores.add("telephony", 4)
    if topic in words.TOPIC_PRODUCT:
        scores.add(words.TOPIC_PRODUCT[topic], 12)
    found = [product for product, total in scores.total.items() if total >= 4]
    if not found and topic not in words.NUMBER_TELLS_NOTHING and any(n.type == "internet" for n in numbers):
        found = ["indihome_internet"]
    if kind == "irrelevant":
        found = []
    elif _BUSINESS_PRODUCTS.intersection(found):
        found = [product for product in found if product != "indihome_internet"]
    return Finding[tuple[Product, ...]].model_validate(
        {
            "value": found,
            "confidence": min(1 / (1 + math.exp(-abs(scores.total[product] - 2))) for product in scores.total),
            "evidence": _evidence([said for product in found for said in scores.said[product][:1]]),
        }
    )


def _find_language(letter: str) -> Finding[Language]:
    spelt = letter.split()
    english, indonesian = (sum(word in known for word in spelt) for known in (words.ENGLISH, words.INDONESIAN))
    return Finding[Language](
        value="en" if english > indonesian else "id",
        confidence=(max(english, indonesian) + 1) / (english + indonesian + 2),
    )


def _evidence(said: list[str]) -> str:
    return "; ".join(dict.fromkeys(said))[:_MAX_EVIDENCE]
