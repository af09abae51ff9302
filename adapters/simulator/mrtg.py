"""The simulator's MRTG: writes its configuration, and logs like those of ``rateup``.

Held by `tests/adapters/systems/test_mrtg.py`.
"""

import asyncio
import math
import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

from adapters.clock import Clock
from adapters.simulator.seed import Seed, SeededCustomer, SeededLink

POLL = timedelta(minutes=5)
CHECK_SECONDS = 1
# time before the simulator's start at which each link's trouble begins
STORY = {
    "healthy": timedelta(),
    "saturated": timedelta(hours=4),
    "dead": timedelta(hours=2),
    "unanswered": timedelta(hours=2),
    "stale": timedelta(hours=26),
}
# seconds for each line and number of lines, from the newest
STEPS = ((300, 600), (1800, 600), (7200, 600), (86400, 732))


class TrafficLogs:
    """One log for each seeded link, named after the customer's service number, with a poll every five minutes.

    Writes ``mrtg.cfg`` and the logs into the folder. The polls follow the clock, even if it is moved.
    """

    def __init__(self, seed: Seed, folder: Path, clock: Clock) -> None:
        self._customers = [customer for customer in seed.customers if customer.link]
        self._folder = folder
        self._clock = clock
        self._polling: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Write the files and start polling."""
        self._folder.mkdir(parents=True, exist_ok=True)
        (self._folder / "mrtg.cfg").write_text(self._cfg())
        started = self._clock.now()
        await asyncio.to_thread(self._write, started, started)
        self._polling = asyncio.create_task(self._poll(started))

    async def stop(self) -> None:
        """Stop polling and keep the files."""
        if self._polling:
            self._polling.cancel()
            with suppress(asyncio.CancelledError):
                await self._polling

    def settings(self) -> dict[str, Any]:
        """The service's settings for these logs."""
        return {"mrtg": {"cfg": str(self._folder / "mrtg.cfg")}}

    async def _poll(self, started: datetime) -> None:
        polled = started
        while True:
            await asyncio.sleep(CHECK_SECONDS)
            now = self._clock.now()
            if now - polled >= POLL:
                await asyncio.to_thread(self._write, now, started)
                polled = now

    def _cfg(self) -> str:
        lines = [f"WorkDir: {self._folder.absolute()}", "Options[_]: growright, bits"]
        for number, customer in enumerate(self._customers, start=1):
            if link := customer.link:
                target = _target(customer)
                lines += [
                    "",
                    f"Target[{target}]: {number}:simulator@127.0.0.1:",
                    f"MaxBytes[{target}]: {link.size_bytes_per_s}",
                    f'SetEnv[{target}]: MRTG_INT_IP="" MRTG_INT_DESCR="{link.interface}"',
                    f"Title[{target}]: {customer.service_no} {customer.name}",
                    f"PageTop[{target}]: <h1>{customer.service_no}</h1>",
                ]
        return "\n".join([*lines, ""])

    def _write(self, now: datetime, started: datetime) -> None:
        for customer in self._customers:
            if link := customer.link:
                log = self._folder / f"{_target(customer)}.log"
                part = log.with_suffix(".tmp")
                last = started - STORY["stale"] if link.traffic == "stale" else now
                for file, polled in ((log.with_suffix(".old"), last - POLL), (log, last)):
                    part.write_text(_log(link, polled, started))
                    part.replace(file)


def _target(customer: SeededCustomer) -> str:
    """The name of a target: only letters, digits, ``_`` and ``-``, in lower case like its files."""
    return re.sub(r"[^a-z0-9_-]", "-", customer.service_no.lower())


def _log(link: SeededLink, polled: datetime, started: datetime) -> str:
    turn = int((started - STORY[link.traffic]).timestamp())
    last = int(polled.timestamp())
    # counted since the day before the trouble, so that the next poll continues from here
    polls = [_rates(link, time, turn) for time in range(last, turn - 86400, -300)]
    counters = (sum(rates[number] for rates in polls) * 300 for number in (0, 1))
    lines = [f"{last} -1 -1" if link.traffic == "unanswered" else f"{last} {next(counters)} {next(counters)}"]
    for until, since in pairwise(_times(last)):
        samples = [_rates(link, time, turn) for time in range(until, since, -max(300, (until - since) // 6))]
        inward, outward = zip(*samples, strict=True)
        count = len(samples)
        lines.append(f"{until} {sum(inward) // count} {sum(outward) // count} {max(inward)} {max(outward)}")
    return "\n".join([*lines, ""])


def _times(last: int) -> Iterator[int]:
    """The end of each line, newest first, and the beginning of the oldest one."""
    yield last
    time = last - 300
    if time % 300:
        yield time
    for step, lines in STEPS:
        for _ in range(lines):
            time = time // step * step
            yield time
            time -= 1
    yield time // 86400 * 86400


def _rates(link: SeededLink, time: int, turn: int) -> tuple[int, int]:
    """Bytes per second, in and out, at a time: a daily rhythm until the trouble begins at ``turn``."""
    size, slot = link.size_bytes_per_s, time // 300
    if time > turn:
        if link.traffic == "saturated":
            return int(size * (0.985 + 0.008 * math.sin(slot * 2.3))), int(size * 0.24)
        if link.traffic == "dead":
            return 0, 0
        if link.traffic == "unanswered":  # MRTG repeats the last value
            return _rates(link, turn, turn)
    hour = (time + 7 * 3600) % 86400 / 3600  # Jakarta's
    inward = size * (0.2 + 0.28 * math.sin((hour - 9) * math.pi / 12) ** 2) * (1 + 0.1 * math.sin(slot * 2.3))
    return int(inward), int(inward * 0.35)
