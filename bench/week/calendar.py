"""When things happen in the week: all times are those of Jakarta."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

MONDAY = datetime(2027, 4, 5, tzinfo=ZoneInfo("Asia/Jakarta"))
"""The week begins here: a week without holidays."""
SUNDAY_NIGHT = MONDAY + timedelta(days=7)
OPEN, CLOSED = 8, 17
"""Hours in which people decide, from Monday to Saturday."""
REFUSING = (MONDAY + timedelta(days=1, hours=9), MONDAY + timedelta(days=1, hours=11))
"""The relay refuses our account."""
AWAY = (MONDAY + timedelta(days=2, hours=20), MONDAY + timedelta(days=3, hours=6))
"""The worker is away."""
ASKED_TO_WAIT = (MONDAY + timedelta(days=3, hours=9), MONDAY + timedelta(days=3, hours=15))
"""One system answers 429."""


def working(at: datetime) -> bool:
    """Whether people work then."""
    return at.weekday() < 6 and OPEN <= at.hour < CLOSED


def within(at: datetime, span: tuple[datetime, datetime]) -> bool:
    """Whether a moment lies in a span."""
    return span[0] <= at < span[1]
