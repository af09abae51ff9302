"""MRTG: the traffic of a link, read from the log files that MRTG itself writes (its classic format)."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise, takewhile
from pathlib import Path
from typing import NamedTuple, Protocol

from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random

from adapters.clock import Clock
from models import settings
from models.errors import BrokenAnswer, Refused, Unavailable
from models.facts import Traffic

SYSTEM = "MRTG"
HOUR = 3600
STALE_AFTER_INTERVALS = 3
REPEATS_THAT_MEAN_UNKNOWN = 3
CLOCK_SKEW = timedelta(minutes=1)
LARGEST_FILE = 4 * 1024 * 1024

# all that we keep of the .cfg; of Target, which holds the SNMP community, the name alone
GLOBAL_KEYWORDS = frozenset({"workdir", "logdir", "logformat", "interval"})
TARGET_KEYWORDS = frozenset(
    {"target", "directory", "options", "title", "pagetop", "setenv", "maxbytes", "maxbytes1", "maxbytes2"}
)
# options that make the log count per minute or per hour instead of per second
PER_SECOND = {"perminute": 60, "perhour": 3600}


class TrafficMeter(Protocol):
    """Knows how much goes through a link."""

    def traffic(self, target_or_service_id: str) -> Traffic | None:
        """The last hour of a link; None where the system does not know the link.

        Raises:
            Unavailable: no log at the moment.
            Refused: the log cannot be used: see the message.
            BrokenAnswer: the log or the configuration breaks its format.
        """
        ...


class Mrtg:
    """MRTG's files on this machine. Reads them anew on each call; MRTG may rewrite them at any time."""

    def __init__(self, settings: settings.Mrtg, clock: Clock) -> None:
        self._cfg = settings.cfg
        self._clock = clock

    def traffic(self, target_or_service_id: str) -> Traffic | None:
        """See :class:`TrafficMeter`. *In* and *out* are MRTG's own: *in* is into the device's port."""
        config = _read_config(self._cfg)
        target = config.find(target_or_service_id)
        if target is None:
            return None
        options = config.options(target)
        if "gauge" in options:
            raise Refused(SYSTEM, "the target is a gauge, not traffic")
        log = _parse_log(_read_log(config.log_file(target)))
        if log.polled_at > self._clock.now() + CLOCK_SKEW:
            raise BrokenAnswer(SYSTEM, "the log's time lies in the future")
        state = "measured"
        if self._clock.now() - log.polled_at > STALE_AFTER_INTERVALS * config.interval:
            state = "stale"
        elif not log.answered or _unknown(log.rows, zero_is_unknown="unknaszero" in options):
            state = "unknown"
        rates: tuple[float | None, float | None] = (None, None)
        if state == "measured":
            divisor = next((PER_SECOND[option] for option in options if option in PER_SECOND), 1)
            rates = (_mean(log.rows, 0) / divisor, _mean(log.rows, 1) / divisor)
        return Traffic(
            target=target,
            state=state,
            measured_at=log.polled_at,
            in_bytes_per_s=rates[0],
            out_bytes_per_s=rates[1],
            in_share=_share(rates[0], config.size(target, "maxbytes1")),
            out_share=_share(rates[1], config.size(target, "maxbytes2")),
        )


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

    def log_file(self, target: str) -> Path:
        if self.globals.get("logformat", "").lower() == "rrdtool":
            raise Refused(SYSTEM, "its log is an RRD file, which is not readable here")
        folder = self.globals.get("workdir") or self.globals.get("logdir")
        if not folder:
            raise BrokenAnswer(SYSTEM, "the configuration has neither WorkDir nor LogDir")
        return Path(folder, self.targets[target].get("directory", ""), f"{target}.log")

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
    """The lines that say something, with included files in their places."""
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
    """Mean rates of the time that ends at ``until`` and begins at the next (older) row's ``until``."""

    until: int
    rates: tuple[int, int]


class _Log(NamedTuple):
    polled_at: datetime
    answered: bool
    rows: list[_Row]


def _read_log(file: Path) -> str:
    """The log, or while MRTG renames it, the one before.

    Raises:
        Unavailable: there is neither, or the disk does not answer.
        BrokenAnswer: too large for a log, which has a constant length.
    """
    moments = Retrying(
        retry=retry_if_exception_type(FileNotFoundError),
        stop=stop_after_attempt(3),
        wait=wait_random(0.02, 0.1),
        reraise=True,
    )
    try:
        try:
            data = moments(_read, file)
        except FileNotFoundError:
            data = _read(file.with_suffix(".old"))
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
    first = re.fullmatch(r"([0-9]{1,10}) (\S+) (\S+)", header)
    if not first:
        raise BrokenAnswer(SYSTEM, "line 1 of the log is not “time in out”")
    rows = []
    for number, line in enumerate(body.splitlines(), start=2):
        # three columns in very old logs; the maxima that follow in newer ones are not needed
        match = re.fullmatch(r"([0-9]{1,10}) ([0-9]{1,18}) ([0-9]{1,18})( [0-9]{1,18} [0-9]{1,18})?", line)
        if not match:
            raise BrokenAnswer(SYSTEM, f"line {number} of the log is not three or five numbers")
        rows.append(_Row(int(match[1]), (int(match[2]), int(match[3]))))
        if number > 2 and rows[-1].until >= rows[-2].until:
            raise BrokenAnswer(SYSTEM, f"line {number} of the log is not older than the line before")
    if not rows or rows[0].until != int(first[1]):
        raise BrokenAnswer(SYSTEM, "line 2 of the log has another time than line 1")
    if rows[-1].until > rows[0].until - HOUR:
        raise BrokenAnswer(SYSTEM, "the log is shorter than an hour")
    return _Log(datetime.fromtimestamp(rows[0].until, UTC), "-1" not in (first[2], first[3]), rows)


def _last_hour(rows: Sequence[_Row]) -> list[_Row]:
    return list(takewhile(lambda row: row.until > rows[0].until - HOUR, rows))


def _mean(rows: Sequence[_Row], direction: int) -> float:
    """Mean of the last hour; each row weighs as long as it lasts, the oldest is cut at the hour's start."""
    start = rows[0].until - HOUR
    return (
        sum(
            row.rates[direction] * (row.until - max(older.until, start))
            for row, older in pairwise(rows[: len(_last_hour(rows)) + 1])
        )
        / HOUR
    )


def _unknown(rows: Sequence[_Row], *, zero_is_unknown: bool) -> bool:
    """Whether a part of the last hour was not measured; the file shows it by its shape alone."""
    hour = len(_last_hour(rows))
    if zero_is_unknown and (0, 0) in [row.rates for row in rows[:hour]]:
        return True
    if rows[0].until - rows[1].until > HOUR:  # MRTG was off, and fills the gap with the last value
        return True
    if not any(any(row.rates) for row in rows[hour - 1 :]):  # zeros before the first poll
        return True
    runs = (rows[start : start + REPEATS_THAT_MEAN_UNKNOWN] for start in range(hour))
    return any(len({row.rates for row in run}) == 1 and any(run[0].rates) for run in runs)


def _share(rate: float | None, size: int | None) -> float | None:
    return rate / size if rate is not None and size else None
