"""MRTG's files (SOP 11.1 MRTG): the samples that the real rateup wrote, our own odd ones, and the simulator's."""

import asyncio
import os
import re
import subprocess
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from adapters.clock import Clock, SimulatedClock
from adapters.simulator.mrtg import TrafficLogs
from adapters.simulator.seed import Seed
from adapters.systems.mrtg import Mrtg, _read_config
from models import settings
from models.errors import BrokenAnswer, LayananError, Refused, Unavailable
from models.facts import Traffic

SAMPLES = Path(__file__).parents[4] / "shared/systems/mrtg"
LAST_POLL = 1767225607


class FixedClock:
    def __init__(self, moment: datetime) -> None:
        self.moment = moment

    def now(self) -> datetime:
        return self.moment


SOON_AFTER = FixedClock(datetime.fromtimestamp(LAST_POLL, UTC) + timedelta(minutes=1))


def rows(rates: list[tuple[int, int]], last: int = LAST_POLL, columns: int = 5) -> str:
    """A log whose rows are 300 s long but for the first two, as rateup's are; older ones are 100 / 50."""
    times = [last, last - 300]
    while len(times) < 40:
        times.append((times[-1] - 1) // 300 * 300)
    rates = rates + [(100, 50)] * (len(times) - len(rates))
    lines = [f"{last} 9000 4000"]
    for moment, (inward, outward) in zip(times, rates, strict=True):
        lines.append(" ".join(map(str, (moment, inward, outward, inward, outward)[:columns])))
    return "\n".join([*lines, ""])


VARIED = [(100 + i, 50 + i) for i in range(40)]


class Files:
    """MRTG's folder for one target named ``link``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.cfg = folder / "mrtg.cfg"
        self.log = folder / "link.log"

    def configure(self, text: str = "") -> None:
        self.cfg.write_text(f"WorkDir: {self.folder}\nMaxBytes[link]: 1000\nTarget[link]: 1:s3cret@h:\n{text}")

    def meter(self, clock: Clock = SOON_AFTER) -> Mrtg:
        return Mrtg(settings.Mrtg(cfg=self.cfg), clock)

    def traffic(self, name: str = "link", clock: Clock = SOON_AFTER) -> Traffic:
        traffic = self.meter(clock).traffic(name)
        assert traffic is not None
        return traffic


@pytest.fixture
def files(tmp_path: Path) -> Files:
    files = Files(tmp_path)
    files.configure()
    files.log.write_text(rows(VARIED))
    return files


@pytest.mark.skipif(not SAMPLES.is_dir(), reason=f"the samples that rateup wrote are not at {SAMPLES}")
class TestSamples:
    @pytest.fixture
    def meter(self, tmp_path: Path) -> Mrtg:
        cfg = tmp_path / "mrtg.cfg"
        cfg.write_text((SAMPLES / "mrtg.cfg").read_text().replace("/var/lib/mrtg", str(SAMPLES)))
        return Mrtg(settings.Mrtg(cfg=cfg), SOON_AFTER)

    @pytest.mark.parametrize(
        ("target", "inward", "outward", "in_percent", "out_percent"),
        [
            ("healthy", 376_558, 131_795, 30.1, 10.5),
            ("saturated", 1_234_324, 300_000, 98.7, 24.0),
            ("dead", 0, 0, 0, 0),
        ],
    )
    def test_measured(
        self,
        meter: Mrtg,
        target: str,
        inward: int,
        outward: int,
        in_percent: float,
        out_percent: float,
    ) -> None:
        traffic = meter.traffic(target)
        assert traffic is not None
        assert traffic.state == "measured"
        assert traffic.measured_at == datetime(2026, 1, 1, 0, 0, 7, tzinfo=UTC)
        assert (round(traffic.in_bytes_per_s or 0), round(traffic.out_bytes_per_s or 0)) == (inward, outward)
        shares = (round(100 * (traffic.in_share or 0), 1), round(100 * (traffic.out_share or 0), 1))
        assert shares == (in_percent, out_percent)

    @pytest.mark.parametrize(("target", "state"), [("unanswered", "unknown"), ("stale", "stale")])
    def test_withheld(self, meter: Mrtg, target: str, state: str) -> None:
        traffic = meter.traffic(target)
        assert traffic is not None
        assert traffic.state == state
        numbers = traffic.model_dump(include={"in_bytes_per_s", "out_bytes_per_s", "in_share", "out_share"})
        assert set(numbers.values()) == {None}

    def test_by_service_id(self, meter: Mrtg) -> None:
        traffic = meter.traffic("4700001-0021497480")
        assert traffic is not None
        assert traffic.target == "saturated"
        assert meter.traffic("4700001-002149748") is None


class TestStates:
    def test_rows_weigh_by_their_length(self, files: Files) -> None:
        files.log.write_text(rows([(1000, 0), (500, 0), (0, 0)] + [(0, 0)] * 10))
        # 300 s and 7 s of the hour
        assert files.traffic().in_bytes_per_s == pytest.approx((300 * 1000 + 7 * 500) / 3600)

    def test_shares_of_each_direction(self, files: Files) -> None:
        files.configure("MaxBytes2[link]: 200\n")
        traffic = files.traffic()
        assert traffic.in_share == pytest.approx((traffic.in_bytes_per_s or 0) / 1000)
        assert traffic.out_share == pytest.approx((traffic.out_bytes_per_s or 0) / 200)

    def test_three_columns(self, files: Files) -> None:
        five = files.traffic()
        files.log.write_text(rows(VARIED, columns=3))
        assert files.traffic() == five

    @pytest.mark.parametrize(
        ("minutes", "interval", "state"),
        [
            (15, "", "measured"),
            (16, "", "stale"),
            (30, "Interval: 10\n", "measured"),
            (31, "Interval: 10\n", "stale"),
            (16, "Interval: 5:30\n", "measured"),
        ],
    )
    def test_stale_after_three_intervals(self, files: Files, minutes: int, interval: str, state: str) -> None:
        files.configure(interval)
        now = datetime.fromtimestamp(LAST_POLL, UTC) + timedelta(minutes=minutes)
        traffic = files.traffic(clock=FixedClock(now))
        assert traffic.state == state
        assert (traffic.in_bytes_per_s is None) == (state == "stale")

    @pytest.mark.parametrize(
        "rates",
        [
            [(7, 7)] * 3,
            [(8, 9), *[(7, 7)] * 3],
            [*VARIED[:11], *[(7, 7)] * 3],
            [*VARIED[:12], *[(7, 7)] * 3],
        ],
        ids=["now", "first answer again", "earlier in the hour", "over the hour's start"],
    )
    def test_repeated_is_unknown(self, files: Files, rates: list[tuple[int, int]]) -> None:
        files.log.write_text(rows(rates + VARIED[20:]))
        assert files.traffic().state == "unknown"

    @pytest.mark.parametrize(
        "rates",
        [[(7, 7)] * 2, [(0, 0)] * 20, [*VARIED[:13], *[(7, 7)] * 3], [(i, 7) for i in range(1, 20)]],
        ids=["twice", "zero is a measurement", "before the hour", "one direction at its limit"],
    )
    def test_measured(self, files: Files, rates: list[tuple[int, int]]) -> None:
        files.log.write_text(rows((rates + VARIED[20:])[:40]))
        assert files.traffic().state == "measured"

    def test_no_answer_is_unknown(self, files: Files) -> None:
        files.log.write_text(rows(VARIED).replace(" 9000 4000", " -1 -1"))
        assert files.traffic().state == "unknown"

    def test_zero_with_unknaszero_is_unknown(self, files: Files) -> None:
        files.configure("Options[link]: growright, unknaszero\n")
        files.log.write_text(rows([(5, 5), (0, 0), *VARIED[:38]]))
        assert files.traffic().state == "unknown"

    def test_zeros_before_the_first_poll_are_unknown(self, files: Files) -> None:
        files.log.write_text(rows([*VARIED[:5], *[(0, 0)] * 35]))
        assert files.traffic().state == "unknown"

    def test_one_long_line_is_a_gap(self, files: Files) -> None:
        text = rows(VARIED, last=LAST_POLL - 7200).split("\n", 1)[1]
        files.log.write_text(f"{LAST_POLL} 1 1\n{LAST_POLL} 5 5 5 5\n{text}")
        assert files.traffic().state == "unknown"

    @pytest.mark.parametrize(("option", "divisor"), [("perminute", 60), ("perhour", 3600)])
    def test_counts_per_minute_and_hour(self, files: Files, option: str, divisor: int) -> None:
        per_second = files.traffic()
        files.configure(f"Options[link]: bits, {option}\n")
        assert files.traffic().in_bytes_per_s == pytest.approx((per_second.in_bytes_per_s or 0) / divisor)


def at(seconds: int) -> datetime:
    """So long before the last poll."""
    return datetime.fromtimestamp(LAST_POLL - seconds, UTC)


HOUR_AGO = 3600
RECORDED = Path(__file__).parent / "mrtg_logs"


class TestRecorded:
    """Logs and their ``.old`` files as the real rateup left them: ``mrtg_logs/record.sh``."""

    @pytest.fixture
    def recorded(self, files: Files) -> Callable[[str], Traffic]:
        def read(story: str) -> Traffic:
            for kind in ("log", "old"):
                (files.folder / f"link.{kind}").write_text((RECORDED / f"{story}.{kind}").read_text())
            return files.traffic()

        return read

    @pytest.mark.parametrize(
        ("story", "rates"),
        [("constant", (12, 9)), ("dead", (0, 0)), ("pause-over-constant", (12, 9))],
    )
    def test_what_the_counters_prove_is_measured(
        self, recorded: Callable[[str], Traffic], story: str, rates: tuple[int, int]
    ) -> None:
        """Values that are the same for hours are measured where the last one is the counters' growth."""
        traffic = recorded(story)
        assert (traffic.state, traffic.unknown) == ("measured", ())
        assert (traffic.in_bytes_per_s, traffic.out_bytes_per_s) == rates
        assert traffic.latest is not None
        assert (traffic.latest.in_bytes_per_s, traffic.latest.out_bytes_per_s) == rates

    @pytest.mark.parametrize(
        ("story", "unknown", "latest"),
        [
            # of a constant value that has changed nobody knows; of the last interval one does
            ("constant-until-lately", [(HOUR_AGO, 907)], (13, 9)),
            ("silent-earlier", [(2707, 607)], (200, 100)),
            ("answers-again", [(2107, 0)], None),
            ("constant-answers-again", [(HOUR_AGO, 0)], None),
            ("silent-now", [(2107, 0)], None),
            ("reset-now", [(300, 0)], None),
            ("above-limit", [(300, 0)], None),
            ("pause-over", [(HOUR_AGO, 0)], None),
            ("pause-over-since", [(HOUR_AGO, 300)], (200, 100)),
            ("new-target", [(HOUR_AGO, 2107)], (200, 100)),
            ("new-dead-target", [(HOUR_AGO, 300)], (0, 0)),
        ],
    )
    def test_what_was_not_measured_is_told_with_its_time(
        self,
        recorded: Callable[[str], Traffic],
        story: str,
        unknown: list[tuple[int, int]],
        latest: tuple[int, int] | None,
    ) -> None:
        traffic = recorded(story)
        assert traffic.state == "unknown"
        assert traffic.unknown == tuple((at(since), at(until)) for since, until in unknown)
        numbers = traffic.model_dump(include={"in_bytes_per_s", "out_bytes_per_s", "in_share", "out_share"})
        assert set(numbers.values()) == {None}
        rates = traffic.latest
        assert (rates and (rates.in_bytes_per_s, rates.out_bytes_per_s)) == latest

    def test_without_the_poll_before_a_constant_value_stays_unknown(
        self, files: Files, recorded: Callable[[str], Traffic]
    ) -> None:
        recorded("constant")
        old = files.log.with_suffix(".old")
        for text in (None, "", "\x00\xff", f"{LAST_POLL - 300} x 1\n", files.log.read_text()):
            old.unlink() if text is None else old.write_text(text, "latin-1")
            traffic = files.traffic()
            assert (traffic.state, traffic.latest) == ("unknown", None)
            assert traffic.unknown == ((at(HOUR_AGO), at(0)),)

    @pytest.mark.parametrize("turn", [2**32, 2**64])
    def test_a_counter_that_begins_anew_at_its_end(
        self, files: Files, recorded: Callable[[str], Traffic], turn: int
    ) -> None:
        recorded("constant")
        files.log.write_text(files.log.read_text().replace(" 9000154800 ", " 1800 "))
        files.log.with_suffix(".old").write_text(f"{LAST_POLL - 300} {turn - 1800} 4000113400\n")
        assert files.traffic().state == "measured"

    def test_zeros_that_unknaszero_makes_ambiguous_are_measured_where_the_counters_say_so(
        self, files: Files, recorded: Callable[[str], Traffic]
    ) -> None:
        files.configure("Options[link]: unknaszero\n")
        assert recorded("dead").state == "measured"
        files.log.with_suffix(".old").unlink()
        assert files.traffic().state == "unknown"

    def test_counts_per_minute(self, files: Files, recorded: Callable[[str], Traffic]) -> None:
        """As rateup does it: rates of the log, not the counters, are multiplied."""
        recorded("constant")
        files.configure("Options[link]: perminute\n")
        for kind in ("log", "old"):
            text = files.log.with_suffix(f".{kind}").read_text().replace(" 12 9", " 720 540")
            files.log.with_suffix(f".{kind}").write_text(text)
        traffic = files.traffic()
        assert (traffic.state, traffic.in_bytes_per_s, traffic.out_bytes_per_s) == ("measured", 12, 9)


class TestRoundRobin:
    """``LogFormat: rrdtool``, with files made by the real rrdtool by the commands that MRTG gives it."""

    @pytest.fixture(autouse=True)
    def logged(self, files: Files) -> None:
        files.configure("LogFormat: rrdtool\n")
        files.log.unlink()

    def polls(self, files: Files, silent: range = range(0)) -> None:
        """One each five minutes for two hours; of those in ``silent`` (counted from the last) without an answer."""
        rrd = str(files.folder / "link.rrd")
        sources = [f"DS:ds{number}:COUNTER:600:0:1000" for number in (0, 1)]
        averages = ["RRA:AVERAGE:0.5:1:800", "RRA:AVERAGE:0.5:6:800"]
        created = ["create", rrd, "-b", str(LAST_POLL - 7800), "-s", "300", *sources, *averages]
        updates = [
            f"{LAST_POLL - 300 * ago}:U:U"
            if ago in silent
            else f"{LAST_POLL - 300 * ago}:{9_000_000 - 3600 * ago}:{4_000_000 - 2700 * ago}"
            for ago in range(24, -1, -1)
        ]
        for arguments in (created, ["update", rrd, *updates]):
            subprocess.run(["rrdtool", *arguments], check=True, timeout=20)

    def test_measured(self, files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")
        self.polls(files)
        traffic = files.traffic()
        assert (traffic.state, traffic.unknown, traffic.measured_at) == ("measured", (), at(0))
        assert traffic.in_bytes_per_s == pytest.approx(12)
        assert traffic.out_bytes_per_s == pytest.approx(9)
        assert traffic.in_share == pytest.approx(0.012)
        assert traffic.latest is not None

    def test_what_it_does_not_know(self, files: Files) -> None:
        self.polls(files, silent=range(2, 6))
        traffic = files.traffic()
        assert traffic.state == "unknown"
        # a step of which rrdtool knows seven seconds is known to it
        assert traffic.unknown == ((at(1507), at(307)),)
        assert traffic.in_bytes_per_s is None
        assert traffic.latest is not None
        assert traffic.latest.in_bytes_per_s == pytest.approx(12)

    def test_stale(self, files: Files) -> None:
        self.polls(files)
        assert files.traffic(clock=FixedClock(at(-3600))).state == "stale"

    def test_where_rrdtool_is_not_installed_it_is_refused(self, files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
        self.polls(files)
        monkeypatch.setenv("PATH", str(files.folder))
        with pytest.raises(Refused, match="RRD file: install the program rrdtool"):
            files.traffic()

    def test_no_file_and_no_such_file(self, files: Files) -> None:
        with pytest.raises(Unavailable):
            files.traffic()
        (files.folder / "link.rrd").write_bytes(b"RRD but none")
        with pytest.raises(BrokenAnswer, match="rrdtool"):
            files.traffic()


class TestConfiguration:
    def test_unknown_link(self, files: Files) -> None:
        assert files.meter().traffic("other") is None
        assert files.meter().traffic("") is None

    def test_keywords_and_targets_without_case(self, files: Files) -> None:
        files.cfg.write_text(f"WORKDIR: {files.folder}\nTARGET[LiNk]: 1:c@h:\nmaxbytes[link]: 500\n")
        assert files.traffic("LINK").in_share is not None

    @pytest.mark.parametrize("keyword", ["Title", "PageTop", "SetEnv"])
    def test_service_id_in(self, files: Files, keyword: str) -> None:
        files.configure(f"{keyword}[link]: <h1>\n\t4700001-99 Bandung\n# 4700001-98\n")
        assert files.traffic("4700001-99").target == "link"
        assert files.meter().traffic("4700001-9") is None
        assert files.meter().traffic("4700001-98") is None

    def test_two_targets_of_one_service_id(self, files: Files) -> None:
        files.configure("Title[link]: 4700001-99\nTarget[b]: 1:c@h:\nTitle[b]: 4700001-99\n")
        with pytest.raises(Refused, match="several"):
            files.meter().traffic("4700001-99")

    def test_defaults_prefix_and_suffix(self, files: Files) -> None:
        files.cfg.write_text(
            f"WorkDir: {files.folder}\n"
            "Target[early]: 1:c@h:\n"
            "MaxBytes[_]: 2000\nTitle[^]: 4700001-\nTitle[$]: -77\n"
            "Target[link]: 1:c@h:\nTitle[link]: mid\n"
            "MaxBytes[_]:\nTarget[late]: 1:c@h:\n"
        )
        config = _read_config(files.cfg)
        sizes = [config.size(target, "maxbytes1") for target in ("early", "link", "late")]
        assert sizes == [None, 2000, None]
        assert config.targets["link"]["title"] == "4700001- mid -77"

    def test_folder_of_the_log(self, files: Files) -> None:
        (files.folder / "sub").mkdir()
        files.log.rename(files.folder / "sub" / "link.log")
        files.configure("Directory[link]: sub\nLogDir: /nowhere\n")
        assert files.traffic().state == "measured"

    def test_include(self, files: Files) -> None:
        (files.folder / "parts").mkdir()
        files.cfg.write_text(f"LogDir: {files.folder}\nInclude: parts/*.inc\n")
        (files.folder / "parts/a.inc").write_text("Target[link]: 1:c@h:\nTitle[link]: 4700001-99\n")
        assert files.traffic("4700001-99").target == "link"

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("Include: mrtg.cfg\n", "includes itself"),
            ("Include: absent.inc\n", "missing"),
            ("Options[link]: gauge\n", "gauge"),
        ],
    )
    def test_refused(self, files: Files, text: str, message: str) -> None:
        files.configure(text)
        with pytest.raises(Refused, match=message):
            files.meter().traffic("link")

    def test_no_folder(self, files: Files) -> None:
        files.cfg.write_text("Target[link]: 1:c@h:\n")
        with pytest.raises(BrokenAnswer, match="WorkDir"):
            files.meter().traffic("link")

    def test_no_configuration(self, files: Files) -> None:
        files.cfg.unlink()
        with pytest.raises(Refused, match="configuration"):
            files.meter().traffic("link")

    def test_snmp_community_is_not_kept(self, files: Files) -> None:
        files.configure("Target[b]: 2:s3cret@h:\n  + 3:s3cret@h:\nSnmpOptions: s3cret\nTarget[_]: s3cret\n")
        config = _read_config(files.cfg)
        assert "b" in config.targets
        assert "s3cret" not in repr(config)


class TestBrokenLogs:
    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("", "line 1"),
            ("\x00\x01\xff", "line 1"),
            (f"{LAST_POLL} 1 1\n", "line 2"),
            (rows(VARIED).replace(f"{LAST_POLL} 9000", f"{LAST_POLL - 5} 9000"), "line 2"),
            (rows(VARIED).replace("102 52", "102 x"), "line 4"),
            (rows(VARIED).replace("102 52 102 52", "102 52 102"), "line 4"),
            (rows(VARIED).replace(str(LAST_POLL - 300), str(LAST_POLL + 300)), "line 3"),
            ("\n".join(rows(VARIED).split("\n")[:5]), "shorter than an hour"),
            (rows(VARIED) + "1 0 0 0 0\n" * 500_000, "too large"),
        ],
    )
    def test_refused(self, files: Files, text: str, message: str) -> None:
        files.log.write_text(text, "latin-1")
        with pytest.raises(BrokenAnswer, match=message):
            files.meter().traffic("link")

    def test_time_in_the_future(self, files: Files) -> None:
        before = FixedClock(datetime.fromtimestamp(LAST_POLL, UTC) - timedelta(minutes=2))
        with pytest.raises(BrokenAnswer, match="future"):
            files.traffic(clock=before)

    def test_raw_counters_may_pass_64_bits(self, files: Files) -> None:
        files.log.write_text(rows(VARIED).replace(" 9000 ", " 99999999999999999999999 "))
        assert files.traffic().state == "measured"


