"""Activity 4: handle the complaint: look for a solution in the systems (SOP 7.4)."""

from datetime import timedelta

from models.need import Diagnosis, Need
from models.states import SignalKind
from tasks.diagnosis import diagnose
from tasks.run.activity import activity
from tasks.run.work import Work
from tasks.serve_complaint import Complaint


@activity(4)
def handle_complaint(work: Work, need: Need, complaint: Complaint) -> Diagnosis:
    """Ask the systems that know this kind of matter; an agent must approve a solution in time (SOP 5.8)."""
    diagnosis = diagnose(work, need, complaint)
    if diagnosis.solution is not None:
        # there is no ticket to report on; if nobody approves in time, the case goes to the unit
        work.drop_deadlines(SignalKind.UPDATE)
        work.deadline(SignalKind.APPROVAL, timedelta(hours=work.settings.policy.update_hours))
    return diagnosis
