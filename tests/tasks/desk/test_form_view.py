"""Each form as a page draws it: what was proposed, what was typed, and a button for each choice."""

from datetime import UTC, datetime
from typing import Any

import pytest

from models.forms import FORMS
from models.forms.analysis import ConfirmAnalysis
from models.forms.base import Form
from models.forms.complaint import ApproveSolution, Escalation
from models.tables import Wait
from tasks.desk.decide import filled
from tasks.desk.form_view import Option, form_view


def wait(form: type[Form], **first: Any) -> Wait:
    shown = form.asking(("Access Network", "Core Network"), (), **first)
    return Wait(
        case_id=1,
        wait_key="k-1",
        form=form.__name__,
        role=form.role,
        since=datetime.now(UTC),
        description="",
        json_schema=shown.model_json_schema(),
    )


def test_what_the_analysis_proposes_is_filled_in() -> None:
    view = form_view(wait(ConfirmAnalysis, need="COMPLAINT", topic="no_service", service_number="123"))
    assert [(field.name, field.value) for field in view.fields] == [
        ("need", "COMPLAINT"),
        ("topic", "no_service"),
        ("service_number", "123"),
    ]
    assert view.choices == (), "one click confirms it"
    assert view.fields[0].options[0] == Option("COMPLAINT", "Komplain / Complaint")


def test_each_choice_is_a_button_and_says_what_it_needs() -> None:
    view = form_view(wait(ApproveSolution), typed={"cause": "Kabel putus"})
    assert [option.code for option in view.choices] == ["SEND", "COORDINATE", "UPDATE"]
    assert view.choices[0].needs == "penyebab dan perbaikan / cause and repair"
    assert {field.name: field.value for field in view.fields} == {"cause": "Kabel putus", "repair": ""}
    assert all(field.long for field in view.fields)


def test_a_unit_is_chosen() -> None:
    unit = next(field for field in form_view(wait(Escalation)).fields if field.name == "unit")
    assert [option.code for option in unit.options] == ["Access Network", "Core Network"]


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_what_a_page_of_each_form_submits_is_taken(form: type[Form]) -> None:
    asked = wait(form)
    view = form_view(asked)
    words = {
        field.name: field.value or (field.options[0].code if field.options else "Kabel putus di tiang")
        for field in view.fields
    }
    for choice in view.choices or ():
        assert filled(asked, "Sari", words | {"choice": choice.code})["choice"] == choice.text
    if not view.choices:
        assert filled(asked, "Sari", words)["by"] == "Sari"
