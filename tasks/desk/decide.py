"""Deciding at the desk: an answer counts if its author has the right, and on the facts that they have seen.

It is recorded with the wait; the run takes it from there, whether the engine answers now or later.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError
from sqlalchemy import delete
from sqlmodel import Session, col, select

from adapters.case_store import audit
from adapters.wiring import Systems
from models.audit import Action, Entry
from models.errors import LayananError, NotWaiting, WrongUse
from models.forms import FORMS
from models.forms.base import Form
from models.rights import Denied, Matter, refusal
from models.sop import Role
from models.staff import Claim, SignedIn, Staff
from models.tables import Case, Decision, Wait
from tasks.desk.facts import Facts, news
from tasks.run.family import locked
from tasks.run.resume import resume
from tasks.run.submit import answers

HANDED_UP = ("ESCALATE", "SUPERVISOR", "TEAM_LEADER")
"""Codes of the choices by which a person hands a matter to the role above."""


class Outdated(LayananError):
    """The case is no longer what its author saw; ``news`` says in what. Nothing was recorded."""

    def __init__(self, news: Sequence[str]) -> None:
        super().__init__("the case has changed meanwhile")
        self.news = news


class NotAllowed(LayananError):
    """This person may not decide this; ``why`` says why."""

    def __init__(self, why: Denied) -> None:
        super().__init__(why.value)
        self.why = why


@dataclass(frozen=True)
class Author:
    """Who decides, and how they were recognised."""

    staff: Staff
    how: SignedIn


def answer(systems: Systems, author: Author, case_id: int, seen: Facts, words: Mapping[str, str]) -> None:
    """Record the answer to what the case waits for, and have its run go on.

    Args:
        seen: the case as its author saw it.
        words: by field; a choice by its code.

    Raises:
        Outdated: something has happened since.
        NotAllowed: the author may not decide this.
        NotWaiting: the case waits for nothing.
        WrongUse: a field or a choice that the form does not have, or answers that cannot be taken together.
        Unavailable: the store does not answer.
    """
    with systems.store.write() as session:
        case = locked(session, case_id)
        wait = session.get(Wait, case_id)
        if since := list(news(session, case_id, seen)):
            raise Outdated(since)
        if wait is None or case.run_id is None:
            raise NotWaiting(f"{case.reference} waits for nothing now; it is {case.status}")
        if wait.given:
            raise Outdated([f"{wait.given['by']} sudah memutuskan / has decided"])
        if why := refusal(author.staff, matter(session, case, wait)):
            refused, at = Action.DECISION_REFUSED, systems.clock.now()
            key = wait.wait_key
            audit.note(session, Entry.of_staff(refused, at, author.staff, author.how, case.reference, key, dict(words)))
        else:
            given = filled(wait, author.staff.name, words)
            wait.given, wait.given_by, wait.given_how = given, author.staff.key, author.how
            session.execute(delete(Claim).where(col(Claim.case_id) == case_id))
        run_id = case.run_id
    if why:
        raise NotAllowed(why)
    with suppress(LayananError):  # else the sweep has the run go on
        resume(systems, run_id, wait, given)


def matter(session: Session, case: Case, wait: Wait) -> Matter:
    """What is to be decided, as the table of rights knows it."""
    decided = select(Decision).where(Decision.case_id == case.id).order_by(col(Decision.id).desc())
    latest = session.exec(decided.limit(1)).first()
    handed_up = latest is not None and latest.answers.get("choice") in HANDED_UP
    return Matter(
        site=case.site,
        role=Role(wait.role),
        escalated_to=Role(wait.escalated_to) if wait.escalated_to else None,
        escalated_by=latest.staff_id if latest and handed_up else None,
    )


def filled(wait: Wait, by: str, words: Mapping[str, str]) -> dict[str, Any]:
    """The form's answers as the run takes them.

    Raises:
        WrongUse: a field or a choice that the form does not have, or answers that cannot be taken together.
    """
    form = FORMS[wait.form]
    fields: dict[str, dict[str, Any]] = wait.json_schema["properties"]
    given = {"by": by} | {name: field["default"] for name, field in fields.items() if "default" in field}
    given |= answers(wait.form, wait.json_schema, words)
    try:
        problem = form.model_validate(given).problem()
    except ValidationError as error:
        problem = "; ".join(_said(form, one) for one in error.errors())
    if problem:
        raise WrongUse(problem)
    return given


def _said(form: type[Form], fault: Any) -> str:
    field = str(fault["loc"][0])
    title = form.model_fields[field].title if field in form.model_fields else field
    if fault["type"] == "missing":
        return f"{title}: isi / fill it in"
    if limit := fault.get("ctx", {}).get("min_length"):
        return f"{title}: minimal {limit} karakter / at least {limit} characters"
    if limit := fault.get("ctx", {}).get("max_length"):
        return f"{title}: maksimal {limit} karakter / at most {limit} characters"
    return f"{title}: {fault['msg']}"
