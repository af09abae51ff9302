"""Activity 2: serve the complaint, so that the record matches the complaint (SOP 7.2, 5.4)."""

from typing import Literal

from models.need import Need, Output
from tasks.run.activity import activity
from tasks.run.work import Work

SEVERITY: dict[str, Literal["Critical", "Major", "Minor"]] = {"critical": "Critical", "high": "Major"}


class Complaint(Output):
    """The complaint as we record it and as the unit reads it."""

    topic: str
    service_number: str
    severity: Literal["Critical", "Major", "Minor"]
    description: str
    """Without personal data beyond the service number, because it goes to other systems."""


@activity(2)
def serve_complaint(work: Work, need: Need) -> Complaint:
    """Record the complaint's details."""
    received = work.message(need.message_id).came_at.astimezone(work.settings.zone_of(work.case.mailbox))
    description = (
        f"{work.case.reference}: {need.topic.replace('_', ' ')}, layanan {need.service_number or '-'}; "
        f"email pelanggan diterima {received:%d-%m-%Y %H:%M}"
    )
    work.change(kind=need.kind.value, topic=need.topic, service_number=need.service_number)
    return Complaint(
        topic=need.topic,
        service_number=need.service_number,
        severity=SEVERITY.get(need.urgency, "Minor"),
        description=description,
    )
