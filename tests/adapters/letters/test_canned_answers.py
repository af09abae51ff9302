"""The prepared answers: both languages know the same, nothing is promised, products are always named."""

import re
from itertools import combinations
from typing import get_args

import pytest

from adapters.letters.canned_answers import TemplateAnswers
from models.analysis import Product, Topic
from models.letter import InformationFacts, Language

TOPICS: tuple[Topic, ...] = get_args(Topic)
PRODUCTS: tuple[Product, ...] = get_args(Product)
LANGUAGES: tuple[Language, ...] = get_args(Language)
ANSWERED = {
    "packages", "coverage", "payment", "billing_amount", "bill_copy", "change_package", "relocation", "termination",
    "password", "account_data", "privacy", "installation", "compensation", "fraud",
}  # fmt: skip


@pytest.fixture(scope="module")
def answers() -> TemplateAnswers:
    return TemplateAnswers()


@pytest.mark.parametrize("topic", TOPICS)
def test_both_languages_answer_the_same_topics(answers: TemplateAnswers, topic: Topic) -> None:
    for products in ((), ("indihome_internet",), ("astinet",), ("mobile",)):
        found = [answers.answer(topic, products, language) for language in LANGUAGES]
        assert [answer is not None for answer in found] == [topic in ANSWERED] * 2
        texts = [answer.text for answer in found if answer]
        assert len(set(texts)) == len(texts)
        assert len({text.count("\n\n") for text in texts}) <= 1


@pytest.mark.parametrize("language", LANGUAGES)
def test_related_products_are_never_empty_and_never_the_ones_asked_about(
    answers: TemplateAnswers, language: Language
) -> None:
    prefixes = {"indihome_internet": "IndiHome Internet", "indihome_tv": "IndiHome TV", "hosting": "Hosting"}
    never_named = set(prefixes)
    for size in range(len(PRODUCTS) + 1):
        for products in combinations(PRODUCTS, size):
            answer = answers.answer("packages", products, language)
            assert answer is not None
            assert answer.related_products
            assert len(set(answer.related_products)) == len(answer.related_products)
            for product, prefix in prefixes.items():
                named = any(name.startswith(prefix) for name in answer.related_products)
                assert not (named and product in products)
                if named:
                    never_named.discard(product)
    assert not never_named, "a product that no other is related to proves nothing"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("topic", sorted(ANSWERED))
def test_answers_name_channels_and_no_prices(answers: TemplateAnswers, topic: Topic, language: Language) -> None:
    channels: dict[tuple[Product, ...], str] = {
        (): "188",
        ("indihome_internet", "telephony"): "188",
        ("telephony", "astinet"): "account manager",
        ("mobile",): "grapari",
    }
    for products, channel in channels.items():
        answer = answers.answer(topic, products, language)
        assert answer is not None
        assert channel in answer.text.lower()
        assert not re.search(r"Rp|IDR|\d{3}\.\d{3}|%|https?:|\n\n\n", answer.text)
        InformationFacts(answer=answer.text, related_products=answer.related_products)


def test_a_business_gets_its_own_answer(answers: TemplateAnswers) -> None:
    home, business = (answers.answer("relocation", (p,), "id") for p in ("indihome_internet", "vpn_ip"))
    assert home is not None
    assert business is not None
    assert "SID" in business.text
    assert "SID" not in home.text
