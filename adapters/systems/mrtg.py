"""MRTG (SOP 11.1 MRTG): the traffic of a link, read from the log files that MRTG itself writes.

This module reads MRTG's classic format; the program ``rrdtool`` reads round-robin databases (``LogFormat: rrdtool``).
"""

import math
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import groupby, pairwise, takewhile
from pathlib import Path
from typing import Any, Literal, NamedTuple

from adapters.clock import Clock
from adapters.systems.retries import until_found
from models import settings
from models.errors import BrokenAnswer, Refused, Unavailable
from models.facts import Rates, Traffic

SYSTEM = "MRTG"
HOUR = 3600
STALE_AFTER_INTERVALS = 3
REPEATS_THAT_MEAN_UNKNOWN = 3
CLOCK_SKEW = timedelta(minutes=1)
ROUNDED = 1.5
"""Difference between a rate in the log, which is rounded, and the rate by the counters that counts as none."""
RRD_SECONDS = 10
RENAMING_SECONDS = 0.05
"""Pause after which a log that MRTG is renaming is looked for again."""
NO_RATES = dict.fromkeys(("in_bytes_per_s", "out_bytes_per_s", "in_share", "out_share"))
LARGEST_FILE = 4 * 1024 * 1024

# all that we keep of the configuration; of Target, which contains the SNMP community, only the name
GLOBAL_KEYWORDS = frozenset({"workdir", "logdir", "logformat", "interval"})
TARGET_KEYWORDS = frozenset(
    {"target", "directory", "options", "title", "pagetop", "setenv", "maxbytes", "maxbytes1", "maxbytes2"}
)
# options that make the log count per minute or per hour instead of per second
PER_SECOND = {"perminute": 60, "perhour": 3600}


class Mrtg:
    """MRTG's files on this machine, read anew on each call, because MRTG may rewrite them at any time."""

    def __init__(self, settings: settings.Mrtg, clock: Clock) -> None:
        self._cfg = settings.cfg
        self._clock = clock

    def traffic(self, target_or_service_id: str) -> Traffic | None:
        """The last hour of a link; None if MRTG does not know the link. *In* means into the device's port.

        Raises:
            Unavailable: there is no log at the moment.
            Refused: the log cannot be used; the message says why.
            BrokenAnswer: the log or the configuration breaks its format.
        """
        config = _read_config(self._cfg)
        target = config.find(target_or_service_id)
        if target is None:
            return None
        options = config.options(target)
        if "gauge" in options:
            raise Refused(SYSTEM, "the target is a gauge, not traffic")
        if config.in_rrd:
            found = _read_rrd(config.file(target, "rrd"), config.interval)
        else:
            found = _read_classic(config.file(target, "log"), options, config.interval)
        now = self._clock.now()
        if (ahead := found.polled_at - now) > CLOCK_SKEW:
            raise BrokenAnswer(
                SYSTEM, f"the log's time lies {ahead / timedelta(minutes=1):.0f} min in the future: a wrong clock?"
            )

        def rates(pair: tuple[float, float]) -> Rates:
            sizes = [config.size(target, f"maxbytes{number}") for number in (1, 2)]
            shares = [rate / size if size else None for rate, size in zip(pair, sizes, strict=True)]
            return Rates(in_bytes_per_s=pair[0], out_bytes_per_s=pair[1], in_share=shares[0], out_share=shares[1])

        known: dict[str, Any] = {"target": target, "measured_at": found.polled_at}
        if now - found.polled_at > STALE_AFTER_INTERVALS * config.interval:
            return Traffic(**known, state="stale", **NO_RATES)
        known["latest"] = rates(found.latest) if found.latest else None
        if found.unknown:
            return Traffic(**known, state="unknown", unknown=tuple(map(_period, found.unknown)), **NO_RATES)
        return Traffic(**known, state="measured", **rates(found.mean).model_dump())


