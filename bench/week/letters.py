"""Letters as the relay took them."""

from dataclasses import dataclass
from datetime import datetime
from email.parser import BytesHeaderParser

from tests.relay import Accepted


@dataclass(frozen=True)
class Taken:
    """A letter that the relay has taken in the step that ended at ``at``."""

    at: datetime
    message_id: str
    customer: str
    subject: str

    @classmethod
    def of(cls, accepted: Accepted, at: datetime) -> "Taken":
        """What the relay says of it."""
        customer = next((one for one in accepted.recipients if not one.startswith("layanan")), "")
        subject = BytesHeaderParser().parsebytes(accepted.raw)["Subject"]
        return cls(at, accepted.message_id, customer, str(subject))

    @property
    def kind(self) -> str:
        """Of a letter of ours, as its Message-ID says: ``<jkt-0000001.closing.1.…>``."""
        return self.message_id.split(".")[1] if self.message_id.count(".") > 2 else ""
