"""The tickets of My CX, which NOSSA shows with its own numbers and words, and the units that work on them.

A unit's work is planned when the unit gets a ticket, and takes effect at the first request after the planned time, so
there are no timers. Like real systems, it accepts two tickets with one external id, so that tests notice a client that
creates two.
Held by `tests/adapters/simulator/test_tmf.py`.
"""

import json
import sqlite3
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from fastapi import HTTPException

from adapters.clock import Clock
from adapters.simulator.records import Resource, stamp
from adapters.simulator.seed import Seed, SeededRepair

NOSSA_WORDS = {
    "acknowledged": "NEW",
    "inProgress": "ANALYSIS",
    "pending": "PENDING",
    "held": "SLAHOLD",
    "resolved": "MEDIACARE",
    "closed": "CLOSED",
}
FINAL = frozenset({"closed", "cancelled", "rejected"})
SERVERS_OWN = frozenset({"id", "href", "creationDate", "lastUpdate", "statusChangeDate", "statusChange"})
HOURS_UNTIL_STARTED = 1.0


class Tickets:
    """All tickets; kept in ``file``."""

    def __init__(self, seed: Seed, file: Path, clock: Clock) -> None:
        self._repairs = {
            key: customer.repairs for customer in seed.customers for key in (customer.customer_id, customer.service_no)
        }
        self._clock = clock
        self._database = sqlite3.connect(file, isolation_level=None)
        self._database.execute("CREATE TABLE IF NOT EXISTS ticket (number INTEGER PRIMARY KEY, body TEXT, plan TEXT)")
        rows = self._database.execute("SELECT number, body, plan FROM ticket ORDER BY number")
        self._tickets: dict[int, tuple[Resource, list[Resource]]] = {
            number: (json.loads(body), json.loads(plan)) for number, body, plan in rows
        }

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def mycx(self) -> list[Resource]:
        """All tickets, as My CX shows them."""
        self._work()
        return [ticket for ticket, _ in self._tickets.values()]

    def nossa(self) -> list[Resource]:
        """All tickets, as NOSSA shows them: with its own number, and its own word in ``statusChangeReason``."""
        self._work()
        return [_for_nossa(number, ticket) for number, (ticket, _) in self._tickets.items()]

    def create(self, body: Resource) -> Resource:
        """Store a new ticket and plan the work of its unit."""
        missing = {"description", "severity", "ticketType"} - set(body)
        if missing:
            raise HTTPException(400, f"missing: {', '.join(sorted(missing))}")
        number, now = max(self._tickets, default=0) + 1, self._clock.now()
        ticket: Resource = {**body, "id": f"1-{number:07X}", "creationDate": stamp(now)}
        _stamp_notes(ticket, now)
        _enter(ticket, "acknowledged", now)
        self._save(number, ticket, self._plan(ticket, now))
        return ticket

    def change(self, ticket_id: str, change: Resource) -> Resource:
        """Apply a PATCH. If it has parties, it assigns the ticket, and the unit named there starts from the beginning.

        An open ticket may get any status; a ticket in a final status accepts no change.
        """
        self._work()
        number = next((n for n, (ticket, _) in self._tickets.items() if ticket["id"] == ticket_id), None)
        if number is None:
            raise HTTPException(404)
        ticket, plan = self._tickets[number]
        if ticket["status"] in FINAL:
            raise HTTPException(409, f"the ticket is {ticket['status']}")
        if forbidden := SERVERS_OWN & set(change):
            raise HTTPException(400, f"not to be changed: {', '.join(sorted(forbidden))}")
        now = self._clock.now()
        status: str = change.get("status") or ticket["status"]
        ticket = {**ticket, **change, "status": ticket["status"], "lastUpdate": stamp(now)}
        _stamp_notes(ticket, now)
        _enter(ticket, status, now, change.get("statusChangeReason"))
        if "relatedParty" in change:
            plan = self._plan(ticket, now)
        if status in FINAL:
            plan = []
        self._save(number, ticket, plan)
        return ticket

    def _plan(self, ticket: Resource, start: datetime) -> list[Resource]:
        unit = _unit(ticket)
        ids = [one.get("id") for one in (*ticket.get("relatedParty", []), *ticket.get("relatedEntity", []))]
        repairs = next((self._repairs[one] for one in ids if one in self._repairs), {})
        repair = repairs.get(unit, SeededRepair())
        notes = [
            {"@type": "Cause", "author": unit, "text": repair.cause},
            {"@type": "Repair", "author": unit, "text": repair.repair},
        ]
        steps: list[tuple[float | None, Resource]] = [
            (HOURS_UNTIL_STARTED, {"status": "inProgress"}),
            (repair.held_after_hours, {"status": "held"}),
            (repair.hours, {"status": "resolved", "note": notes}),
        ]
        plan: list[Resource] = []
        end: float | None = None
        # backwards, so that a step that would come after its successor is left out
        for hours, step in reversed(steps):
            if hours is not None and (end is None or hours < end):
                end = hours
                plan.insert(0, {"at": stamp(start + timedelta(hours=hours)), **step})
        return plan

    def _work(self) -> None:
        """Apply what the units have done by now."""
        now = self._clock.now()
        for number, (ticket, plan) in self._tickets.items():
            done = 0
            for step in plan:
                at = datetime.fromisoformat(step["at"])
                if at > now:
                    break
                ticket["note"] = [*ticket.get("note", []), *step.get("note", [])]
                _stamp_notes(ticket, at)
                _enter(ticket, step["status"], at)
                done += 1
            if done:
                self._save(number, ticket, plan[done:])

    def _save(self, number: int, ticket: Resource, plan: list[Resource]) -> None:
        self._tickets[number] = (ticket, plan)
        self._database.execute(
            "INSERT OR REPLACE INTO ticket VALUES (?, ?, ?)", (number, json.dumps(ticket), json.dumps(plan))
        )


def _enter(ticket: Resource, status: str, at: datetime, reason: str | None = None) -> None:
    if ticket.get("status") == status:
        return
    change: Resource = {"status": status, "changeDate": stamp(at)}
    ticket.pop("statusChangeReason", None)
    if reason:
        change["changeReason"] = ticket["statusChangeReason"] = reason
    ticket |= {"status": status, "statusChangeDate": stamp(at), "lastUpdate": stamp(at)}
    ticket["statusChange"] = [*ticket.get("statusChange", []), change]


def _stamp_notes(ticket: Resource, at: datetime) -> None:
    if "note" in ticket:
        ticket["note"] = [
            {"id": str(place), "date": stamp(at), **note} for place, note in enumerate(ticket["note"], start=1)
        ]


def _unit(ticket: Resource) -> str:
    parties: list[dict[str, Any]] = ticket.get("relatedParty", [])
    return next((party.get("id", "") for party in parties if party.get("role") == "unit"), "")


def _for_nossa(number: int, ticket: Resource) -> Resource:
    view = {**ticket, "id": f"INC{number:08d}"}
    view.pop("statusChangeReason", None)
    if word := NOSSA_WORDS.get(ticket["status"]):
        view["statusChangeReason"] = word
    return view