@dataclass
class _Config:
    """What we need of MRTG's configuration. Keywords and targets are lower case."""

    globals: dict[str, str] = field(default_factory=dict)
    targets: dict[str, dict[str, str]] = field(default_factory=dict)

    def find(self, name: str) -> str | None:
        """The target of this name, or the one whose title, page or environment carries this service id."""
        known = {target: values for target, values in self.targets.items() if "target" in values}
        if not name:
            return None
        if name.lower() in known:
            return name.lower()
        whole = re.compile(rf"(?<![\w-]){re.escape(name)}(?![\w-])", re.IGNORECASE)
        found = [
            target
            for target, values in known.items()
            if any(whole.search(values.get(key, "")) for key in ("title", "pagetop", "setenv"))
        ]
        if len(found) > 1:
            raise Refused(SYSTEM, "several targets carry this service id")
        return found[0] if found else None

    @property
    def in_rrd(self) -> bool:
        return self.globals.get("logformat", "").lower() == "rrdtool"

    def file(self, target: str, kind: Literal["log", "rrd"]) -> Path:
        folder = self.globals.get("workdir") or self.globals.get("logdir")
        if not folder:
            raise BrokenAnswer(SYSTEM, "the configuration has neither WorkDir nor LogDir")
        return Path(folder, self.targets[target].get("directory", ""), f"{target}.{kind}")

    @property
    def interval(self) -> timedelta:
        match = re.match(r"(\d+)(?::(\d+))?", self.globals.get("interval", "5"))
        minutes, seconds = match.groups() if match else ("5", None)
        return timedelta(minutes=int(minutes), seconds=int(seconds or 0))

    def options(self, target: str) -> list[str]:
        return re.split(r"[,\s]+", self.targets[target].get("options", "").lower())

    def size(self, target: str, direction: str) -> int | None:
        values = self.targets[target]
        size = values.get(direction) or values.get("maxbytes", "")
        return int(size) if re.fullmatch(r"[0-9]+", size) else None


def _read_config(cfg: Path) -> _Config:
    entries: list[str] = []
    for line in _lines(cfg, cfg.parent):
        if line[0].isspace() and entries:
            entries[-1] += " " + line.strip()
        else:
            entries.append(line)
    config = _Config()
    shared: dict[str, dict[str, str]] = {"_": {}, "^": {}, "$": {}}
    for entry in entries:
        match = re.fullmatch(r"(\w+)(?:\[(\S+?)\])?\s*:\s*(.*?)\s*", entry, re.DOTALL)
        if not match:
            continue
        keyword, target, value = match[1].lower(), (match[2] or "").lower(), match[3]
        if keyword not in (TARGET_KEYWORDS if target else GLOBAL_KEYWORDS):
            continue
        if keyword == "target":
            value = ""
        if not target:
            config.globals[keyword] = value
        elif target in shared:
            shared[target].pop(keyword, None)
            if value:
                shared[target][keyword] = value
        else:
            values = config.targets.setdefault(target, {})
            parts = (shared["^"].get(keyword), value, shared["$"].get(keyword))
            values[keyword] = " ".join(part for part in parts if part)
            for key, default in {**shared["^"], **shared["_"]}.items():
                values.setdefault(key, default)
    return config


def _lines(file: Path, folder: Path, within: tuple[Path, ...] = ()) -> Iterator[str]:
    """The lines without blank lines and comments, with the lines of included files in their place."""
    if file in within:
        raise BrokenAnswer(SYSTEM, "the configuration includes itself")
    try:
        text = file.read_text("utf-8", errors="replace")
    except OSError:
        raise Refused(SYSTEM, "the configuration cannot be read") from None
    for line in text.split("\n"):
        if match := re.match(r"include:\s*(\S.*?)\s*$", line, re.IGNORECASE):
            pattern = folder / match[1]
            included = sorted(pattern.parent.glob(pattern.name))
            if not included and "*" not in pattern.name:
                raise Refused(SYSTEM, "a file that the configuration includes is missing")
            for part in included:
                yield from _lines(part, folder, (*within, file))
        elif line.strip() and not line.lstrip().startswith("#"):
            yield line


class _Row(NamedTuple):
    """Mean rates of the interval that ends at ``until``; it begins at the next (older) row's ``until``."""

    until: int
    rates: tuple[int, int]


class _Log(NamedTuple):
    polled_at: int
    counters: tuple[int, int] | None
    """Of the last poll; None if the device did not answer."""
    rows: list[_Row]


class _Found(NamedTuple):
    """What a log of either format says about its last hour."""

    polled_at: datetime
    mean: tuple[float, float]
    latest: tuple[float, float] | None
    unknown: list[tuple[int, int]]


def _period(of: tuple[int, int]) -> tuple[datetime, datetime]:
    return datetime.fromtimestamp(of[0], UTC), datetime.fromtimestamp(of[1], UTC)


