"""One small client for the TM Forum Open APIs (v4) of seven of the adapters.

Totals may be wrong, filters may be ignored, and a create may be accepted (202) and done later. We poll instead of
registering for callbacks (TM Forum's hub), because callbacks are not signed: anybody who can reach us could send them.
"""

import json
import logging
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from typing import Any, TypeVar
from urllib.parse import parse_qsl, urljoin, urlsplit
from uuid import uuid4
from zoneinfo import ZoneInfo

import httpx
from pydantic import BaseModel, ValidationError

from adapters.systems.gate import Gate, UnderWay
from adapters.systems.http import LONGEST_WORDS, HttpCalls, NotFound, monitor_of, words_of
from adapters.systems.records import Reading, described, problems_of, values_at
from adapters.systems.retries import until_found
from models.errors import AskedToWait, BrokenAnswer, Refused
from models.settings import HttpSystem

MOST_PAGES = 200
"""Largest number of pages of a list; a server with more ignores our filters."""
FOLLOWS, FOLLOW_SECONDS = 8, 0.5
"""How often, and at which interval in seconds, we look for what was accepted (202) before the activity is postponed."""
LOOK_AGAIN = timedelta(seconds=30)
"""How long the activity is postponed."""
LOST = timedelta(days=1)
"""Time after which an accepted create counts as lost."""
_FAILED = frozenset({"failed", "failure", "rejected", "cancelled", "aborted", "error", "terminatedwitherror"})
"""States in which a monitor reports that a create will never be done."""
_OF_PAGES = frozenset({"next", "prev", "previous", "first", "last"})

M = TypeVar("M", bound=BaseModel)

_log = logging.getLogger(__name__)


