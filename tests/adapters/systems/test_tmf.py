from collections.abc import Callable
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from pydantic import ValidationError

from adapters.systems.create_once import create_once, only_first
from adapters.systems.http import Conflict
from adapters.systems.records import Entity
from adapters.systems.tmf import TmfClient
from models.errors import BrokenAnswer, LayananError, Refused, Unavailable
from models.settings import HttpSystem
from tests.adapters.systems.back_office import Answer, Request, scripted


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tenacity.nap.time", SimpleNamespace(sleep=lambda _: None))


ALL = [{"id": str(number)} for number in range(7)]


def search(answer: Callable[[Request], Answer]) -> tuple[list[str], list[Request]]:
    with scripted(answer) as server:
        found = TmfClient("Test", server.settings).search("things/v4/thing", Entity, {"name": "x"}, lambda _: True)
    return [one.id for one in found], server.requests


def pages(status: int, size: int = 3, *, total: bool = True, count: bool = True) -> Callable[[Request], Answer]:
    def answer(request: Request) -> Answer:
        page = ALL[int(request.query["offset"]) :][:size]
        headers = {"X-Total-Count": str(len(ALL))} if total else {}
        return status, headers | ({"X-Result-Count": str(len(page))} if count else {}), page

    return answer


@pytest.mark.parametrize("status", [200, 206])
@pytest.mark.parametrize(("total", "count", "calls"), [(True, True, 4), (True, False, 4), (False, True, 4)])
def test_reads_all_pages(status: int, total: bool, count: bool, calls: int) -> None:
    found, requests = search(pages(status, total=total, count=count))
    assert found == [one["id"] for one in ALL]
    assert len(requests) == calls
    assert {request.query["name"] for request in requests} == {"x"}


def test_a_server_that_knows_no_offset_is_read_once() -> None:
    found, requests = search(lambda _: (200, {}, ALL))
    assert found == [one["id"] for one in ALL]
    assert len(requests) == 2


def test_an_empty_page_ends_a_list_whose_total_is_too_high() -> None:
    found, _ = search(lambda r: (200, {"X-Total-Count": "99"}, ALL if r.query["offset"] == "0" else []))
    assert len(found) == len(ALL)


def get(answer: Callable[[Request], Answer], **settings: Any) -> tuple[Entity, list[Request]]:
    with scripted(answer) as server:
        client = TmfClient("Test", server.settings.model_copy(update=settings))
        return client.get("things/v4/thing", "a/b", Entity), server.requests


def test_503_twice_and_then_an_answer() -> None:
    statuses = iter([503, 429, 200])
    found, requests = get(lambda _: (next(statuses), {}, {"id": "a/b"}))
    assert found.id == "a/b"
    assert [request.path for request in requests] == ["/tmf-api/things/v4/thing/a%2Fb"] * 3


@pytest.mark.parametrize(
    ("status", "error", "calls"),
    [(status, Unavailable, 3) for status in (408, 429, 500, 502, 503, 504)]
    + [(status, Refused, 1) for status in (301, 400, 401, 403, 404, 405, 409, 422, 501)],
)
def test_status_says_whether_trying_again_helps(status: int, error: type[LayananError], calls: int) -> None:
    asked: list[Request] = []

    def answer(request: Request) -> Answer:
        asked.append(request)
        return status, {}, {"code": "1", "reason": "budi@example.com is unknown"}

    with pytest.raises(error, match=f"Test: GET things/v4/thing: {status}") as caught:
        get(answer)
    assert type(caught.value).permanent is (error is Refused)
    assert "budi" not in str(caught.value)
    assert len(asked) == calls


def test_nobody_listens() -> None:
    with scripted(lambda _: (200, {}, {})) as server:
        client = TmfClient("Test", server.settings)
    with pytest.raises(Unavailable, match="ConnectError"):
        client.get("things/v4/thing", "1", Entity)


def test_no_answer_in_time() -> None:
    with pytest.raises(Unavailable, match="ReadTimeout"):
        get(lambda _: (200, {"Content-Length": "100"}, b""), timeout=0.5)


def test_an_address_that_is_none() -> None:
    for url in ("ftp://127.0.0.1", "127.0.0.1:80", ""):
        with pytest.raises(ValidationError, match="should match pattern"):
            HttpSystem(url=url)
    with pytest.raises(Refused, match="is not an http"):
        TmfClient("Test", HttpSystem(url="http://[::1")).get("things/v4/thing", "1", Entity)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b"<html>", "the whole answer: json_invalid"),
        (b"", "the whole answer: json_invalid"),
        (b'{"id": 42}', "id: string_type"),
        (b"{}", "id: missing"),
        (b"[]", "the whole answer: model_type"),
    ],
)
def test_a_broken_answer_names_the_field(body: bytes, field: str) -> None:
    with pytest.raises(BrokenAnswer, match=f"^Test: things/v4/thing: {field}$"):
        get(lambda _: (200, {}, body))


def test_a_broken_item_of_a_list_is_named_by_its_place_and_breaks_no_other(caplog: pytest.LogCaptureFixture) -> None:
    found, _ = search(lambda _: (200, {}, [{"id": "1"}, {"name": "budi@example.com"}, None, "x", {"id": "2"}]))
    assert found == ["1", "2"]
    assert caplog.messages == [
        "Test: dropped from an answer: things/v4/thing record 2: id: missing",
        "Test: dropped from an answer: things/v4/thing record 3: the whole answer: model_type",
        "Test: dropped from an answer: things/v4/thing record 4: the whole answer: model_type",
    ]


