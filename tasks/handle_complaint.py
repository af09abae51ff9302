"""Activity 4: handle the complaint: look for a solution in the systems (SOP 7.4)."""

from models.need import Finding, Need
from tasks.activity import activity
from tasks.diagnosis import diagnose
from tasks.serve_complaint import Complaint
from tasks.work import Work


@activity(4)
def handle_complaint(work: Work, need: Need, complaint: Complaint) -> Finding:
    """Ask the systems that know this kind of matter; a solution found is for an agent to approve."""
    return diagnose(work, need, complaint)
