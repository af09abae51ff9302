"""The desk's pages: who sees which, in what language, and what stands where something is wrong."""

import re

import pytest
from fastapi.routing import APIRoute

from flows.desk.app import PAGES
from models.rights import MANAGES_STAFF, READS
from models.staff import StaffRole
from tests.flows.desk.conftest import SECRET, Desk

EVERYBODY = frozenset(StaffRole)
SEEN_BY = {"/account": EVERYBODY, "/account/password": EVERYBODY, "/": READS, "/staff": MANAGES_STAFF}
SEEN_BY |= {"/staff/{number}": MANAGES_STAFF}
"""Pages that ask who has signed in, and who sees them."""
OF_CASES = {
    "/next",
    "/cases/{case_id}",
    "/cases/{case_id}/news",
    "/cases/{case_id}/mails/{number}/html",
    "/cases/{case_id}/mails/{number}/attachments/{place}",
}
"""Pages of those who read cases."""
OPEN = {"/sign-in", "/sign-in/code", "/account/code"}
"""Pages of signing in itself."""


def test_every_page_stands_in_the_table() -> None:
    routes = [route for page in PAGES for route in page.router.routes if isinstance(route, APIRoute)]
    assert {
        route.path for route in routes if route.methods and "GET" in route.methods
    } == OPEN | OF_CASES | SEEN_BY.keys()


@pytest.mark.parametrize("role", StaffRole)
def test_each_page_refuses_who_may_not_see_it(desk: Desk, role: StaffRole) -> None:
    browser = desk.sign_in(desk.add("Sari", role, code_secret=SECRET, code_used=1))
    for page, roles in SEEN_BY.items():
        answer = browser.get(page.format(number=1))
        if role in roles:
            assert answer.status_code == 200, page
        elif page == "/":  # the first page of somebody who sees no cases
            assert answer.headers["location"] == "/staff"
        else:
            assert answer.status_code == 403, page
            assert "Peran Anda tidak boleh membuka halaman ini" in answer.text
    for page in OF_CASES:
        answer = browser.get(re.sub(r"{\w+}", "1", page), params={"seen": "{}"})
        expected = 303 if page == "/next" else 404  # there is no case
        assert answer.status_code == (expected if role in READS else 403), page


@pytest.mark.parametrize("page", [*SEEN_BY, *(re.sub(r"{\w+}", "1", page) for page in sorted(OF_CASES))])
def test_each_page_refuses_a_stranger(desk: Desk, page: str) -> None:
    answer = desk.browser().get(page)
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/sign-in")


@pytest.mark.parametrize("page", ["/sign-in", "/", "/account", "/account/password", "/account/code"])
def test_pages_have_two_languages_landmarks_and_nothing_inline(desk: Desk, page: str) -> None:
    text = desk.sign_in(desk.add("Sari")).get(page, follow_redirects=True).text
    assert '<html lang="id">' in text
    assert 'lang="en"' in text
    assert text.count("<h1>") == text.count("<main ") == text.count("<header>") == 1
    assert 'href="#isi"' in text
    assert not re.search(r"<script|<style| style=| on\w+=", text)
    labelled = set(re.findall(r'<label for="(\w+)"', text))
    assert labelled == set(re.findall(r'<input id="(\w+)"', text))


@pytest.mark.parametrize(
    "path",
    ["/static/../app.py", "/static/%2e%2e/base.html.jinja", "/static/..%2fbase.html.jinja", "/static//etc/passwd"],
)
def test_nothing_but_the_static_files_is_served(desk: Desk, path: str) -> None:
    answer = desk.browser().get(path)
    assert answer.status_code == 404
    assert "Halaman ini tidak ada" in answer.text or "There is no such page" in answer.text


def test_what_was_typed_survives_the_end_of_a_session(desk: Desk) -> None:
    browser = desk.sign_in(desk.add("Sari"))
    desk.clock.move(hours=2)
    typed = {"text": '\n<b>"Masih mati"</b>\n', "password": "rahasia-sekali"}
    answer = browser.post("/account/password", data=typed)
    assert answer.status_code == 401
    assert "&lt;b&gt;&#34;Masih mati&#34;&lt;/b&gt;" in answer.text
    assert "rahasia-sekali" not in answer.text
    assert 'action="/account/password"' in answer.text
