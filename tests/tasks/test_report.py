"""The managers' report: its figures, on both data bases."""

import pytest

from adapters.wiring import Systems
from tasks.closing import closing
from tasks.receive_and_analyse import receive_and_analyse
from tasks.report import service_report
from tasks.send_letter import deliver
from tests.cases import BUDI, MAJU, StandingClock, done, opened
from tests.conftest import BOTH


@pytest.mark.parametrize("wired", BOTH, indirect=True)
def test_it_counts_what_was_done_in_the_last_days(wired: Systems) -> None:
    wired.clock = StandingClock(wired.settings.home / "clock")
    old = opened(wired, MAJU)
    done(receive_and_analyse, old)
    done(closing, old)
    wired.clock.advance(24 * 31)
    case = opened(wired, BUDI)
    done(receive_and_analyse, case)
    wired.clock.advance(0.5)
    deliver(wired, 3)
    report = service_report(wired)
    assert "| 1 | Terima & analisa / Receive and analyse | 1 | 0." in report
    assert "| 12 | Closing / Closing | 0 | — | 0 |" in report
    assert "| kasus baru / opened | 1 |" in report
    assert "| berjalan / open | 1 |" in report
    assert "| 1 | 1800 s | 1800 s |" in report
    longer = service_report(wired, days=60)
    assert "60 hari terakhir" in longer
    assert "| 12 | Closing / Closing | 1 |" in longer
    assert "| kasus baru / opened | 2 |" in longer
    for words in (BUDI, MAJU, "Budi"):
        assert words not in report
