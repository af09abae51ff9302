"""The closing's waiting period (activity 12).

Held by `tests/models/test_forms.py`.
"""

from typing import ClassVar

from models.forms import fields
from models.forms.base import Choice, Form, Takes
from models.forms.fields import CUSTOMER_WROTE
from models.sop import Role
from models.states import SignalKind


class ClosingChoice(Choice):
    """What came within the waiting period."""

    SILENCE = "Tidak ada jawaban, tutup / Silence, close"
    CUSTOMER_WROTE = CUSTOMER_WROTE


class ClosingPeriod(Form):
    """12: after the closing letter an answer may reopen the case; silence closes it."""

    title = "Masa tunggu closing / Closing's waiting period"
    role = Role.CUSTOMER
    takes: ClassVar[Takes] = {SignalKind.MAIL: {"choice": "CUSTOMER_WROTE"}, SignalKind.CLOSING: {"choice": "SILENCE"}}
    ends = SignalKind.CLOSING
    hidden = frozenset({"message"})

    choice: ClosingChoice = fields.event()
    message: int = 0


class DisputeChoice(Choice):
    """Whether the case is reopened."""

    REOPEN = "Buka lagi / Reopen"
    CLOSE = "Tutup / Close"


class DisputedClosing(Form):
    """The customer answered the closing letter: is the case reopened?"""

    title = "Closing disanggah / Disputed closing"
    role = Role.AGENT

    choice: DisputeChoice = fields.decision("Buka lagi bila belum beres / reopen if unsolved")
    note: str = fields.note()
