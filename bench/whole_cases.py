"""Whole cases, from the mail to the case's end, on a whole service: simulator, server, worker, standing flows."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prefect.client.orchestration import SyncPrefectClient
from sqlmodel import select

from bench.cpu import Meter
from models.tables import Decision
from tests.stack import Stack, running, until

PATH = [1, 2, 4, 6, 7, 9, 8, 7, 10, 12]
"""The long way of a complaint. Persons decide three times; deadlines and the unit wake the case three times."""


@dataclass(frozen=True)
class Cost:
    """CPU seconds of a case, without and with what the idle service uses meanwhile; seconds from submit to going on."""

    worker: float
    server: float
    idle: float
    """CPU seconds that worker and server use in a second of idling."""
    with_idle: float
    delays: list[float]


def whole_cases(home: Path, count: int, idle_seconds: float) -> Cost:
    """Play a case that warms the service up, let it idle, and play ``count`` cases at once."""
    seed = {
        "mailboxes": [{"address": "layanan@telkom.example", "password": "pw", "site": "JKT"}],
        "customers": [_customer(number) for number in range(1, count + 2)],
    }
    with running(home, seed) as stack:
        _play(stack, [1])
        meter = Meter(stack.service, stack.service)
        time.sleep(idle_seconds)
        idle = meter.used()
        meter = Meter(stack.service, stack.service)
        delays = _play(stack, range(2, count + 2))
        used = meter.used()
    share = used.seconds / idle.seconds
    return Cost(
        worker=(used.worker - idle.worker * share) / count,
        server=(used.server - idle.server * share) / count,
        idle=(idle.worker + idle.server) / idle.seconds,
        with_idle=(used.worker + used.server) / count,
        delays=delays,
    )


def _customer(number: int) -> dict[str, Any]:
    """A line that only the second unit repairs; the first is given three hours."""
    return {
        "customer_id": f"C-{number}",
        "name": f"Pelanggan {number}",
        "addresses": [_address(number)],
        "service_no": _line(number),
        "tier": "HVC_DIAMOND",
        "line": {"snr_db": 9, "attenuation_db": 55},
        "repairs": {"Access Network": {"hours": None}, "Core Network": {"hours": 2}},
    }


def _address(number: int) -> str:
    return f"c{number}@pelanggan.example"


def _line(number: int) -> str:
    return f"12240877{number:04d}"


def _play(stack: Stack, numbers: "range | list[int]") -> list[float]:
    """Play the cases of these customers; returns for each submit how long its case took to go on."""
    for number in numbers:
        text = f"Internet saya {_line(number)} mati total, lampu LOS merah. Tolong diperbaiki."
        stack.write(_address(number), "Internet mati", text)
    _pass(stack, "receive-mail")
    delays = [_decide(stack, number, "UnitProgress", choice="UPDATE") for number in numbers]
    _pass_hours(stack, numbers, "UnitProgress", 3.1)
    delays += [_decide(stack, number, "Escalation", choice="OTHER_UNIT", unit="Core Network") for number in numbers]
    _pass_hours(stack, numbers, "UnitProgress", 2.5)
    solution = {"choice": "SEND", "cause": "Kabel putus", "repair": "Kabel disambung"}
    delays += [_decide(stack, number, "ApproveSolution", **solution) for number in numbers]
    _pass_hours(stack, numbers, "ClosingPeriod", 49)
    for number in numbers:
        stack.ended(number)
        assert stack.path(number) == PATH, f"case {number} took another way: {stack.path(number)}"
    return delays


def _decide(stack: Stack, number: int, form: str, **answers: str) -> float:
    """Submit as the UI does; returns the seconds from the answer to the ledger's record of the decision."""
    stack.decide(number, form, **answers)
    answered = stack.clock.now()
    query = select(Decision).where(Decision.case_id == number, Decision.form == form, Decision.by == "Sari")

    def decision() -> Decision | None:
        with stack.systems.store.read() as session:
            return session.exec(query).first()

    recorded = until(decision, f"case {number} goes on after {form}")
    assert recorded is not None
    return (recorded.decided_at - answered).total_seconds()


def _pass_hours(stack: Stack, numbers: "range | list[int]", form: str, hours: float) -> None:
    """When all cases wait so, let time pass and the monitor look."""
    for number in numbers:
        stack.waiting(number, form)
    stack.clock.advance(hours)
    _pass(stack, "monitor-cases")


def _pass(stack: Stack, flow: str) -> None:
    """Have a standing flow's pass now, instead of when the schedule says so."""
    with SyncPrefectClient(api=stack.settings.prefect_api_url) as client:
        client.create_flow_run_from_deployment(client.read_deployment_by_name(f"{flow}/{flow}").id)
