"""The seven systems with TM Forum Open APIs (v4), each under its own root: ``/mycx``, ``/nossa``, ``/siska``…

For rehearsals there are also ``POST /simulator/faults``, ``POST /simulator/relay`` and ``GET /simulator/tickets``.
"""

import asyncio
import hmac
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import uvicorn
from fastapi import Body, FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException as StarletteHTTPException

from adapters.clock import Clock
from adapters.simulator import records
from adapters.simulator.faults import SYSTEMS, Fault, Faults
from adapters.simulator.line_tests import LineTests
from adapters.simulator.ports import listening_socket
from adapters.simulator.records import Resource
from adapters.simulator.seed import Seed
from adapters.simulator.tickets import Tickets
from adapters.systems.records import values_at

PAGE = 50
PATH = "/{system}/tmf-api/{api}/v4/{name}"
TICKETS = "tmf-api/troubleTicket/v4/troubleTicket"
LINE_TESTS = "embassy/tmf-api/serviceTestManagement/v4/serviceTest"


class HttpSystems:
    """The HTTP part of the simulator, on loopback. Tickets are kept in ``folder``."""

    def __init__(
        self, seed: Seed, folder: Path, clock: Clock, refuse_us: Callable[[int], None] = lambda _: None
    ) -> None:
        """``refuse_us`` makes the relay refuse the given number of our letters."""
        self._folder = folder
        self._refuse_us = refuse_us
        self._tickets = Tickets(seed, folder / "tickets.sqlite", clock)
        self.app = self._app(seed, _started(folder, clock), clock)

    async def start(self) -> None:
        """Answer from now on."""
        listener = listening_socket(self._folder, "http")
        self._url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        self._server = _Server(uvicorn.Config(self.app, lifespan="off", access_log=False, log_config=None))
        self._serving = asyncio.create_task(self._server.serve(sockets=[listener]))

    async def stop(self) -> None:
        """Answer no more."""
        self._server.should_exit = True
        await self._serving
        self._tickets.close()

    def settings(self) -> dict[str, Any]:
        """The service's settings for these systems; the tokens are made up."""
        return {name: {"url": f"{self._url}/{name}", "token": _token(name)} for name in SYSTEMS}

    def _app(self, seed: Seed, started: datetime, clock: Clock) -> Faults:
        tests = LineTests(seed, clock)
        collections = _fixed(seed, started) | {
            f"mycx/{TICKETS}": self._tickets.mycx,
            f"nossa/{TICKETS}": self._tickets.nossa,
            "nossa/tmf-api/serviceProblemManagement/v4/serviceProblem": lambda: records.problems(
                seed, started, clock.now()
            ),
            LINE_TESTS: tests.all,
        }
        creators = {f"mycx/{TICKETS}": self._tickets.create, LINE_TESTS: tests.create}
        app = FastAPI(openapi_url=None)
        _serve(app, collections, creators, self._tickets)
        faults = Faults(app)
        self._serve_rehearsals(app, faults)
        return faults

    def _serve_rehearsals(self, app: FastAPI, faults: Faults) -> None:
        @app.post("/simulator/faults", status_code=204)
        async def arm(fault: Fault) -> None:
            faults.arm(fault)

        @app.post("/simulator/relay", status_code=204)
        async def relay(letters: Annotated[int, Body(embed=True, ge=0)]) -> None:
            self._refuse_us(letters)

        @app.get("/simulator/tickets")
        async def tickets() -> list[Resource]:
            return self._tickets.mycx()


