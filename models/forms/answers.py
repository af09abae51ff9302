"""Answers to the customer, and from the customer (activity 3, SOP 5.4).

Held by `tests/models/test_forms.py`.
"""

from typing import ClassVar

from pydantic import Field

from models.forms import fields
from models.forms.base import Choice, Form, Takes
from models.sop import Role
from models.states import SignalKind


class WriteAnswer(Form):
    """Activity 3 found no canned answer, so the agent writes one."""

    title = "Tulis jawaban / Write the answer"
    role = Role.AGENT

    answer: str = Field(
        title="Jawaban / Answer",
        description="Dikirim ke pelanggan, dalam bahasanya / sent to the customer, in their language",
        min_length=10,
        max_length=8000,
    )
    related_products: str = Field(
        title="Produk terkait / Related products",
        description="Pisahkan dengan koma / separated by commas (5.5)",
        min_length=2,
        max_length=400,
    )


class AnswerChoice(Choice):
    """Whether the customer answered our question."""

    ANSWERED = "Pelanggan menjawab / The customer answered"
    NO_ANSWER = "Tidak ada jawaban / No answer"


class CustomerAnswer(Form):
    """We asked the customer something. A mail, silence, or an agent who phoned answers this form."""

    title = "Menunggu jawaban pelanggan / Waiting for the customer's answer"
    role = Role.CUSTOMER
    takes: ClassVar[Takes] = {SignalKind.MAIL: {"choice": "ANSWERED"}, SignalKind.ANSWER: {"choice": "NO_ANSWER"}}
    ends = SignalKind.ANSWER
    hidden = frozenset({"message"})

    choice: AnswerChoice = fields.event()
    message: int = 0
    service_number: str = fields.service_number(
        "Bila disebut pelanggan lewat telepon / if the customer told it by phone"
    )


class UnclearChoice(Choice):
    """How a case continues whose customer has not said what we asked for."""

    FOUND = "Nomor layanan ditemukan / The service number is found"
    ASK_AGAIN = "Tanyakan lagi / Ask again"
    CLOSE = "Tutup tanpa jawaban / Close as unanswered"


class UnclearAnswer(Form):
    """Something is still missing after the customer's answers, so the agent reads them."""

    title = "Jawaban belum lengkap / The answer is incomplete"
    role = Role.AGENT

    choice: UnclearChoice = fields.decision("Baca jawaban pelanggan / read the customer's answers")
    service_number: str = fields.service_number("Hanya bila ditemukan / only where it is found")

    def problem(self) -> str | None:
        """A number that was found must be given."""
        if self.choice is UnclearChoice.FOUND and not self.service_number:
            return "Isi nomor layanan / give the service number"
        return None
