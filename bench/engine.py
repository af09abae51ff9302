"""What the engine costs: each figure beside what it is compared with, measured in the same call.

    python -m bench.engine [--quick]

Exits with 1 when an aim is missed. README.md says what is measured, and how.
"""

import argparse
import os
import statistics
import sys
import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path

from bench.replay import ENTRIES, replay
from bench.trivial_runs import Runs, server
from bench.whole_cases import whole_cases
from flows.stop_signals import stopping_on_signals


class Aims:
    """Prints figures, and remembers whether every aim was reached."""

    def __init__(self) -> None:
        self.reached = True
        self.of_a_trivial_run = 0.0
        """CPU seconds on the process worker, server included; 0 where they could not be measured."""

    def show(self, what: str, value: str, aim: str = "", reached: bool = True) -> None:
        verdict = f"   aim {aim}: {'reached' if reached else 'MISSED'}" if aim else ""
        print(f"  {what:<42} {value}{verdict}", flush=True)
        self.reached &= reached

    def attempt(self, measure: Callable[[], None]) -> None:
        """Measure; what fails is said, counts as missed, and costs the figures after it nothing."""
        try:
            measure()
        except (Exception, SystemExit):  # noqa: BLE001 - whatever it is, the others are measured
            print(traceback.format_exc())
            self.show("it", "could not be measured", "to be measured", False)


def workers(aims: Aims, home: Path, quick: bool) -> None:
    """Figures 1 and 3."""
    print("A trivial run (5 tasks, one suspend and resume): in-process worker beside process worker", flush=True)
    with server(home) as service:
        ours = Runs(service, "layanan").measured(alone=5 if quick else 20, together=20)
        theirs = Runs(service, "process").measured(alone=1 if quick else 3, together=3 if quick else 6)
    ratio = theirs.worker / ours.worker
    less = f"{ours.worker:.3f} s beside {theirs.worker:.2f} s: {ratio:.0f} times less"
    aims.show("CPU of the worker, a run", less, "10 times", ratio >= 10)
    ratio = theirs.server / ours.server
    aims.show("CPU of the server, a run", f"{ours.server:.3f} s beside {theirs.server:.3f} s: {ratio:.1f} times less")
    ratio = ours.per_second / theirs.per_second
    aims.show("runs a second", f"{ours.per_second:.2f} beside {theirs.per_second:.2f}: {ratio:.1f} times more")
    median, beside = statistics.median(ours.delays), statistics.median(theirs.delays)
    value = f"{_delays(ours.delays)} beside {beside:.2f} s: {beside / median:.0f} times sooner"
    aims.show("from submit to Running", value, "median < 1 s", median < 1)
    aims.of_a_trivial_run = theirs.worker + theirs.server


def cases(aims: Aims, home: Path, quick: bool) -> None:
    """Figures 2 and 3."""
    count = 3 if quick else 10
    print(f"A whole case (10 activities, 6 waits, 3 of them a person's), of {count} at once", flush=True)
    cost = whole_cases(home, count, idle_seconds=30 if quick else 60)
    total = cost.worker + cost.server
    value = f"{total:.2f} s (worker {cost.worker:.2f}, server {cost.server:.2f})"
    aims.show("CPU of worker and server, a case", value, "< 2 s", total < 2)
    aims.show(
        "the same with the idle service's share", f"{cost.with_idle:.2f} s; idling uses {cost.idle:.3f} of a core"
    )
    if beside := aims.of_a_trivial_run:
        aims.show("beside one trivial run, process worker", f"{beside:.2f} s: {beside / total:.1f} times a whole case")
    median = statistics.median(cost.delays)
    aims.show("from submit to the decision's record", _delays(cost.delays), "median < 1 s", median < 1)


def ledger(aims: Aims, home: Path) -> None:
    """Figure 4."""
    print(f"A replay of a case with {ENTRIES} entries in its ledger, beside {ENTRIES} look-ups", flush=True)
    cost = replay(home)
    aims.show("queries", f"{cost.queries} beside {cost.single_queries}", "1", cost.queries == 1)
    ratio = cost.single_seconds / cost.seconds
    value = f"{cost.seconds * 1000:.1f} ms beside {cost.single_seconds * 1000:.1f} ms: {ratio:.0f} times less"
    aims.show("time", value)


def _delays(delays: list[float]) -> str:
    p95 = statistics.quantiles(delays, n=20, method="inclusive")[-1]
    return f"median {statistics.median(delays):.2f} s, p95 {p95:.2f} s of {len(delays)}"


def main() -> int:
    """All figures; 0 if every aim was reached."""
    parser = argparse.ArgumentParser(prog="python -m bench.engine", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer runs and cases: rougher, in about half the time")
    quick = parser.parse_args().quick
    aims = Aims()
    print(f"{os.cpu_count()} cores, load before {os.getloadavg()[0]:.1f}: CPU seconds bear some load, times do not")
    with stopping_on_signals(), tempfile.TemporaryDirectory(prefix="layanan-bench-") as folder:
        aims.attempt(lambda: workers(aims, Path(folder, "trivial"), quick))
        aims.attempt(lambda: cases(aims, Path(folder, "cases"), quick))
        aims.attempt(lambda: ledger(aims, Path(folder, "replay")))
    return 0 if aims.reached else 1


if __name__ == "__main__":
    sys.exit(main())
