"""Deciding at the desk: an answer counts if its author has the right, and on the facts that they have seen.

It is recorded with the wait; the run takes it from there, whether the engine answers now or later.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from pydantic import ValidationError
from sqlalchemy import delete
from sqlmodel import col

from adapters.case_store import audit
from adapters.wiring import Systems
from models.audit import Action
from models.author import Author
from models.errors import LayananError, NotWaiting, WrongUse
from models.forms import FORMS
from models.forms.base import NOBODY, SYSTEM, Form
from models.staff import Claim
from models.tables import Wait
from tasks.desk.facts import Facts, news
from tasks.run.answers import answers
from tasks.run.authors import NotAllowed, why_not
from tasks.run.family import locked
from tasks.run.resume import resume


class Outdated(LayananError):
    """The case is no longer what its author saw; ``news`` says in what. Nothing was recorded."""

    def __init__(self, news: Sequence[str]) -> None:
        super().__init__("the case has changed meanwhile")
        self.news = news


def answer(systems: Systems, author: Author, case_id: int, words: Mapping[str, str], seen: Facts | None = None) -> None:
    """Record the answer to what the case waits for, and have its run go on.

    Args:
        words: by field; a choice by its code, or as people read it.
        seen: the case as its author saw it; None: nobody says what they saw.

    Raises:
        Outdated: something has happened since, or a colleague has decided.
        NotAllowed: the author may not decide this.
        NotWaiting: the case waits for nothing.
        WrongUse: a field or a choice that the form does not have, or answers that cannot be taken together.
        Unavailable: the store does not answer.
    """
    with systems.store.write() as session:
        case = locked(session, case_id)
        wait = session.get(Wait, case_id)
        if since := list(news(session, case_id, seen)) if seen else []:
            raise Outdated(since)
        if wait is None or case.run_id is None:
            raise NotWaiting(f"{case.reference} waits for nothing now; it is {case.status}")
        if wait.given:
            raise Outdated([f"{wait.given['by']} sudah memutuskan / has decided"])
        if why := why_not(session, author, case, wait):
            at, what = systems.clock.now(), {"subject": wait.wait_key, "after": dict(words)}
            audit.note(session, author.entry(Action.DECISION_REFUSED, at, reference=case.reference, **what))
        else:
            given = filled(wait, author.name, words)
            wait.given, wait.given_how = given, author.how or ""
            wait.given_by = author.staff_id
            session.execute(delete(Claim).where(col(Claim.case_id) == case_id))
        run_id = case.run_id
    if why:
        raise NotAllowed(why.value)
    with suppress(LayananError):  # else the sweep has the run go on
        resume(systems, run_id, wait, given)


def filled(wait: Wait, by: str, words: Mapping[str, str]) -> dict[str, Any]:
    """The form's answers as the run takes them.

    Raises:
        WrongUse: a field or a choice that the form does not have, or answers that cannot be taken together.
    """
    form = FORMS[wait.form]
    if by == SYSTEM:
        raise WrongUse(NOBODY)
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
