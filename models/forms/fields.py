"""Fields that several forms have. Held by `tests/models/test_forms.py`."""

from typing import Any

from pydantic import Field

LONGEST_TEXT = 4000
"""Characters that a cause, a repair or a note may have."""
FROM_MAILBOX = frozenset({"CUSTOMER_WROTE", "message"})
"""What a mail answers, and people do not see: the choice, and the mail's row in the intake ledger."""
MEANWHILE = frozenset({"UPDATE", "CUSTOMER_WROTE"})
"""Codes of the choices that say what happened while a person thinks, and decide nothing."""
SEND_UPDATE = "Kirim kabar sekarang / Send an update now"
CUSTOMER_WROTE = "Pelanggan menulis / The customer wrote"


def text(title: str, description: str) -> Any:
    """A text that may stay empty."""
    return Field(default="", title=title, description=description, max_length=LONGEST_TEXT)


def decision(description: str) -> Any:
    """What a person decides."""
    return Field(title="Keputusan / Decision", description=description)


def event(description: str = "Apa yang terjadi / what happened") -> Any:
    """What ends a wait."""
    return Field(title="Kejadian / Event", description=description)


def cause() -> Any:
    """The cause, as the customer reads it."""
    return text("Penyebab / Cause", "Dikirim ke pelanggan / sent to the customer")


def repair() -> Any:
    """The repair, as the customer reads it."""
    return text("Perbaikan / Repair", "Dikirim ke pelanggan / sent to the customer")


def unit() -> Any:
    """The unit that repairs; the choices are those of the settings."""
    return Field(default="", title="Unit", description="Hanya bila ke unit / only if it goes to a unit")


def note() -> Any:
    """A note for colleagues."""
    return text("Catatan / Note", "Bukan untuk pelanggan / not for the customer")


def service_number(description: str) -> Any:
    """The line that the matter is about."""
    return Field(default="", title="Nomor layanan / Service number", description=description, max_length=40)
