"""EMS, the e-mail monitoring system (SOP 11.1 EMS): mail comes in over IMAP, letters go out over SMTP.

Held by `tests/adapters/ems/test_imap.py` and `tests/adapters/ems/test_smtp.py`.
"""

import logging
import math
from collections.abc import Sequence

from adapters.ems.imap import Mailboxes
from adapters.ems.protocol import Ems, NotLetIn, Received, Unsettled
from adapters.ems.smtp import SmtpRelay
from models.errors import LayananError, Refused
from models.settings import Mailbox, Settings

__all__ = ["Ems", "ImapSmtp", "NotLetIn", "Received", "Unsettled"]

_log = logging.getLogger(__name__)


class ImapSmtp(Mailboxes, SmtpRelay):
    """The real EMS. Connections are opened when needed, kept for all threads, and dropped on any error."""

    def __init__(self, settings: Settings) -> None:
        Mailboxes.__init__(self, settings)
        SmtpRelay.__init__(self, settings.smtp)
        self._settings = settings

    def send(  # type: ignore[override]  # tenacity's decorator hides the signature
        self, raw: bytes, sender: str, recipients: Sequence[str], until: float = math.inf, copies: Sequence[str] = ()
    ) -> None:
        """See :class:`Ems`."""
        super().send(raw, sender, recipients, until, copies)
        if self._settings.smtp.copies == "append":
            try:
                self.keep_copy(raw, self._settings.mailbox(sender))
            except LayananError as error:
                _log.warning("the copy of a letter was not kept: %s", error)

    def reach_copies(self, box: Mailbox) -> str:
        """See :class:`Ems`."""
        way = self._settings.smtp.copies
        if way == "none":
            return "none are kept: LAYANAN_SMTP__IN_DOUBT decides what happens to an unconfirmed letter"
        if not self.has_sent_folder(box):
            what = f"there is no folder {box.sent_folder}: create it in the mailbox, or name an existing one"
            raise Refused("imap", f"{what} in sent_folder of LAYANAN_MAILBOXES")
        if way == "address":
            self.takes_copies(box.address)
        return f"they come to {box.sent_folder}"

    def close(self) -> None:
        """See :class:`Ems`."""
        self.close_imap()
        self.close_smtp()
