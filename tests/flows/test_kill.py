"""SOP by `kill -9`: a case whose worker is killed at every boundary and inside every effect ends as if nothing was.

Each point of `kill_worker.POINTS` kills the worker before the call and after it, twice in the case's life.
"""

import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from flows.service import Service
from models.sop import disallowed
from tests.flows.kill_worker import POINTS
from tests.stack import Stack, until

SEED = {
    "mailboxes": [{"address": "layanan@telkom.example", "password": "pw", "site": "JKT"}],
    "customers": [
        {
            "customer_id": "C-1",
            "name": "Budi Santoso",
            "addresses": ["budi@pelanggan.example"],
            "service_no": "122408771935",
            "line": {"snr_db": 9, "attenuation_db": 55},
            "repairs": {"Access Network": {"hours": 30}, "Core Network": {"hours": 2}},
        }
    ],
}
BUDI = "budi@pelanggan.example"


class KilledService(Service):
    """Its worker is the one that dies."""

    def start_worker(self) -> None:
        command = [sys.executable, "-m", "tests.flows.kill_worker", str(self.settings.home / "kills")]
        with (self.settings.home / "worker.log").open("ab") as log:
            self._worker = subprocess.Popen(
                command, env=self.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_case_survives_a_kill_at_every_point(tmp_path: Path) -> None:
    stack = Stack(tmp_path, SEED)
    try:
        stack.start(worker=False)
        stack.service = KilledService(stack.settings, stack.environment)
        stack.service.start_worker()
        stack.write(f"Budi <{BUDI}>", "Internet mati", "Internet saya 122408771935 mati total, LOS merah. Tolong.")
        until(lambda: stack.case(1), "the case is opened", 120)
        stack.waiting(1, "UnitProgress")
        stack.clock.advance(6.1)
        until(lambda: 9 in stack.path(1), "the customer is told the status", 120)
        stack.clock.advance(18)
        stack.decide(1, "Escalation", choice="OTHER_UNIT", unit="Core Network")
        stack.waiting(1, "UnitProgress")
        stack.clock.advance(2.5)
        stack.decide(1, "ApproveSolution", choice="SEND", cause="Kabel putus", repair="Kabel disambung")
        stack.waiting(1, "ClosingPeriod")
        stack.clock.advance(49)
        case = stack.ended(1, 180)

        until(lambda: all(state == "sent" for _, state in stack.outbox(1)), "all letters are sent")
        path = stack.path(1)
        assert case.outcome == "complaint"
        assert disallowed(path) == []
        assert [number for number in path if number != 9] == [1, 2, 4, 6, 7, 8, 7, 10, 12]
        letters = Counter(str(letter["Message-ID"]) for letter in stack.letters(BUDI))
        assert set(letters.values()) == {1}, "a letter came twice"
        assert len(letters) == len(stack.outbox(1))
        assert len(stack.tickets()) == 1
        records = Counter((record.name, record.occurrence, record.attempt) for record in stack.records(1))
        assert set(records.values()) == {1}
        killed = {file.name.partition(".")[0] for file in (tmp_path / "kills").iterdir()}
        expected = {name for _, name in POINTS if name != "perform"} | {"inform_status", "closing", "first_response"}
        assert expected <= killed, f"never killed: {expected - killed}"
    finally:
        stack.stop()