def _read_classic(file: Path, options: Sequence[str], interval: timedelta) -> _Found:
    """The last hour of a log as ``rateup`` writes it.

    The log repeats its last value when it has no new one: the device does not answer, a counter was reset or exceeds
    the limit, or MRTG itself was stopped. The counters distinguish a repeated value from a constant one; those of the
    previous poll are in the ``.old`` file.
    """
    log = _parse_log(_read_log(file))
    before = _poll_before(file)
    if before is not None and before.polled_at >= log.polled_at:  # MRTG has rewritten the log in between
        log, before = _parse_log(_read_log(file)), _poll_before(file)
    factor = next((PER_SECOND[option] for option in options if option in PER_SECOND), 1)
    last = log.rows[1].until
    if before is not None and before.polled_at < log.polled_at:
        last = max(before.polled_at, log.rows[-1].until)
    agrees = _agrees(log, before, factor)
    start = log.polled_at - HOUR
    unknown = [] if agrees or (agrees is None and log.counters) else [(last, log.polled_at)]
    unknown += _doubtful(log.rows, start, last if agrees else None, zero_is_unknown="unknaszero" in options)
    inward, outward = (_mean(log.rows, number, start) / factor for number in (0, 1))
    latest = (_mean(log.rows, 0, last) / factor, _mean(log.rows, 1, last) / factor) if agrees else None
    return _Found(datetime.fromtimestamp(log.polled_at, UTC), (inward, outward), latest, _joined(unknown, start))


class _Poll(NamedTuple):
    """Line 1 of a log."""

    polled_at: int
    counters: tuple[int, int] | None


def _poll_before(file: Path) -> _Poll | None:
    """The previous poll; None if its file is missing or not a log."""
    try:
        with file.with_suffix(".old").open("rb") as stream:
            return _poll(stream.readline(200).decode("ascii", errors="replace").rstrip("\n"))
    except OSError:
        return None


def _poll(line: str) -> _Poll | None:
    match = re.fullmatch(r"([0-9]{1,10}) (-1|[0-9]{1,40}) (-1|[0-9]{1,40})", line)
    if match is None:
        return None
    counters = int(match[2]), int(match[3])
    return _Poll(int(match[1]), None if -1 in counters else counters)


def _agrees(log: _Log, before: _Poll | None, factor: int) -> bool | None:
    """Whether the rates since the previous poll match the growth of the counters; None: it cannot be determined."""
    if before is None or before.polled_at >= log.polled_at or before.polled_at < log.rows[-1].until:
        return None
    if log.counters is None or before.counters is None:
        return False
    seconds = log.polled_at - before.polled_at
    for number in (0, 1):
        grown, logged = log.counters[number] - before.counters[number], _mean(log.rows, number, before.polled_at)
        # a counter of 32 or 64 bits may have wrapped; rates in the log are rounded
        if not any(abs((grown + turn) * factor / seconds - logged) <= ROUNDED for turn in (0, 2**32, 2**64)):
            return False
    return True


def _doubtful(
    rows: Sequence[_Row], start: int, measured_since: int | None, *, zero_is_unknown: bool
) -> Iterator[tuple[int, int]]:
    """Periods since ``start`` that were perhaps not measured, by the pattern of the log's values.

    Args:
        measured_since: The beginning of the last interval, if the counters show that it was measured: then equal values
            before it are constant ones. None: the counters do not show it.
    """
    first = 0
    for rates, group in groupby(rows[:-1], key=lambda row: row.rates):
        after = first + len(list(group))
        until, since = rows[first].until, rows[after].until
        if until <= start:
            return
        constant = first == 0 and measured_since is not None
        if not any(rates):
            if after == len(rows) - 1:
                # only zeros before: measuring began at an unknown time within the next row
                yield since, measured_since or until if first == 0 else rows[first - 1].until
            elif zero_is_unknown and not constant:
                yield since, until
        elif after - first >= REPEATS_THAT_MEAN_UNKNOWN and not constant:
            yield since, until
        if not constant and any(newer.until - older.until > HOUR for newer, older in pairwise(rows[first : after + 1])):
            yield since, until  # MRTG was stopped, and fills the gap with its last value
        first = after


def _joined(parts: Iterable[tuple[int, int]], start: int) -> list[tuple[int, int]]:
    """The periods from ``start`` on, in order, without overlaps."""
    joined: list[tuple[int, int]] = []
    for since, until in sorted((max(since, start), until) for since, until in parts if until > start):
        if joined and since <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(until, joined[-1][1])
        else:
            joined.append((since, until))
    return joined


