"""The canned answers to general questions (activities 3 and 11), each with related products (SOP 5.5).

The texts are in ``templates/<language>/answers.toml``. They say where and how, never a price or a promise.
"""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from pydantic import BaseModel, ConfigDict

from models.analysis import Product, Topic
from models.letter import Language

TEMPLATES = Path(__file__).parents[2] / "templates"

_BUSINESS: frozenset[Product] = frozenset({"astinet", "vpn_ip", "metro_ethernet", "managed_wifi", "hosting"})


@dataclass(frozen=True)
class CannedAnswer:
    """An answer ready for the letter: paragraphs separated by an empty line, and related products."""

    text: str
    related_products: tuple[str, ...]


class _Entry(BaseModel):
    """Base of the file's parts: it refuses unknown names and strips white space around texts."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True, str_min_length=1)


class _Topic(_Entry):
    home: str
    business: str | None = None
    """For data services, business internet and hosting; None: the same as for a home."""


class _Product(_Entry):
    name: str
    related: tuple[str, ...] = ()


class _Book(_Entry):
    channels: str
    business_channels: str
    mobile: str
    topics: dict[Topic, _Topic]
    products: dict[str, _Product]


class TemplateAnswers:
    """Canned answers from the files in ``folder``."""

    def __init__(self, folder: Path = TEMPLATES) -> None:
        self._books: dict[Language, _Book] = {
            language: _Book.model_validate(tomllib.loads((folder / language / "answers.toml").read_text("utf-8")))
            for language in get_args(Language)
        }

    def answer(self, topic: Topic, products: tuple[Product, ...], language: Language) -> CannedAnswer | None:
        """The canned answer, or None where a person must write one.

        Args:
            topic: Of the question.
            products: Of the question; empty if unknown.
            language: Of the letter.
        """
        book = self._books[language]
        texts = book.topics.get(topic)
        if texts is None:
            return None
        return CannedAnswer(_text(book, texts, products), _related(book, products))


def _text(book: _Book, texts: _Topic, products: tuple[Product, ...]) -> str:
    if products and set(products) == {"mobile"}:
        return book.mobile
    if _BUSINESS.intersection(products):
        return f"{texts.business or texts.home}\n\n{book.business_channels}"
    return f"{texts.home}\n\n{book.channels}"


def _related(book: _Book, products: tuple[Product, ...]) -> tuple[str, ...]:
    """Names of related products, without those of the question."""
    related = dict.fromkeys(key for product in products or ("other",) for key in book.products[product].related)
    return tuple(book.products[key].name for key in related if key not in products)
