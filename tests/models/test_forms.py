"""Every form as the engine and its UI get it (SOP 10.1)."""

import re
from typing import Any, get_args

import pytest
from pydantic import ValidationError

from adapters.engine.suspend import engines_form
from models.analysis import Topic
from models.forms import FORMS
from models.forms.analysis import TopicChoice
from models.forms.base import SYSTEM, Choice, Form
from models.forms.complaint import ComplaintForm, ProgressChoice
from models.forms.trouble import FixChoice
from models.sop import Role
from models.states import SignalKind

UNITS = ("Access Network", "Core Network")
GOOD: dict[str, dict[str, Any]] = {
    "ConfirmAnalysis": {"need": "COMPLAINT", "topic": "slow"},
    "WriteAnswer": {"answer": "Silakan lihat di web", "related_products": "IndiHome TV"},
    "ApproveSolution": {"choice": "COORDINATE"},
    "HandlingStuck": {"choice": "ESCALATE", "unit": "Core Network"},
    "UnitProgress": {"choice": "UPDATE"},
    "Escalation": {"choice": "OTHER_UNIT", "unit": "Core Network"},
    "SupervisorEscalation": {"choice": "TELKOM"},
    "CustomerAnswer": {"choice": "NO_ANSWER"},
    "UnclearAnswer": {"choice": "ASK_AGAIN"},
    "ClosingPeriod": {"choice": "SILENCE"},
    "DisputedClosing": {"choice": "REOPEN"},
    "FixActivity": {"choice": "RETRY"},
    "FixActivityByLeader": {"choice": "BY_HAND"},
    "Unreachable": {"choice": "SEND_AGAIN"},
    "SameMatter": {"choice": "JOIN"},
    "ConfirmSender": {"choice": "GENUINE"},
    "OfficeOpens": {"choice": "SEND"},
}
WAKES: dict[str, dict[str, Any]] = {
    "mail": {"message": 7},
    "unit": {"choice": "REPAIRED", "cause": "Kabel putus", "repair": "Disambung"},
    "update": {},
    "repair": {},
    "answer": {},
    "closing": {},
    "approval": {},
    "opening": {},
    "undelivered": {"letter": 3},
}

every_form = pytest.mark.parametrize("form", FORMS.values(), ids=lambda form: form.__name__)


def filled(form: type[Form], **more: Any) -> Form:
    return form(**{"by": "Sari"} | GOOD[form.__name__] | more)


