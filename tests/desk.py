"""People at the desk, and what cases ask them, without an engine."""

from typing import Any

from sqlalchemy import update
from sqlmodel import col

from adapters.wiring import Systems
from models.author import Author
from models.forms.base import Form
from models.staff import SignedIn, Staff, StaffRole
from models.tables import Case, Wait
from tasks.run.case_run import CaseRun
from tasks.run.wait_key import WaitKey
from tasks.run.waits import Question

RUN = "00000000-0000-4000-8000-00000000000a"


def member(systems: Systems, name: str, *roles: StaffRole, **more: Any) -> Staff:
    """Somebody who works here."""
    email = f"{name.lower()}@telkom.example"
    person = Staff(name=name, email=email, roles=[role.name for role in roles or (StaffRole.AGENT_1,)], **more)
    with systems.store.write() as session:
        session.add(person)
    return person


def author(person: Staff) -> Author:
    return Author.of(person, SignedIn.PASSWORD)


def asks(case: CaseRun, form: type[Form], number: int = 1, about: str = "Pertanyaan", **first: Any) -> Wait:
    """The case waits with a form, in a run of which nothing else is known."""
    shown = form.asking(case.systems.settings.policy.units, (), **first)
    question = Question(case, form, WaitKey.of_form(form, number), shown)
    wait = question.begin(about)
    with case.store.write() as session:
        session.execute(update(Case).where(col(Case.id) == case.case_id).values(run_id=RUN))
    return wait