class TestRenaming:
    def test_the_log_before(self, files: Files) -> None:
        files.log.rename(files.log.with_suffix(".old"))
        assert files.traffic().state == "measured"

    def test_comes_back(self, files: Files) -> None:
        away = files.log.with_suffix(".tmp_1")
        files.log.rename(away)
        back = threading.Timer(0.02, os.rename, (away, files.log))
        back.start()
        assert files.traffic().state == "measured"
        back.join()

    def test_neither(self, files: Files) -> None:
        files.log.unlink()
        with pytest.raises(Unavailable) as caught:
            files.meter().traffic("link")
        assert not caught.value.permanent

    def test_error_names_nothing_of_the_customer(self, files: Files) -> None:
        files.configure("Title[link]: 4700001-99 Budi\n")
        files.log.unlink()
        with pytest.raises(LayananError) as caught:
            files.meter().traffic("4700001-99")
        assert not re.search("4700001|Budi|s3cret", str(caught.value))


STORIES = ["healthy", "saturated", "dead", "unanswered", "stale"]
SEED = Seed.model_validate(
    {
        "mailboxes": [],
        "customers": [
            {
                "customer_id": story,
                "name": story,
                "addresses": [],
                "service_no": f"4700001-{number}",
                "link": {"device": "D", "traffic": story},
            }
            for number, story in enumerate(STORIES)
        ],
    }
)


