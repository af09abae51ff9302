"""When a mail arrived: the time that the customer is told, and from which the times of a case count (SOP 5.2).

After an outage it is long before intake. The order of mails and the limits against floods go by the time of intake,
because they concern what we do now, and a server's clock is not ours.
"""

from datetime import datetime, timedelta

from adapters.ems import Received
from models.settings import Settings

BELIEVED = timedelta(days=30)
"""Greatest believable age without a ``since`` of the mailbox: an older mail was moved into the folder, or the server's
clock is wrong."""


def arrival(settings: Settings, received: Received, now: datetime) -> datetime | None:
    """The server's time of arrival if it is believable; None in a rehearsal, which has another clock."""
    at = received.arrived_at
    if at is None or settings.clock == "simulated":
        return None
    return at if (received.since or now - BELIEVED) <= at <= now else None