def test_what_is_no_list() -> None:
    with pytest.raises(BrokenAnswer, match="things/v4/thing: the whole answer: list_type"):
        search(lambda _: (200, {}, {"id": "1"}))
    assert search(lambda _: (204, {}, b""))[0] == []


def test_an_answer_that_cannot_be_decompressed() -> None:
    with pytest.raises(BrokenAnswer, match="decompressed"):
        get(lambda _: (200, {"Content-Encoding": "gzip"}, b"no gzip"))


def test_authentication() -> None:
    def authorization(**settings: Any) -> str | None:
        _, requests = get(lambda _: (200, {}, {"id": "1"}), **settings)
        return requests[0].headers.get("authorization")

    login = HttpSystem(user="ops", password="secret")
    assert authorization() is None
    assert authorization(token=HttpSystem(token="t0ken").token) == "Bearer t0ken"
    assert authorization(user=login.user, password=login.password) == "Basic b3BzOnNlY3JldA=="


class Shelf:
    """A system that keeps what is posted, and whose answers to POST come as told."""

    def __init__(self, *answers: str) -> None:
        self.answers = list(answers)
        self.kept: list[str] = []
        self.looks = 0

    def find(self) -> str | None:
        self.looks += 1
        return self.kept[0] if self.kept else None

    def create(self) -> str:
        answer = self.answers.pop(0)
        if answer != "nothing done":
            self.kept.append("one")
        if answer == "conflict":
            raise Conflict("Test", "409")
        if answer != "told":
            raise Unavailable("Test", answer)
        return "one"


@pytest.mark.parametrize(
    ("answers", "looks"),
    [(["told"], 1), (["lost"], 2), (["conflict"], 2), (["nothing done", "told"], 4), (["nothing done", "lost"], 5)],
)
def test_creates_once(answers: list[str], looks: int) -> None:
    shelf = Shelf(*answers)
    assert create_once(shelf.find, shelf.create) == "one"
    assert shelf.kept == ["one"]
    assert shelf.looks == looks
    assert create_once(shelf.find, shelf.create) == "one"
    assert shelf.kept == ["one"]


def test_a_create_that_stays_unclear_is_taken_up_by_the_next_call() -> None:
    shelf = Shelf("nothing done", "nothing done", "told")
    with pytest.raises(Unavailable):
        create_once(shelf.find, shelf.create)
    assert create_once(shelf.find, shelf.create) == "one"


def test_a_conflict_with_nothing_to_be_found_is_permanent() -> None:
    def conflict() -> str:
        raise Conflict("Test", "409")

    with pytest.raises(Conflict) as caught:
        create_once(lambda: None, conflict)
    assert caught.value.permanent


def test_a_look_that_fails_after_an_unclear_answer_posts_no_second_time() -> None:
    looks, posts = iter([None]), []

    def find() -> str | None:
        try:
            return next(looks)
        except StopIteration:
            raise Unavailable("Test", "down") from None

    def create() -> str:
        posts.append(1)
        raise Unavailable("Test", "lost")

    with pytest.raises(Unavailable, match="down"):
        create_once(find, create)
    assert len(posts) == 1


def test_of_doubles_the_first_is_used_and_the_others_are_reported(caplog: pytest.LogCaptureFixture) -> None:
    created = {"late": datetime(2026, 1, 2, tzinfo=UTC), "early": datetime(2026, 1, 1, tzinfo=UTC), "undated": None}
    doubles = [Entity(id=name) for name in ("undated", "late", "early")]
    first = only_first("Test", doubles, lambda one: created[one.id])
    assert first is not None
    assert first.id == "early"
    assert caplog.messages == ["Test: duplicates of early: late, undated"]


def linked(rel: str, **headers: str) -> Callable[[Request], Answer]:
    """Pages behind a cursor, told by links alone; the totals say that there is one."""

    def answer(request: Request) -> Answer:
        start = int(request.query.get("cursor", "0"))
        more = start + 3 < len(ALL)
        link = f'<https://elsewhere.example/x?cursor={start + 3}>; rel="{rel}"' if more else '</x>; rel="first"'
        return 200, {"Link": link, "X-Total-Count": "3", **headers}, ALL[start : start + 3]

    return answer


def test_links_lead_from_page_to_page_and_never_elsewhere() -> None:
    found, requests = search(linked("next"))
    assert found == [one["id"] for one in ALL]
    assert [request.query.get("cursor") for request in requests] == [None, "3", "6"]


def test_links_that_are_of_no_pages_end_no_list() -> None:
    found, requests = search(lambda r: (200, {"Link": '</x>; rel="describedby"'}, ALL[int(r.query["offset"]) :][:3]))
    assert found == [one["id"] for one in ALL]
    assert len(requests) == 4


def test_pages_that_overlap_or_go_in_circles_end_and_give_each_record_once() -> None:
    found, _ = search(lambda r: (200, {}, ALL[max(int(r.query["offset"]) - 1, 0) :][:3]))
    assert found == [one["id"] for one in ALL]
    pages = [ALL[:2], ALL[2:4], ALL[:2]]
    calls: list[Request] = []

    def circle(request: Request) -> Answer:
        calls.append(request)
        return 200, {}, pages[(len(calls) - 1) % 3]

    assert search(circle)[0] == [one["id"] for one in ALL[:4]]


def test_a_list_without_an_end_is_given_up() -> None:
    with pytest.raises(BrokenAnswer, match="more than 200 pages: are filters ignored"):
        search(lambda r: (200, {}, [{"id": r.query["offset"]}]))
