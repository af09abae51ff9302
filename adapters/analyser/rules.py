"""Activity 1: finds what a mail wants (SOP 7.1) by rules. Their words are in ``words.py``."""

import math
from collections.abc import Callable
from typing import NamedTuple

from adapters.analyser import words
from adapters.analyser.numbers import known_references, service_numbers
from adapters.analyser.tables import Scores, Table, any_of, evidence, spell_out
from adapters.analyser.thanks import is_thanks, says_more
from models.analysis import Analysis, Finding, Kind, Product, SegmentHint, ServiceNumber, Topic, Urgency

MAX_SUBJECT, MAX_TEXT = 300, 10_000
"""Characters that are read; a mail says what it wants at its beginning."""

_REPLY = ("re:", "bls:", "balas:")
_MEANT = 4.0  # a product of at least this weight counts
_OFFICE_PRODUCTS = {"astinet", "vpn_ip", "metro_ethernet", "managed_wifi", "hosting", "mobile"}


class RuleAnalyser:
    """Adds up the weights of the phrases that a mail contains; a confidence is the softmax of these sums.

    The evidence is the phrases themselves, with abbreviations spelt out.
    """

    def __init__(self) -> None:
        self._topics = Table(words.TOPIC, other=1)
        self._kinds = Table(words.KIND)
        self._products = Table(words.PRODUCTS)
        self._urgencies = Table(words.URGENCY, normal=4)
        self._segments = Table(words.SEGMENT, unknown=3)
        self._escalation = Table(words.ESCALATION, no=7)
        self._solved = Table(words.SOLVED, no=7)
        self._aside = any_of(words.ASIDE)
        self._ours = any_of(words.OURS)

    def analyse(self, subject: str, text: str, *, sender_name: str = "") -> Analysis:
        """Analyse a mail; ``text`` is its new text, without quoted letters.

        No more than ``MAX_SUBJECT`` and ``MAX_TEXT`` characters are read.
        """
        subject, text = subject[:MAX_SUBJECT], text[:MAX_TEXT]
        mail = _Mail.read(subject, text)
        topics = self._topics.score(mail.words, self._place(mail))
        products = self._products.score(mail.words)
        kinds = self._score_kinds(mail, topics, products)
        segments = self._segments.score(f"{spell_out(sender_name[:MAX_SUBJECT])} . {mail.words}")
        if kinds.best == "irrelevant":
            segments.add("unknown", 8)
        kind = Finding[Kind].model_validate(kinds.finding())
        perhaps_thanks = kind.value is Kind.THANKS and kind.confidence > 0.5 and not says_more(text)
        return Analysis(
            kind=kind,
            topic=Finding[Topic].model_validate(topics.finding()),
            products=_find_products(products, topics.best, kinds.best, mail.numbers),
            service_numbers=mail.numbers,
            known_references=mail.references,
            urgency=Finding[Urgency].model_validate(self._score_urgencies(mail, topics, kinds.best).finding()),
            segment_hint=Finding[SegmentHint].model_validate(segments.finding()),
            wants_escalation=Finding[bool].model_validate(self._escalation.score(mail.words).finding()),
            says_solved=Finding[bool].model_validate(self._solved.score(mail.words[mail.title :]).finding()),
            thanks_alone=perhaps_thanks or is_thanks(text, sender_name),
        )

    def _place(self, mail: "_Mail") -> Callable[[int], float]:
        """The weight of a phrase by its position: how much it says about the main matter."""
        aside = self._aside.search(mail.words, mail.title)
        end = aside.start() if aside else len(mail.words)
        title = 0.7 if mail.reply else 1.5  # a reply has the subject of an older mail
        return lambda at: title if at < mail.title else 1 if at < end else 0.4

    def _score_kinds(self, mail: "_Mail", topics: Scores, products: Scores) -> Scores:
        kinds = self._kinds.score(mail.words)
        shares = topics.shares()
        for topic, share in shares.items():
            if topic in words.TOPIC_KIND:
                kinds.add(words.TOPIC_KIND[topic], 4 * share, *topics.said[topic][: share > 0.5])
        if mail.references:
            kinds.add("follow_up", 7, mail.references[0])
        if mail.reply:
            kinds.add("follow_up", 3, "Re:")
            kinds.add("thanks", 2)
        named = mail.reply or mail.numbers or mail.references or max(products.total.values()) > 0
        if not named and not self._ours.search(mail.words):
            ours = max((shares[topic] for topic in shares if topic not in words.STRANGER_TOPICS), default=0)
            kinds.add("irrelevant", 5 * (1 - ours))
        return kinds

    def _score_urgencies(self, mail: "_Mail", topics: Scores, kind: str) -> Scores:
        urgencies = self._urgencies.score(mail.words)
        if kind in ("thanks", "irrelevant"):
            urgencies.add("low", 20)
        elif kind == "information":
            urgencies.add("critical", -20)  # a question about a hospital's line is no emergency
            if not mail.numbers and topics.best in words.GENERAL_TOPICS:
                urgencies.add("low", 10)
        elif topics.best in words.OUTAGE_TOPICS and topics.total["no_service"] >= 4:
            urgencies.add("high", 10, *topics.said["no_service"])
        return urgencies


class _Mail(NamedTuple):
    """What the rules look at in a mail."""

    words: str
    """Subject and text, spelt out."""
    title: int
    """The end of the subject in ``words``."""
    reply: bool
    references: tuple[str, ...]
    numbers: tuple[ServiceNumber, ...]

    @classmethod
    def read(cls, subject: str, text: str) -> "_Mail":
        title, whole = spell_out(subject), f"{subject}\n\n{text}"
        return cls(
            words=f"{title} . {spell_out(text)}",
            title=len(title),
            reply=subject.strip().lower().startswith(_REPLY),
            references=known_references(whole),
            numbers=service_numbers(whole),
        )


def _find_products(
    scores: Scores, topic: str, kind: str, numbers: tuple[ServiceNumber, ...]
) -> Finding[tuple[Product, ...]]:
    named = {number.type for number in numbers}
    if "telephone" in named:
        scores.add("telephony", _MEANT)
    if topic in words.TOPIC_PRODUCT:
        scores.add(words.TOPIC_PRODUCT[topic], 3 * _MEANT)
    found = [product for product, total in scores.total.items() if total >= _MEANT]
    if not found and "internet" in named and topic not in words.NUMBER_TELLS_NOTHING:
        found = ["indihome_internet"]
    if kind == "irrelevant":
        found = []
    elif _OFFICE_PRODUCTS.intersection(found):
        found = [product for product in found if product != "indihome_internet"]
    return Finding[tuple[Product, ...]].model_validate(
        {
            "value": found,
            "confidence": min(1 / (1 + math.exp(-abs(total - _MEANT / 2))) for total in scores.total.values()),
            "evidence": evidence([said for product in found for said in scores.said[product][:1]]),
        }
    )
