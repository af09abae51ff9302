"""Mails that intake left out, taken in by a person."""

import pytest

from adapters.wiring import Systems
from models.audit import AuditRow
from models.errors import WrongUse
from models.tables import Message, Outbox, Signal
from tasks.intake.accept_mail import accept_mail
from tests.cases import BUDI, MATI, PRICE, STRANGER, arrives, mail, opened, received, rows, take_in
from tests.fakes import with_methods


def latest(systems: Systems) -> Message:
    return rows(systems, Message)[-1]


def test_a_mail_over_a_limit_opens_its_case_and_is_answered(systems: Systems) -> None:
    systems.settings.limits.mails_an_hour = 1
    arrives(systems, STRANGER)
    assert arrives(systems, STRANGER, PRICE, "Harga").outcome == "quarantined"
    taken = accept_mail(systems, latest(systems).id or 0, "Sari")
    assert (taken.outcome, taken.case_id, len(taken.letters)) == ("opened", 2, 1)
    assert (latest(systems).outcome, latest(systems).case_id) == ("opened", 2)
    assert latest(systems).reasons == [["new", ""], ["accepted", "Sari"], ["flood", "1"]]
    assert len(rows(systems, Outbox)) == 2
    (audited,) = rows(systems, AuditRow)
    assert (audited.action, audited.actor, audited.subject) == ("mail_accepted", "Sari", "mail 2")
    assert audited.reference == "JKT-0000002"
    with pytest.raises(WrongUse, match="neither quarantined nor automatic"):
        accept_mail(systems, latest(systems).id or 0, "Sari")


def test_it_waits_for_an_intake_of_the_sender_s(systems: Systems) -> None:
    asked: list[set[str]] = []
    systems.store = with_methods(systems.store, alone=lambda _, names: asked.append(set(names)))
    arrives(systems, STRANGER, PRICE, "Harga", Precedence="bulk")
    accept_mail(systems, 1, "Sari")
    assert asked[0] == asked[1] == {f"intake of {STRANGER}"}


def test_one_that_was_taken_for_a_robots_joins_its_case(systems: Systems) -> None:
    case = opened(systems)
    arrives(systems, BUDI, "Masih mati.", f"Re: [{case.reference}]", Precedence="bulk")
    assert (latest(systems).outcome, latest(systems).case_id) == ("quarantined", case.case_id)
    assert accept_mail(systems, latest(systems).id or 0, "Sari").case_id == case.case_id
    assert [wake.answers for wake in rows(systems, Signal)] == [{"message": latest(systems).id}]


@pytest.mark.parametrize("raw", [b"", mail("", MATI)])
def test_what_nobody_can_answer_stays_aside(raw: bytes, systems: Systems) -> None:
    assert take_in(systems, received(raw)).outcome == "quarantined"
    with pytest.raises(WrongUse, match="answer it by hand"):
        accept_mail(systems, 1, "Sari")
    with pytest.raises(WrongUse, match="neither quarantined nor automatic"):
        accept_mail(systems, 7, "Sari")


def test_an_unnamed_form_s_mail_is_not_answered_at_the_form_s_address(systems: Systems) -> None:
    form = "wordpress@toko.example"
    assert arrives(systems, form, f"Email: {STRANGER}\n\n{MATI}", Reply_To=STRANGER).outcome == "quarantined"
    with pytest.raises(WrongUse, match=f"add {form} to LAYANAN_FORMS"):
        accept_mail(systems, 1, "Sari")
    assert rows(systems, Outbox) == []
    systems.settings.forms = (form,)
    systems.settings.__dict__.pop("ours", None)
    assert accept_mail(systems, 1, "Sari").outcome == "opened"


def test_a_customer_who_asks_for_answers_elsewhere_is_no_form(systems: Systems) -> None:
    """Their case is known, or the mail answers us: a list's mark keeps a person's mail from nobody."""
    assert arrives(systems, BUDI, MATI).outcome == "opened"
    office = "budi@kantor.example"
    marked = {"Reply_To": office, "Precedence": "bulk"}
    assert arrives(systems, BUDI, f"Lampu modem merah.\n\nEmail: {office}", **marked).outcome == "quarantined"
    assert accept_mail(systems, 2, "Sari").outcome == "opened", "beside the case that it perhaps belongs to"
