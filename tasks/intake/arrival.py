"""When a mail came to us: what the customer is told, and what the times of a case (SOP 5.2) are counted from.

After an outage that is long before intake. The order of mails and the limits against floods go by intake: they are
about what we do now, and a server's clock is not ours.
"""

from datetime import datetime, timedelta

from adapters.ems import Received
from models.settings import Settings

BELIEVED = timedelta(days=30)
"""What is older, where nothing says from when on mail is read, was moved into the folder by somebody, or its server's
clock is wrong."""


def arrival(settings: Settings, received: Received, now: datetime) -> datetime | None:
    """The server's word, where it can be believed; in a rehearsal its clock is not the service's."""
    at = received.arrived_at
    if at is None or settings.clock == "simulated":
        return None
    return at if (received.since or now - BELIEVED) <= at <= now else None