def _serve(
    app: FastAPI,
    collections: Mapping[str, Callable[[], list[Resource]]],
    creators: Mapping[str, Callable[[Resource], Resource]],
    tickets: Tickets,
) -> None:
    """Serve the methods of TMF630 for all collections; errors follow the standard."""

    @app.get(PATH)
    async def search(request: Request) -> Response:
        key = _key(request)
        query = {k: v for k, v in request.query_params.items() if k not in ("offset", "limit", "fields")}
        found = [one for one in _all(collections, key) if _matches(one, query)]
        return _page(request, [_with_href(request, key, one) for one in found])

    @app.get(PATH + "/{identifier:path}")
    async def get(request: Request, identifier: str) -> Response:
        key = _key(request)
        for one in _all(collections, key):
            if one["id"] == identifier:
                return JSONResponse(_with_href(request, key, one))
        raise HTTPException(404)

    @app.post(PATH)
    async def create(request: Request, body: dict[str, Any]) -> Response:
        key = _key(request)
        if key not in creators:
            raise HTTPException(405)
        return JSONResponse(_with_href(request, key, creators[key](body)), 201)

    @app.patch(PATH + "/{identifier:path}")
    async def change(request: Request, identifier: str, body: dict[str, Any]) -> Response:
        key = _key(request)
        if key != f"mycx/{TICKETS}":
            raise HTTPException(405)
        return JSONResponse(_with_href(request, key, tickets.change(identifier, body)))

    app.add_exception_handler(StarletteHTTPException, _refuse)
    app.add_exception_handler(RequestValidationError, _refuse)


async def _refuse(_: Request, error: Exception) -> Response:
    """TM Forum's ``Error``."""
    status, reason = 400, ""
    if isinstance(error, StarletteHTTPException):
        status, reason = error.status_code, error.detail
    elif isinstance(error, RequestValidationError):
        reason = str(error.errors()[0]["msg"])
    return JSONResponse({"code": str(status), "reason": reason, "status": str(status)}, status)


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to the rest of the process."""
        yield


def _fixed(seed: Seed, started: datetime) -> dict[str, Callable[[], list[Resource]]]:
    resources = {
        "siska/tmf-api/customerManagement/v4/customer": records.customers(seed),
        "siska/tmf-api/party/v4/individual": records.individuals(seed),
        "siska/tmf-api/party/v4/organization": records.organizations(seed),
        "siska/tmf-api/productInventory/v4/product": records.products(seed),
        "epayment/tmf-api/customerBillManagement/v4/customerBill": records.bills(seed, started),
        "tenoss/tmf-api/serviceInventory/v4/service": records.services(seed),
        "telkom_center/tmf-api/resourceInventoryManagement/v4/resource": records.resources(seed),
    }
    return {key: lambda found=found: found for key, found in resources.items()}  # type: ignore[misc]


def _started(folder: Path, clock: Clock) -> datetime:
    """The time of the first start in this folder, from which the seed's days and hours count."""
    file = folder / "started"
    if not file.exists():
        file.write_text(clock.now().isoformat())
    return datetime.fromisoformat(file.read_text())


def _token(system: str) -> str:
    return f"simulated-{system}"


def _key(request: Request) -> str:
    """The collection in the request's path; checks the token first."""
    system, api, name = (request.path_params[part] for part in ("system", "api", "name"))
    given = request.headers.get("authorization", "")
    if not hmac.compare_digest(given.encode(), f"Bearer {_token(system)}".encode()):
        raise HTTPException(401)
    return f"{system}/tmf-api/{api}/v4/{name}"


def _all(collections: Mapping[str, Callable[[], list[Resource]]], key: str) -> list[Resource]:
    if key not in collections:
        raise HTTPException(404)
    return collections[key]()


def _matches(resource: Resource, query: dict[str, str]) -> bool:
    """TMF630: all filters must match; dots lead into members, commas separate alternatives, case is ignored."""
    return all(
        set(wanted.lower().split(",")) & {value.lower() for value in values_at(resource, path.split("."))}
        for path, wanted in query.items()
    )


def _page(request: Request, found: list[Resource]) -> Response:
    try:
        offset, limit = (int(request.query_params.get(name, "0")) for name in ("offset", "limit"))
    except ValueError:
        raise HTTPException(400, "offset and limit are numbers") from None
    page = found[offset : offset + (limit or PAGE)]
    headers = {"X-Total-Count": str(len(found)), "X-Result-Count": str(len(page))}
    return JSONResponse(page, 200 if len(page) == len(found) else 206, headers)


def _with_href(request: Request, key: str, resource: Resource) -> Resource:
    return {"href": f"{request.base_url}{key}/{resource['id']}", **resource}