class TmfClient:
    """Reads and writes resources of one system. Errors are those of :class:`adapters.systems.http.HttpCalls`."""

    def __init__(self, system: str, settings: HttpSystem, gate: Gate | None = None) -> None:
        self.system = system
        self.gate = gate or Gate()
        self._http = HttpCalls(system, settings, self.gate)
        self._zone = ZoneInfo(settings.timezone or "UTC")

    def get(self, resource: str, identifier: str, shape: type[M]) -> M:
        """One ``resource`` (such as ``customerManagement/v4/customer``)."""
        return self._read(resource, self._http.call("GET", resource, identifier), shape)

    def search(
        self,
        resource: str,
        shape: type[M],
        filters: Mapping[str, str],
        ours: Callable[[M], bool | None],
        *,
        complete: bool = False,
    ) -> tuple[M, ...]:
        """All records that match ``filters``, from all pages.

        A broken record is dropped and reported, unless ``complete`` is set and the record matches the filters.

        Args:
            ours: Whether a record is one that we look for: a server may ignore filters, as v4 defines none. None: the
                record does not tell; then it is one if the server is seen to apply the filter.

        Raises:
            BrokenAnswer: not a list, a list without end, or, with ``complete``, a broken record that matches.
        """
        found = self._records(resource, shape, filters, complete)
        said = [ours(one) for one in found]
        applied = None in said and False not in said and self._applies(resource, next(iter(filters)))
        return tuple(one for one, is_ours in zip(found, said, strict=True) if is_ours or (is_ours is None and applied))

    def reach(self, resource: str) -> None:
        """Ask for one item, past the gate; raises unless URL and login are right."""
        self._http.reach(resource)

    def create(
        self, resource: str, body: Mapping[str, Any], shape: type[M], key: str, find: Callable[[], M | None]
    ) -> M:
        """Create, and follow what was accepted (202) until ``find`` finds it; it is not posted again meanwhile.

        A POST is not retried here, because the first attempt may have been stored: use
        :func:`adapters.systems.create_once.create_once`.

        Args:
            key: Identifies what we create, in this call and in later ones.

        Raises:
            AskedToWait: accepted, and not done yet.
            Refused: the system reports that it will not be done, or has not done it within a day.
        """
        under_way = self.gate.under_way(key)
        if under_way is None:
            answer = self._http.call_once("POST", resource, json=body)
            if answer.status_code != httpx.codes.ACCEPTED:
                return self._read(resource, answer, shape)
            under_way = self.gate.accepted(key, monitor_of(answer))
        return self._follow(resource, under_way, key, find)

    def patch(self, resource: str, identifier: str, change: Mapping[str, Any], shape: type[M]) -> M:
        """Change a resource (merge patch: an array is replaced whole)."""
        answer = self._http.call("PATCH", resource, identifier, json=change)
        if answer.status_code in {httpx.codes.NO_CONTENT, httpx.codes.ACCEPTED}:
            return self.get(resource, identifier, shape)
        return self._read(resource, answer, shape)

    def report(self, where: str, dropped: Iterable[str]) -> None:
        """Tell people what was dropped from an answer: its place and problem, never its value."""
        what = f"{where}: {', '.join(dict.fromkeys(dropped))}"[:LONGEST_WORDS]
        if self.gate.left_out(what):
            _log.warning("%s: dropped from an answer: %s", self.system, what)

    def _records(self, resource: str, shape: type[M], filters: Mapping[str, str], complete: bool) -> list[M]:
        found = []
        for index, item in enumerate(self._items(resource, filters)):
            reading = Reading(self._zone)
            try:
                found.append(shape.model_validate(item, context=reading))
            except ValidationError as error:
                problem = described(problems_of(error)[0])
                if complete and all(wanted in values_at(item, path.split(".")) for path, wanted in filters.items()):
                    raise BrokenAnswer(self.system, f"{resource}: {problem}") from None
                reading.dropped = [problem]
            name = item.get("id") if isinstance(item, dict) and getattr(shape, "loggable_id", False) else None
            self._report(f"{resource} {name or f'record {index + 1}'}", reading)
        return found

    def _applies(self, resource: str, name: str) -> bool:
        """Whether the server applies this filter: a value that no record has finds nothing."""
        answer = self._http.call("GET", resource, params={name: f"layanan-{uuid4().hex}", "offset": "0"})
        return not self._page(resource, answer)

    def _items(self, resource: str, filters: Mapping[str, str]) -> list[Any]:
        """The items of all pages, each once, counted as they come: the server's total may be wrong."""
        found: dict[str, Any] = {}
        asked, offset = {**filters, "offset": "0"}, 0
        for _ in range(MOST_PAGES):
            answer = self._http.call("GET", resource, params=asked)
            page = self._page(resource, answer)
            before = len(found)
            for item in page:
                found.setdefault(_identity(item), item)
            # a server that ignores the offset repeats itself
            if len(found) == before:
                return list(found.values())
            offset += len(page)
            if "next" in answer.links:
                asked = dict(parse_qsl(urlsplit(answer.links["next"]["url"]).query, keep_blank_values=True))
            elif _OF_PAGES.isdisjoint(answer.links):
                asked = {**filters, "offset": str(offset)}
            else:
                return list(found.values())
        raise BrokenAnswer(self.system, f"{resource}: more than {MOST_PAGES} pages: are filters ignored?")

    def _page(self, resource: str, answer: httpx.Response) -> list[Any]:
        if answer.status_code == httpx.codes.NO_CONTENT:
            return []
        page = self._http.json(resource, answer)
        if not isinstance(page, list):
            raise BrokenAnswer(self.system, f"{resource}: the whole answer: list_type")
        return page

    def _follow(self, resource: str, under_way: UnderWay, key: str, find: Callable[[], M | None]) -> M:
        def look() -> M | None:
            self._ask_monitor(resource, under_way, key)
            return find()

        found = until_found(look, FOLLOWS, FOLLOW_SECONDS)
        if found is not None:
            self.gate.forget(key)
            return found
        now = self.gate.now()
        if now - under_way.since > LOST:
            self.gate.forget(key)
            raise Refused(self.system, f"POST {resource}: {key} was accepted a day ago, and never came")
        what = f"POST {resource}: {key} is accepted (202) and not there yet"
        raise AskedToWait(self.system, what, now + LOOK_AGAIN, under_way.since)

    def _ask_monitor(self, resource: str, under_way: UnderWay, key: str) -> None:
        """Raise ``Refused`` if the monitor reports a failure. Any other answer, or none, means nothing to us."""
        url = urljoin(f"{self._http.settings.url.rstrip('/')}/", under_way.monitor)
        if not under_way.monitor or not self._http.is_ours(url):
            return  # no other server may see our login
        try:
            told = self._http.json(resource, self._http.call("GET", url))
        except (NotFound, BrokenAnswer):
            return
        state = told.get("state") or told.get("status") if isinstance(told, dict) else None
        if isinstance(state, str) and state.replace(" ", "").lower() in _FAILED:
            self.gate.forget(key)
            raise Refused(self.system, f"POST {resource}: accepted (202), and then failed", words=words_of(told))

    def _read(self, resource: str, answer: httpx.Response, shape: type[M]) -> M:
        reading = Reading(self._zone)
        try:
            found = shape.model_validate(self._http.json(resource, answer), context=reading)
        except ValidationError as error:
            raise BrokenAnswer(self.system, f"{resource}: {described(problems_of(error)[0])}") from None
        self._report(resource, reading)
        return found

    def _report(self, where: str, reading: Reading) -> None:
        if reading.dropped:
            self.report(where, reading.dropped)


def _identity(item: Any) -> str:
    """What distinguishes an item of a list from all others."""
    return str(item["id"]) if isinstance(item, dict) and item.get("id") else json.dumps(item, sort_keys=True)