class TestSimulator:
    def test_each_story_is_read_as_such(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("adapters.simulator.mrtg.CHECK_SECONDS", 0.02)
        clock = SimulatedClock(tmp_path / "clock")
        logs = TrafficLogs(SEED, tmp_path / "mrtg", clock)

        def states() -> list[tuple[str, float]]:
            meter = Mrtg(settings.Mrtg.model_validate(logs.settings()["mrtg"]), clock)
            found = [meter.traffic(f"4700001-{number}") for number in range(len(STORIES))]
            return [(traffic.state, round(traffic.in_share or 0)) for traffic in found if traffic]

        expected = [("measured", 0), ("measured", 1), ("measured", 0), ("unknown", 0), ("stale", 0)]

        async def check() -> None:
            await logs.start()
            try:
                assert states() == expected
                clock.advance(6)
                assert states()[0] == ("stale", 0)
                async with asyncio.timeout(5):
                    while states() != expected:
                        await asyncio.sleep(0.02)
            finally:
                await logs.stop()

        asyncio.run(check())

    def test_has_the_shape_of_a_log(self, tmp_path: Path) -> None:
        async def write() -> None:
            logs = TrafficLogs(SEED, tmp_path, SOON_AFTER)
            await logs.start()
            await logs.stop()

        asyncio.run(write())
        files = list(tmp_path.glob("*.log"))
        assert len(files) == len(STORIES)
        for file in files:
            lines = [[int(word) for word in line.split()] for line in file.read_text().splitlines()]
            assert len(lines) == 2535
            assert lines[-1][0] % 86400 == 0
            assert all(len(line) == 5 and line[3] >= line[1] and line[4] >= line[2] for line in lines[1:])
            assert all(older[0] < newer[0] for newer, older in pairwise(lines[1:]))
