"""The code changes while cases sleep: every activity and the flow are edited, the worker starts again, and nothing
that was done is done again.
"""

import ast
import shutil
from collections import Counter
from functools import partial
from pathlib import Path

import httpx
import pytest

from flows.processes import ROOT
from models.sop import ACTIVITIES, REVISION
from tests.order import disallowed
from tests.stack import Stack, until

BUDI, SITI, JOKO = (f"{name}@pelanggan.example" for name in ("budi", "siti", "joko"))
LINE = {"snr_db": 9, "attenuation_db": 55}
SEED = {
    "mailboxes": [{"address": "layanan@telkom.example", "password": "pw", "site": "JKT"}],
    "customers": [
        {"customer_id": "C-1", "name": "Budi", "addresses": [BUDI], "service_no": "122408771935", "line": LINE},
        {"customer_id": "C-2", "name": "Siti", "addresses": [SITI], "service_no": "122408771936", "line": {}},
        {"customer_id": "C-3", "name": "Joko", "addresses": [JOKO], "service_no": "122408771937"},
    ],
}
LATER = REVISION.replace("rev 02", "rev 03")


def edit(root: Path) -> None:
    """A later revision: a new first line in every function of the tasks and the flow, and another SOP number."""
    for file in [*(root / "tasks").rglob("*.py"), root / "flows" / "handle_case.py"]:
        lines = file.read_text().splitlines()
        bodies = [
            node.body[1] if isinstance(node.body[0], ast.Expr) and len(node.body) > 1 else node.body[0]
            for node in ast.walk(ast.parse(file.read_text()))
            if isinstance(node, ast.FunctionDef)
        ]
        for first in sorted(bodies, key=lambda node: -node.lineno):
            if not isinstance(first, ast.FunctionDef):  # a decorated inner function begins above its own line
                lines.insert(first.lineno - 1, " " * first.col_offset + "edited = 'a later revision'")
        file.write_text("\n".join(lines) + "\n")
    sop = root / "models" / "sop.py"
    sop.write_text(sop.read_text().replace("rev 02", "rev 03"))


def all_sent(stack: Stack, number: int) -> bool:
    return all(state == "sent" for _, state in stack.outbox(number))


@pytest.mark.slow
def test_nothing_is_repeated_after_the_code_has_changed(engine: str, tmp_path: Path) -> None:
    root = tmp_path / "code"
    for part in ("models", "adapters", "tasks", "flows", "templates", "migrations"):
        shutil.copytree(ROOT / part, root / part, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "prefect.yaml", root)
    stack = Stack(tmp_path / "home", SEED, root, LAYANAN_PREFECT_API_URL=engine)
    try:
        stack.start()
        stack.write(BUDI, "Internet mati", "Internet saya 122408771935 mati total, lampu LOS merah. Tolong diperbaiki.")
        stack.waiting(1, "UnitProgress")
        stack.write(
            SITI, "Internet lambat", "Internet saya 122408771936 lambat sekali sejak kemarin, tolong diperbaiki."
        )
        stack.waiting(2, "ApproveSolution")
        stack.write(JOKO, "Paket IndiHome", "Berapa harga paket IndiHome 50 Mbps dan promo apa saja yang ada sekarang?")
        stack.waiting(3, "ClosingPeriod")
        before = {number: [record.model_dump() for record in stack.records(number)] for number in (1, 2, 3)}

        stack.service.stop_worker()
        edit(root)
        stack.service.start_worker()

        stack.clock.advance(4.5)
        stack.decide(1, "ApproveSolution", choice="SEND", cause="Kabel putus", repair="Kabel disambung")
        stack.decide(2, "ApproveSolution", choice="SEND", cause="Sesi lama", repair="Sesi diperbarui")
        stack.waiting(1, "ClosingPeriod")
        stack.waiting(2, "ClosingPeriod")
        stack.clock.advance(49)

        for number, address in ((1, BUDI), (2, SITI), (3, JOKO)):
            stack.ended(number)
            until(partial(all_sent, stack, number), "all letters are sent")
            records = stack.records(number)
            kept = [record.model_dump() for record in records[: len(before[number])]]
            assert kept == before[number], "what was recorded has changed"
            assert {record.sop_revision for record in records} == {REVISION, LATER}, "the edited code did not run"
            assert disallowed(stack.path(number)) == []
            letters = Counter(str(letter["Message-ID"]) for letter in stack.letters(address))
            assert set(letters.values()) == {1}, "a letter came twice"
            assert len(letters) == len(stack.outbox(number))
            assert history(stack, number) == stack.path(number)
        assert len(stack.tickets()) == 1
    finally:
        stack.stop()


def history(stack: Stack, number: int) -> list[int]:
    """The numbered activities as the run's history in the Prefect UI shows them."""
    case = stack.case(number)
    assert case is not None
    labels = {f"{activity.number} · {activity.label}": activity.number for activity in ACTIVITIES}
    url = f"{stack.settings.prefect_api_url}/task_runs/filter"
    query = {"flow_runs": {"id": {"any_": [case.run_id]}}, "sort": "EXPECTED_START_TIME_ASC"}
    runs = httpx.post(url, json=query, timeout=60).raise_for_status().json()
    return [labels[run["name"]] for run in runs if run["name"] in labels]