def fields(schema: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The schema's fields, what they refer to put in their place."""
    found: dict[str, dict[str, Any]] = {}
    for name, field in schema["properties"].items():
        reference = field.get("$ref") or field.get("allOf", [{}])[0].get("$ref", "")
        found[name] = schema["$defs"][reference.rpartition("/")[2]] | field if reference else field
    return found


@every_form
def test_the_ui_can_draw_it(form: type[Form]) -> None:
    schema = form.asking(UNITS).model_json_schema()
    for name, field in fields(schema).items():
        assert field["type"] in {"string", "integer"}, name
        assert not {"anyOf", "oneOf"} & field.keys(), name
    assert schema["additionalProperties"] is False
    assert (schema["properties"]["by"]["minLength"], schema["properties"]["by"]["maxLength"]) == (2, 80)


@every_form
def test_first_answers_keep_titles_and_descriptions(form: type[Form]) -> None:
    first = {name: value for name, value in filled(form) if name != "by"}
    asked = form.asking(UNITS, with_code=True, **first)
    plain, shown = form.model_json_schema(), asked.model_json_schema()
    for name, field in fields(plain).items():
        if name in form.hidden:
            assert name not in fields(shown)
            continue
        mine = fields(shown)[name]
        assert mine["title"] == form.model_fields[name].title, name
        assert mine["description"] == form.model_fields[name].description, name
        assert mine.get("maxLength") == field.get("maxLength"), name
        if name in first:
            assert mine["default"] == first[name], name
    assert shown["required"] == ["by"]


@every_form
def test_what_must_be_answered_is_required(form: type[Form]) -> None:
    needed = {name for name, field in form.model_fields.items() if field.is_required()}
    assert set(form.asking(UNITS).model_json_schema()["required"]) == needed


@every_form
def test_the_text_above_the_form_is_the_cases(form: type[Form]) -> None:
    shown = form.asking(UNITS)
    for description in ("Kasus **JKT-1**", "Kasus **JKT-2**"):
        engines: Any = engines_form(shown, description)
        assert engines._description == description
        assert engines.model_json_schema() == shown.model_json_schema(), "what is kept is what is shown"


@every_form
def test_choices_are_read_in_two_languages_and_recorded_by_code(form: type[Form]) -> None:
    shown = filled(form).model_dump(mode="json")
    recorded = filled(form).answers()
    for name, value in filled(form):
        if isinstance(value, Choice):
            assert " / " in shown[name]
            assert recorded[name] == value.name
    assert form.model_validate(recorded) == filled(form)
    assert form.model_validate(shown) == filled(form)


@every_form
def test_names_of_a_wait_are_allowed_by_the_engine(form: type[Form]) -> None:
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", form.slug())


def test_no_two_forms_share_a_name() -> None:
    assert len({form.slug() for form in FORMS.values()}) == len(FORMS)
    assert set(GOOD) == set(FORMS)


@every_form
def test_every_wake_that_it_takes_fills_it(form: type[Form]) -> None:
    for kind in form.takes:
        answer = form.filled_by_signal(kind, WAKES[kind])
        assert answer.by == SYSTEM
        assert answer.problem() is None
    for kind in form.signals():
        # and as the service submits it to the engine
        submitted = form.submitted_for_signal(kind, WAKES[kind])
        assert form.asking(UNITS).model_validate(submitted).by == SYSTEM
        assert submitted["choice"] in fields(form.asking(UNITS).model_json_schema())["choice"]["enum"]


def test_people_are_not_offered_what_only_the_service_can_say() -> None:
    schema = fields(FORMS["UnitProgress"].asking(UNITS).model_json_schema())
    assert schema["choice"]["enum"] == [ProgressChoice.REPAIRED, ProgressChoice.UPDATE, ProgressChoice.ESCALATE]
    assert "message" not in schema
    leaders = FORMS["FixActivityByLeader"].asking(hidden={"BY_HAND", "value"})
    assert fields(leaders.model_json_schema())["choice"]["enum"] == [FixChoice.RETRY]
    assert leaders.model_validate({"by": "Sari", "choice": FixChoice.RETRY}).answers() == {
        "by": "Sari",
        "choice": "RETRY",
        "value": "",
    }
    again = FORMS["UnitProgress"].asking(UNITS, choice="ESCALATE")
    assert fields(again.model_json_schema())["choice"]["default"] == ProgressChoice.ESCALATE


def test_a_customers_mail_reaches_every_wait_for_the_customer_and_every_complaint_on_a_desk() -> None:
    for form in FORMS.values():
        assert ("mail" in form.takes) == (form.role in (Role.CUSTOMER, Role.UNIT) or issubclass(form, ComplaintForm)), (
            form
        )


@pytest.mark.parametrize("form", [form for form in FORMS.values() if issubclass(form, ComplaintForm)])
def test_what_happens_meanwhile_is_no_decision(form: type[ComplaintForm]) -> None:
    for kind, answers in ((SignalKind.MAIL, {"message": 7}), (SignalKind.UPDATE, {})):
        taken = form.filled_by_signal(kind, answers)
        assert (taken.decided, taken.problem(), taken.message) == (False, None, answers.get("message", 0))
    assert list(form.model_fields)[-1] == "message"
    assert form(by="Sari", **GOOD[form.__name__]).decided


@pytest.mark.parametrize("name", [name for name, form in FORMS.items() if "unit" in form.model_fields])
def test_units_are_choices_and_no_other_is_taken(name: str) -> None:
    asked = FORMS[name].asking(UNITS, unit="Core Network")
    unit = fields(asked.model_json_schema())["unit"]
    assert unit["enum"] == list(UNITS)
    assert unit["default"] == "Core Network"
    assert fields(FORMS[name].asking(UNITS, unit="Gone").model_json_schema())["unit"]["default"] == UNITS[0]
    answer = asked(by="Sari", **GOOD[name])
    assert answer.answers()["unit"] == "Core Network"
    assert type(answer.answers()["unit"]) is str
    with pytest.raises(ValidationError):
        asked(by="Sari", **GOOD[name] | {"unit": "Dapur"})


@pytest.mark.parametrize(
    ("name", "choice"),
    [
        ("ApproveSolution", "SEND"),
        ("HandlingStuck", "SOLVED"),
        ("UnitProgress", "REPAIRED"),
        ("Escalation", "TAKE_OVER"),
        ("SupervisorEscalation", "TAKE_OVER"),
    ],
)
def test_a_solution_has_a_cause_and_a_repair(name: str, choice: str) -> None:
    form = FORMS[name]
    assert filled(form).problem() is None
    for given in ({}, {"cause": "Kabel putus"}, {"repair": "Disambung"}, {"cause": " ", "repair": "Disambung"}):
        problem = filled(form, choice=choice, **given).problem()
        assert problem is not None
        assert "5.10" in problem
    assert filled(form, choice=choice, cause="Kabel putus", repair="Disambung").problem() is None


def test_a_nameless_decision_is_refused() -> None:
    with pytest.raises(ValidationError):
        filled(FORMS["ClosingPeriod"], by="S")
    with pytest.raises(ValidationError):
        filled(FORMS["ClosingPeriod"], unknown="x")


def test_topics_to_choose_are_the_analysers() -> None:
    assert {choice.topic for choice in TopicChoice} == set(get_args(Topic))