def _read_rrd(file: Path, interval: timedelta) -> _Found:
    """The last hour of a round-robin database, which itself marks what was not measured.

    Raises:
        Refused: the program ``rrdtool`` is not installed.
        Unavailable: there is no such file, or the program times out.
        BrokenAnswer: the file is not a round-robin database.
    """
    if not file.is_file():
        raise Unavailable(SYSTEM, "the target's log cannot be read")
    step = round(interval.total_seconds())
    polled_at = int(_rrdtool("last", str(file.absolute())))
    end = polled_at // step * step
    bounds = ("--resolution", str(step), "--start", str(end - HOUR), "--end", str(end))
    rows = []
    for line in _rrdtool("fetch", str(file.absolute()), "AVERAGE", *bounds).splitlines():
        until, colon, values = line.partition(":")
        if colon and end - HOUR < int(until) <= end:
            inward, outward = map(float, values.split()[:2])
            rows.append((int(until), (inward, outward)))
    measured = [rates for _, rates in rows if not any(map(math.isnan, rates))]
    if not rows:
        raise BrokenAnswer(SYSTEM, "the log has no rows of the last hour")
    unknown = [(until - step, until) for until, rates in rows if any(map(math.isnan, rates))]
    mean = tuple(sum(rates[number] for rates in measured) / max(len(measured), 1) for number in (0, 1))
    latest = rows[-1][1] if not unknown or unknown[-1][1] < rows[-1][0] else None
    return _Found(datetime.fromtimestamp(polled_at, UTC), (mean[0], mean[1]), latest, _joined(unknown, end - HOUR))


def _rrdtool(*arguments: str) -> str:
    program = shutil.which("rrdtool")
    if program is None:
        raise Refused(SYSTEM, "its log is an RRD file: install the program rrdtool (Debian package rrdtool) to read it")
    try:
        done = subprocess.run(  # noqa: S603 our own arguments, no shell
            [program, *arguments], capture_output=True, check=False, timeout=RRD_SECONDS, env={"LC_ALL": "C"}
        )
    except subprocess.TimeoutExpired:
        raise Unavailable(SYSTEM, f"rrdtool {arguments[0]} took longer than {RRD_SECONDS} s") from None
    if done.returncode:
        raise BrokenAnswer(SYSTEM, f"rrdtool {arguments[0]} cannot read the log")
    return done.stdout.decode("ascii", errors="replace")


def _read_log(file: Path) -> str:
    """The log, or, while MRTG renames it, the previous one.

    Raises:
        Unavailable: neither exists, or the disk does not answer.
        BrokenAnswer: it is too large for a log, whose length is constant.
    """

    def newest() -> bytes | None:
        with suppress(FileNotFoundError):
            return _read(file)
        return None

    try:
        data = until_found(newest, seconds=RENAMING_SECONDS)
        data = _read(file.with_suffix(".old")) if data is None else data
    except OSError:
        raise Unavailable(SYSTEM, "the target's log cannot be read") from None
    if len(data) > LARGEST_FILE:
        raise BrokenAnswer(SYSTEM, "the log is too large")
    return data.decode("ascii", errors="replace")


def _read(file: Path) -> bytes:
    with file.open("rb") as stream:
        return stream.read(LARGEST_FILE + 1)


def _parse_log(text: str) -> _Log:
    header, _, body = text.partition("\n")
    poll = _poll(header)
    if not poll:
        raise BrokenAnswer(SYSTEM, "line 1 of the log is not “time in out”")
    rows = []
    for number, line in enumerate(body.splitlines(), start=2):
        # very old logs have three columns; the maxima in newer ones are not needed
        match = re.fullmatch(r"([0-9]{1,10}) ([0-9]{1,18}) ([0-9]{1,18})( [0-9]{1,18} [0-9]{1,18})?", line)
        if not match:
            raise BrokenAnswer(SYSTEM, f"line {number} of the log is not three or five numbers")
        rows.append(_Row(int(match[1]), (int(match[2]), int(match[3]))))
        if number > 2 and rows[-1].until >= rows[-2].until:
            raise BrokenAnswer(SYSTEM, f"line {number} of the log is not older than the line before")
    if not rows or rows[0].until != poll.polled_at:
        raise BrokenAnswer(SYSTEM, "line 2 of the log has another time than line 1")
    if rows[-1].until > rows[0].until - HOUR:
        raise BrokenAnswer(SYSTEM, "the log is shorter than an hour")
    return _Log(*poll, rows)


def _mean(rows: Sequence[_Row], direction: int, start: int) -> float:
    """The mean since ``start``, weighted by the length of each row; the oldest row is cut."""
    recent = takewhile(lambda pair: pair[0].until > start, pairwise(rows))
    total = sum(row.rates[direction] * (row.until - max(older.until, start)) for row, older in recent)
    return total / (rows[0].until - start)
