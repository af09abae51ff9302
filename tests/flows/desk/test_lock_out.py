"""Guessing passwords and codes: the lock, and what a stranger learns about who works here."""

import threading
import time

import pytest
from sqlmodel import select

from models.audit import Action, AuditRow
from models.staff import SignedIn, StaffRole
from tests.flows.desk.conftest import PASSWORD, SECRET, Desk


def fail(desk: Desk, email: str, times: int = 1) -> None:
    for _ in range(times):
        assert desk.browser().post("/sign-in", data={"email": email, "password": "salah"}).status_code == 401


def status(desk: Desk, email: str) -> int:
    return desk.browser().post("/sign-in", data={"email": email, "password": PASSWORD}).status_code


def test_five_failures_lock_for_a_growing_time(both: Desk) -> None:
    sari = both.add("Sari")
    fail(both, sari.email, 4)
    assert status(both, sari.email) == 303
    fail(both, sari.email, 5)
    for minutes in (1, 2, 4, 8, 16, 32, 60, 60):
        assert status(both, sari.email) == 401
        both.clock.move(minutes=minutes, seconds=-1)
        assert status(both, sari.email) == 401
        both.clock.move(seconds=1)
        fail(both, sari.email)
        assert both.staff(sari).locked_until is not None
    both.clock.move(hours=1)
    assert status(both, sari.email) == 303
    assert (both.staff(sari).failures, both.staff(sari).locked_until) == (0, None)


def test_the_password_gives_no_new_tries_of_the_code(both: Desk) -> None:
    tono = both.add("Tono", StaffRole.TEAM_LEADER, code_secret=SECRET, code_used=1)
    for _ in range(5):
        browser = both.browser()
        answer = browser.post("/sign-in", data={"email": tono.email, "password": PASSWORD})
        assert answer.status_code == 303
        assert browser.post("/sign-in/code", data={"code": "000000"}).status_code == 401
    assert status(both, tono.email) == 401
    assert browser.post("/sign-in/code", data={"code": both.code(tono)}).status_code == 401
    both.clock.move(minutes=1)
    assert browser.post("/sign-in/code", data={"code": both.code(tono)}).status_code == 303


def test_guesses_at_the_same_time_are_no_way_around_the_lock(both: Desk) -> None:
    sari = both.add("Sari")
    threads = [threading.Thread(target=fail, args=(both, sari.email)) for _ in range(12)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert both.staff(sari).failures == 5
    assert status(both, sari.email) == 401


@pytest.mark.parametrize("change", [{}, {"password": ""}, {"active": False}, {"locked": True}])
def test_a_stranger_does_not_learn_who_works_here(desk: Desk, change: dict[str, object]) -> None:
    locked = change.pop("locked", False)
    sari = desk.add("Sari", **change)
    if locked:
        fail(desk, sari.email, 5)
    known, unknown = (
        desk.browser().post("/sign-in", data={"email": email, "password": "salah sekali"})
        for email in (sari.email, "budi@telkom.example")
    )
    assert known.status_code == unknown.status_code == 401
    assert known.text == unknown.text
    assert sorted(known.headers) == sorted(unknown.headers)


def test_an_unknown_address_costs_the_same_work(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    from tasks.desk import passwords

    checked: list[bool] = []
    right = passwords.matches

    def counting(password_hash: str, password: str) -> bool:
        checked.append(bool(password_hash))
        return right(password_hash, password)

    monkeypatch.setattr(passwords, "matches", counting)
    fail(desk, "budi@telkom.example")
    assert checked == [False]


def test_a_refusal_takes_its_time(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flows.desk.sign_in.PACE", 1.0)
    begun = time.monotonic()
    fail(desk, "budi@telkom.example")
    assert time.monotonic() - begun >= 1


def test_the_audit_log_has_who_signed_in_and_which_account_somebody_tried(desk: Desk) -> None:
    sari = desk.add("Sari")
    fail(desk, sari.email)
    fail(desk, "budi@telkom.example")
    desk.sign_in(sari)
    with desk.store.read() as session:
        rows = session.exec(select(AuditRow).order_by("number")).all()
    assert [(row.action, row.actor, row.staff_id, row.subject, row.signed_in) for row in rows] == [
        (Action.SIGN_IN_FAILED, "?", None, f"staff {sari.key}", ""),
        (Action.SIGNED_IN, "Sari", sari.key, f"staff {sari.key}", SignedIn.PASSWORD),
    ]
