"""A contact centre's first week, simulated: ours beside an earlier revision of ours, in the same call.

    python -m bench.first_week [--mails 2000] [--beside REVISION] [--step 15] [--seed 1]

Mails of five kinds of senders come in a week in which the relay refuses our account for two hours, one system asks to
wait, the worker is away for a night and nobody works on Sunday. Exits with 1 when an aim is missed. README.md says
what is measured, and how.
"""

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from bench.engine import Aims
from bench.week.calendar import AWAY, CLOSED, MONDAY, OPEN, SUNDAY_NIGHT, within, working
from bench.week.letters import Taken
from bench.week.mails import FORM, Mail, reactions, week
from bench.week.running import running
from flows.processes import ROOT
from flows.stop_signals import stopping_on_signals

ROUTINE = {"inform_status", "keep_informed", "inform_result", "closing"}
"""Letters that wait for the morning; a first response, and what answers a customer, may go at any hour."""
OFFICE = {
    "hours": dict.fromkeys(("mon", "tue", "wed", "thu", "fri", "sat"), f"{OPEN:02}:00-{CLOSED:02}:00") | {"sun": ""}
}
SETTINGS = {"LAYANAN_FORMS": json.dumps([FORM]), "LAYANAN_OFFICE": json.dumps(OFFICE)}
"""Those that an earlier revision has not."""
PARTS = ["send_due_letters", "pass_deadlines", "watch_waits", "deliver_signals"]
"""Of a sweep, those of each step; tickets are followed each hour."""


@dataclass
class Result:
    """What a week came to."""

    outcomes: dict[str, str]
    store: dict[str, Any]
    letters: list[Taken]
    refused: int
    asked: int
    """Calls to the system that had asked to wait."""
    mails: list[Mail]
    cpu: float
    seconds: float

    @property
    def without_outcome(self) -> int:
        return sum(mail.message_id not in self.outcomes for mail in self.mails)

    @property
    def swallowed(self) -> int:
        """Mails of another link that were taken for the same one."""
        return sum(mail.told_apart and self.outcomes.get(mail.message_id) == "duplicate" for mail in self.mails)

    @property
    def unseen(self) -> int:
        """Mails of people that were put aside as a program's, where no person looks."""
        return sum(mail.kind != "robot" and self.outcomes.get(mail.message_id) == "automatic" for mail in self.mails)

    @property
    def at_night(self) -> int:
        return sum(letter.kind in ROUTINE and not working(letter.at) for letter in self.letters)

    @property
    def twice(self) -> int:
        return len(self.letters) - len({letter.message_id for letter in self.letters})


def simulated(tree: Path, folder: Path, mails: int, step: timedelta, seed: int, settings: dict[str, str]) -> Result:
    """The week, with the code of ``tree``."""
    chance = random.Random(seed)
    with ExitStack() as stack:
        service = stack.enter_context(running(tree, folder, mails, settings))
        coming = week(mails * 9 // 10, chance)
        all_mails: list[Mail] = []
        began, now, read = time.monotonic(), MONDAY, 0
        while now < SUNDAY_NIGHT:
            now += step
            service.at(now)
            due = [mail for mail in coming if mail.at <= now]
            coming = coming[len(due) :]
            if len(all_mails) + len(coming) < mails:
                due += reactions(service.letters[read:], now, chance)
            read = len(service.letters)
            for mail in due:
                service.deliver(mail)
            all_mails += due
            if not within(now, AWAY):
                parts = PARTS + ["follow_tickets"] * (now.minute < step.total_seconds() / 60)
                service.order(poll=True, parts=parts, decide=40 if working(now) else 0)
        counted = service.order(end=True)
        seconds = time.monotonic() - began
        refused = service.relay.asked - len(service.letters)
    known, cpu = counted["known"], counted["cpu"]
    return Result(known, counted, service.letters, refused, service.asked, all_mails, cpu, seconds)


def show(aims: Aims, result: Result, held: bool) -> None:
    """Its figures; the aims are those of our own code."""

    def none(what: str, value: int) -> None:
        if held:
            aims.show(what, str(value), "0", value == 0)
        else:
            aims.show(what, str(value))

    store = result.store
    aims.show("mails; outcomes", f"{len(result.mails)}; {told(store['outcomes'])}")
    aims.show("cases; waits at the end", f"{told(store['cases'])}; {told(store['forms'])}")
    kinds = Counter(letter.kind for letter in result.letters)
    aims.show("letters by state; by kind", f"{told(store['letters'])}; {told(kinds)}")
    aims.show("letters that the relay refused for a time", str(result.refused))
    aims.show("calls to a system that asked to wait", str(result.asked))
    none("mails without outcome", result.without_outcome)
    none("mails of another link taken for the same", result.swallowed)
    none("customers' mails put aside as a program's", result.unseen)
    none("letters lost", sum(number for state, number in store["letters"].items() if state not in {"sent", "queued"}))
    none("letters sent twice", result.twice)
    none("routine letters at night or on Sunday", result.at_night)
    none("open cases without a future deadline", store["no_deadline"])
    none("late waits of people, not escalated", store["late_waits"])
    none("runs that broke", store["broken"])
    aims.show("wall time; CPU of the service", f"{result.seconds:.0f} s; {result.cpu:.0f} s")


def told(counts: dict[str, int]) -> str:
    return ", ".join(f"{number} {name}" for name, number in sorted(counts.items()))


@contextmanager
def revision(name: str, folder: Path) -> Iterator[Path]:
    """The code of an earlier revision, from this repository's history."""
    tree = folder / "earlier"
    subprocess.run(["git", "worktree", "add", "--quiet", "--detach", tree, name], cwd=ROOT, check=True)
    try:
        yield tree
    finally:
        subprocess.run(["git", "worktree", "remove", "--force", tree], cwd=ROOT, check=True)


def main() -> int:
    """Both weeks; 0 if every aim was reached."""
    parser = argparse.ArgumentParser(prog="python -m bench.first_week", description=__doc__)
    parser.add_argument("--mails", type=int, default=2_000)
    parser.add_argument("--beside", help="an earlier revision of ours; it is driven by its own `bench/week/service.py`")
    parser.add_argument("--step", type=float, default=15, help="minutes between a poll, a sweep and the next ones")
    parser.add_argument("--seed", type=int, default=1, help="of the chance by which mails come")
    options = parser.parse_args()
    aims, step = Aims(), timedelta(minutes=options.step)
    with stopping_on_signals(), tempfile.TemporaryDirectory(prefix="layanan-week-") as name, ExitStack() as stack:
        folder = Path(name)
        weeks = [("This revision", ROOT, True)]
        if options.beside:
            weeks.append((options.beside, stack.enter_context(revision(options.beside, folder)), False))
        for title, tree, held in weeks:
            print(f"{title}: {options.mails} mails in a week", flush=True)
            result = simulated(
                tree, folder / f"week-{held}", options.mails, step, options.seed, SETTINGS if held else {}
            )
            show(aims, result, held)
    return 0 if aims.reached else 1


if __name__ == "__main__":
    sys.exit(main())
