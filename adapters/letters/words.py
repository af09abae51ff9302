"""The words of greetings and times, which depend on the clock and so cannot be in a template.

Held by `tests/adapters/letters/test_writer.py`.
"""

import re
from dataclasses import dataclass
from datetime import datetime

from markupsafe import Markup

from adapters.letters.bodies import whole
from models.letter import Language

_TITLED = re.compile(r"(bapak|bpk|pak|ibu|bu|sdri?|mr|mrs|ms|miss)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Words:
    """One language's words."""

    months: str
    time: str
    """``strftime`` format of the time of day, with its zone."""
    greetings: dict[int, str]
    """By the hour from which each is used, ascending; before the first hour the last one is used."""
    title: str
    """Precedes a name without a title."""
    stranger: str
    """Replaces an unknown name."""

    def moment(self, at: datetime) -> Markup:
        """``at`` in words, in its own time zone. A line may break only between day and time."""
        day = f"{at.day} {self.months.split()[at.month - 1]} {at.year}"
        return Markup(" ").join((whole(day), whole(at.strftime(self.time))))

    def salutation(self, at: datetime, name: str) -> str:
        """The greeting of the time of day and the name (SOP 5.1), without the comma after it."""
        begun = [greeting for hour, greeting in self.greetings.items() if hour <= at.hour]
        greeting = begun[-1] if begun else list(self.greetings.values())[-1]
        if name.islower():
            name = name.title()
        if name and self.title and not _TITLED.match(name):
            name = f"{self.title} {name}"
        return ", ".join(filter(None, (greeting, name or self.stranger)))


WORDS: dict[Language, Words] = {
    "id": Words(
        months="Januari Februari Maret April Mei Juni Juli Agustus September Oktober November Desember",
        time="pukul %H.%M %Z",
        greetings={4: "Selamat pagi", 11: "Selamat siang", 15: "Selamat sore", 18: "Selamat malam"},
        title="Bapak/Ibu",
        stranger="Bapak/Ibu Pelanggan",
    ),
    "en": Words(
        months="January February March April May June July August September October November December",
        time="at %H:%M %Z",
        greetings={4: "Good morning", 12: "Good afternoon", 18: "Good evening"},
        title="",
        stranger="",
    ),
}
