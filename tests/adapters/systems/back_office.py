"""The simulated systems on a loopback port, and a server that answers what a test tells it to."""

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx

from adapters.clock import SimulatedClock
from adapters.simulator.seed import (
    Seed,
    SeededBill,
    SeededCustomer,
    SeededDisturbance,
    SeededLine,
    SeededLink,
    SeededRepair,
)
from adapters.simulator.tmf import HttpSystems
from models.facts import Segment, Tier
from models.settings import HttpSystem
from tests.adapters.systems import tmf_specs

SEED = Seed(
    mailboxes=[],
    customers=[
        SeededCustomer(
            customer_id="C-1",
            name="Budi Santoso",
            addresses=["Budi@Example.com", "santoso@example.org"],
            tier=Tier.GOLD,
            service_no="122345678901",
            phone="0812000111",
            product="IndiHome 50 Mbps",
            line=SeededLine(snr_db=28, attenuation_db=20),
            bills=[
                SeededBill(bill_no="B-1", billed_days_ago=50, due_days_ago=30, amount=350_000, remaining=350_000),
                SeededBill(
                    bill_no="B-2",
                    billed_days_ago=20,
                    due_days_ago=-5,
                    amount=360_500,
                    remaining=0,
                    state="settled",
                ),
            ],
            repairs={"Access Network": SeededRepair(hours=4, cause="Kabel putus", repair="Kabel disambung")},
        ),
        SeededCustomer(
            customer_id="C-2",
            name="PT Maju",
            addresses=["noc@maju.example"],
            segment=Segment.BUSINESS,
            tier=Tier.DIAMOND,
            service_no="4700001-0021497479",
            product="Astinet",
            link=SeededLink(device="Bandung/Dago/BDG-DGO-OLT-01", enabled=False, port_up=False),
            repairs={
                "Access Network": SeededRepair(hours=None, held_after_hours=3),
                "Core Network": SeededRepair(hours=0.5, cause="Modul rusak", repair="Modul diganti"),
            },
            disturbance=SeededDisturbance(description="Kabel laut putus", ends_in_hours=6),
        ),
        SeededCustomer(
            customer_id="C-3",
            name="Siti",
            addresses=["keluarga@example.com"],
            service_no="122345678903",
            line=SeededLine(technology="fibre"),
        ),
        SeededCustomer(
            customer_id="C-4",
            name="Ayu",
            addresses=["keluarga@example.com"],
            service_no="122345678904",
            status="terminated",
            bills=[SeededBill(bill_no=f"M-{n}", billed_days_ago=n, amount=1, remaining=1) for n in range(1, 121)],
        ),
    ],
)


@dataclass
class Exchange:
    method: str
    path: str
    status: int = 0
    request: bytes = b""
    answer: bytes = b""


class Recorder:
    """ASGI middleware that keeps what goes by."""

    def __init__(self, app: Any) -> None:
        self.app = app
        self.exchanges: list[Exchange] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        exchange = Exchange(scope["method"], scope["path"])
        self.exchanges.append(exchange)

        async def listen() -> Any:
            message = await receive()
            exchange.request += message.get("body", b"")
            return message

        async def speak(message: Any) -> None:
            exchange.status = message.get("status", exchange.status)
            exchange.answer += message.get("body", b"")
            await send(message)

        await self.app(scope, listen, speak)


@dataclass
class BackOffice:
    """The running systems."""

    clock: SimulatedClock
    fragment: dict[str, Any]
    exchanges: list[Exchange]

    @property
    def root(self) -> str:
        return str(self.fragment["mycx"]["url"]).removesuffix("/mycx")

    def settings(self, system: str) -> HttpSystem:
        return HttpSystem(**self.fragment[system], timeout=30)

    def arm(self, system: str, kind: str, times: int = 1) -> None:
        body = {"system": system, "kind": kind, "times": times}
        httpx.post(f"{self.root}/simulator/faults", json=body).raise_for_status()

    def tickets(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = httpx.get(f"{self.root}/simulator/tickets").json()
        return found

    def requests(self, system: str) -> list[str]:
        """Methods of the requests to one system."""
        return [one.method for one in self.exchanges if one.path.startswith(f"/{system}/")]

    def problems(self) -> list[str]:
        """What the exchanges break of TM Forum's specifications. Answers that a fault changed are left out."""
        return [
            problem
            for one in self.exchanges
            if "/tmf-api/" in one.path and b'"id":42' not in one.answer
            for problem in tmf_specs.problems(one.method, one.path, one.status, one.request, one.answer or b"{}")
        ]


@contextmanager
def back_office(seed: Seed, folder: Path, *, wait: bool = True) -> Iterator[BackOffice]:
    """Run the systems in a thread of their own until the block ends, and ``wait`` until they have ended."""
    clock = SimulatedClock(folder / "clock")
    running: BackOffice | None = None
    started, stop = threading.Event(), asyncio.Event()

    async def serve() -> None:
        nonlocal running
        systems = HttpSystems(seed, folder, clock)
        recorder = Recorder(systems.app)
        systems.app = recorder  # type: ignore[assignment]
        await systems.start()
        running = BackOffice(clock, systems.settings(), recorder.exchanges)
        loop.append(asyncio.get_running_loop())
        started.set()
        await stop.wait()
        await systems.stop()

    loop: list[asyncio.AbstractEventLoop] = []
    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    assert started.wait(60)
    assert running
    try:
        yield running
    finally:
        loop[0].call_soon_threadsafe(stop.set)
        if wait:
            thread.join()


Answer = tuple[int, dict[str, str], Any]


@dataclass
class Request:
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any = None


@dataclass
class Scripted:
    """What a scripted server was asked."""

    settings: HttpSystem
    requests: list[Request] = field(default_factory=list)


@contextmanager
def scripted(answer: Callable[[Request], Answer]) -> Iterator[Scripted]:
    """A server whose every answer is ``answer(request)``: status, headers and a body, as JSON unless bytes."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def _answer(self) -> None:
            url = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            request = Request(
                self.command,
                url.path,
                dict(parse_qsl(url.query)),
                {name.lower(): value for name, value in self.headers.items()},
                json.loads(body) if body else None,
            )
            script.requests.append(request)
            status, headers, content = answer(request)
            raw = content if isinstance(content, bytes) else json.dumps(content).encode()
            # which else writes the machine's Date beside the test's
            (self.send_response_only if "Date" in headers else self.send_response)(status)
            for name, value in {"Content-Length": str(len(raw)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(raw)

        do_GET = do_POST = do_PATCH = _answer

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    script = Scripted(HttpSystem(url=f"http://127.0.0.1:{server.server_port}", timeout=30))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield script
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
