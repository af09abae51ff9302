"""Activity 4: each kind of matter asks the systems that know it (SOP 7.4)."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from adapters.wiring import Systems
from models.facts import DeviceReading, Rates, Resource, Service, Traffic
from tasks.handle_complaint import handle_complaint
from tasks.serve_complaint import Complaint
from tests.cases import BANK, LINK, MAJU, TOKO, done, need, opened
from tests.fakes import with_methods

MINUTE = timedelta(minutes=1)
COMPLAINT = Complaint(topic="slow", service_number="", severity="Major", description="d")


def test_a_line_that_measures_well_is_solved_at_once(systems: Systems) -> None:
    finding = done(handle_complaint, opened(systems), need(topic="slow"), COMPLAINT)
    assert finding.solution is not None
    assert "ukur" in finding.solution.cause
    assert (finding.unit, finding.severity) == ("Access Network", "Major")
    assert finding.evidence[0].startswith("EMBASSY: baik, SNR 28.0 dB, redaman 20.0 dB")


def test_a_known_disturbance_of_many_is_a_units_matter(systems: Systems) -> None:
    asked = need(topic="no_service", service_number=LINK, customer_id="C-2")
    finding = done(handle_complaint, opened(systems, MAJU), asked, COMPLAINT)
    assert (finding.solution, finding.unit) == (None, "Access Network")
    assert finding.evidence[0].startswith("NOSSA: gangguan massal ")


def test_an_unpaid_bill_is_no_solution_and_a_paid_one_is(systems: Systems) -> None:
    unpaid = done(handle_complaint, opened(systems), need(topic="payment"), COMPLAINT)
    assert (unpaid.solution, unpaid.unit) == (None, "Billing")
    assert unpaid.evidence == ("E-Payment: 2 tagihan, 1 lewat jatuh tempo",)
    paid = done(handle_complaint, opened(systems, BANK), need(topic="payment", customer_id="C-5"), COMPLAINT)
    assert paid.solution is not None
    assert "lunas" in paid.solution.repair
    cut_off = done(handle_complaint, opened(systems, TOKO), need(topic="payment", customer_id="C-6"), COMPLAINT)
    assert (cut_off.solution, cut_off.unit) == (None, "Billing"), "paid bills are no solution for who is still cut off"
    assert cut_off.evidence[-1] == "TENOSS: 122345678906 belum aktif"


def test_a_link_is_looked_at_in_four_systems(systems: Systems) -> None:
    case = opened(systems, MAJU, f"Link astinet {LINK} kami putus.", "Link putus")
    asked = need(topic="link_quality", products=("astinet",), service_number=LINK, customer_id="C-2")
    finding = done(handle_complaint, case, asked, COMPLAINT)
    assert (finding.solution, finding.unit) == (None, "Core Network")
    named = [line.split(":")[0].split(" ")[0] for line in finding.evidence]
    assert sorted(set(named)) == ["MRTG", "SecureCRT", "TELKOM.CENTER", "TENOSS"]
    assert any("is down" in line for line in finding.evidence)
    assert f"TENOSS: {LINK} active, gagal" in finding.evidence


def test_a_device_that_nobody_may_read_stops_nothing(systems: Systems, tmp_path: Path) -> None:
    systems.settings.securecrt.sessions = tmp_path
    case = opened(systems, MAJU, f"Link astinet {LINK} kami putus.", "Link putus")
    asked = need(topic="link_quality", products=("astinet",), service_number=LINK, customer_id="C-2")
    finding = done(handle_complaint, case, asked, COMPLAINT)
    assert any(line.startswith("SecureCRT: ") for line in finding.evidence)
    assert any(line.startswith("MRTG: ") for line in finding.evidence)


def test_what_no_system_knows_goes_to_a_unit(systems: Systems) -> None:
    finding = done(handle_complaint, opened(systems), need(topic="cable"), COMPLAINT)
    assert (finding.solution, finding.unit, finding.evidence) == (None, "Access Network", ())


def test_a_solution_is_in_the_customers_language(systems: Systems) -> None:
    text = "My internet connection 122345678901 has been very slow since yesterday, please help me fix it."
    finding = done(handle_complaint, opened(systems, "budi@example.com", text, "Slow"), need(topic="slow"), COMPLAINT)
    assert finding.solution is not None
    assert finding.solution.cause.startswith("The line to your premises")


LINK_DOWN = need(topic="link_quality", products=("astinet",), service_number=LINK, customer_id="C-2")


def link_evidence(systems: Systems) -> list[str]:
    """What MRTG says of Maju's link, which has a neighbour in the topology."""
    case = opened(systems, MAJU, f"Link astinet {LINK} kami putus.", "Link putus")
    finding = done(handle_complaint, case, LINK_DOWN, COMPLAINT)
    assert finding.solution is None
    return [line for line in finding.evidence if line.startswith("MRTG: ")]


