"""EMS, the e-mail monitoring system: mail comes in over IMAP and letters go out over SMTP (SOP, section 6)."""

from adapters.ems.imap import Mailboxes
from adapters.ems.protocol import Ems, Lying, NotLetIn, Received
from adapters.ems.smtp import WayOut
from models.settings import Settings

__all__ = ["Ems", "ImapSmtp", "Lying", "NotLetIn", "Received"]


class ImapSmtp(Mailboxes, WayOut):
    """The real EMS. Connections are opened when needed, kept for all threads, and dropped on any error."""

    def __init__(self, settings: Settings) -> None:
        Mailboxes.__init__(self, settings)
        WayOut.__init__(self, settings.smtp)

    def close(self) -> None:
        """See :class:`Ems`."""
        self.close_imap()
        self.close_smtp()
