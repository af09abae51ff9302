"""The forms that people fill in while a run is suspended, one for each kind of decision (SOP 10.1).

Prefect refuses at once what breaks the JSON schema (choices, lengths). What JSON schema cannot express,
:meth:`models.forms.base.Form.problem` refuses after the resume, and the run waits again with that reason. Choices are
shown in Indonesian and English, and recorded by their short codes, the members' names.

Each module has the forms of one part of the SOP.
"""

from models.forms.analysis import ConfirmAnalysis, ConfirmSender, SameMatter
from models.forms.answers import CustomerAnswer, UnclearAnswer, WriteAnswer
from models.forms.base import Form
from models.forms.closing import ClosingPeriod, DisputedClosing
from models.forms.complaint import ApproveSolution, Escalation, HandlingStuck, SupervisorEscalation, UnitProgress
from models.forms.trouble import FixActivity, FixActivityByLeader, OfficeOpens, Unreachable

FORMS: dict[str, type[Form]] = {
    form.__name__: form
    for form in (
        ConfirmAnalysis,
        WriteAnswer,
        ApproveSolution,
        HandlingStuck,
        UnitProgress,
        Escalation,
        SupervisorEscalation,
        CustomerAnswer,
        UnclearAnswer,
        ClosingPeriod,
        DisputedClosing,
        FixActivity,
        FixActivityByLeader,
        Unreachable,
        SameMatter,
        ConfirmSender,
        OfficeOpens,
    )
}
"""All forms, by the name that waits and decisions are stored with."""