def test_a_log_that_cannot_be_used_stops_nothing(systems: Systems) -> None:
    cfg = systems.settings.mrtg.cfg
    cfg.write_text(f"{cfg.read_text()}Options[_]: gauge\nInclude: absent.inc\n")
    assert link_evidence(systems) == ["MRTG: a file that the configuration includes is missing (tidak terbaca)"]


NOON = datetime(2026, 11, 30, 5, tzinfo=UTC)
FULL = Rates(in_bytes_per_s=98, out_bytes_per_s=1, in_share=0.98, out_share=0.01)
TWO_PARTS = ((NOON, NOON + MINUTE), (NOON + 2 * MINUTE, NOON + 3 * MINUTE))
NO_RATES = dict.fromkeys(Rates.model_fields)


@pytest.mark.parametrize(
    ("traffic", "words", "full"),
    [
        ({"state": "measured", **FULL.model_dump()}, "satu jam terakhir terukur, 98% dari kapasitas", True),
        (
            {"state": "unknown", **NO_RATES, "unknown": ((NOON, NOON + 5 * MINUTE),), "latest": FULL},
            "tidak diketahui 12:00–12:05 (tidak terukur, atau nilai yang diulang MRTG); "
            "interval terakhir terukur, 98% dari kapasitas",
            False,
        ),
        (
            {
                "state": "unknown",
                **NO_RATES,
                "unknown": ((NOON, NOON + MINUTE), (NOON + 2 * MINUTE, NOON + 3 * MINUTE)),
            },
            "tidak diketahui 12:00–12:01, 12:02–12:03 (tidak terukur, atau nilai yang diulang MRTG)",
            False,
        ),
        ({"state": "stale", **NO_RATES}, "tidak diperbarui sejak 30-11-2026 12:00", False),
    ],
)
def test_only_a_measured_hour_makes_a_link_full(
    systems: Systems, traffic: dict[str, Any], words: str, full: bool
) -> None:
    told = Traffic(target="t", measured_at=NOON, **traffic)
    systems.mrtg = with_methods(systems.mrtg, traffic=lambda _: told)
    up = Service(service_id=LINK, state="active", enabled=True, started=True, resources=("R",))
    systems.tenoss = with_methods(systems.tenoss, services=lambda _: [up])
    port = Resource(resource_id="R", name="Te1/1", operational=True, status=None, traffic_target="t")
    systems.telkom_center = with_methods(systems.telkom_center, topology=lambda _: [port])
    finding = done(handle_complaint, opened(systems, MAJU), LINK_DOWN, COMPLAINT)
    assert finding.evidence[-1] == f"MRTG: {words}"
    assert (finding.solution is not None) == full


def test_an_alarm_before_the_answer_is_not_taken_for_it(systems: Systems) -> None:
    real = systems.securecrt.read_interface

    def with_alarm(device: str, interface: str) -> DeviceReading:
        reading = real(device, interface)
        return reading.model_copy(update={"output": f"*Nov 30: %SYS-5-RESTART: restarted\n{reading.output}"})

    systems.securecrt = with_methods(systems.securecrt, read_interface=with_alarm)
    case = opened(systems, MAJU, f"Link astinet {LINK} kami putus.", "Link putus")
    (line,) = [one for one in done(handle_complaint, case, LINK_DOWN, COMPLAINT).evidence if "SecureCRT" in one]
    assert "is down, line protocol is down" in line
