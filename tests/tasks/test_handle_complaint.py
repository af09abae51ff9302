"""Activity 4: each kind of matter asks the systems that know it."""

from pathlib import Path

from adapters.wiring import Systems
from tasks.handle_complaint import handle_complaint
from tasks.serve_complaint import Complaint
from tests.cases import BANK, LINK, MAJU, TOKO, done, need, opened

COMPLAINT = Complaint(topic="slow", service_number="", severity="Major", description="d")


def test_a_line_that_measures_well_is_solved_at_once(wired: Systems) -> None:
    finding = done(handle_complaint, opened(wired), need(topic="slow"), COMPLAINT)
    assert finding.solution is not None
    assert "ukur" in finding.solution.cause
    assert (finding.unit, finding.severity) == ("Access Network", "Major")
    assert finding.evidence[0].startswith("EMBASSY: baik, SNR 28.0 dB, redaman 20.0 dB")


def test_a_known_disturbance_of_many_is_a_units_matter(wired: Systems) -> None:
    asked = need(topic="no_service", service_number=LINK, customer_id="C-2")
    finding = done(handle_complaint, opened(wired, MAJU), asked, COMPLAINT)
    assert (finding.solution, finding.unit) == (None, "Access Network")
    assert finding.evidence[0].startswith("NOSSA: gangguan massal ")


def test_an_unpaid_bill_is_no_solution_and_a_paid_one_is(wired: Systems) -> None:
    unpaid = done(handle_complaint, opened(wired), need(topic="payment"), COMPLAINT)
    assert (unpaid.solution, unpaid.unit) == (None, "Billing")
    assert unpaid.evidence == ("E-Payment: 2 tagihan, 1 lewat jatuh tempo",)
    paid = done(handle_complaint, opened(wired, BANK), need(topic="payment", customer_id="C-5"), COMPLAINT)
    assert paid.solution is not None
    assert "lunas" in paid.solution.repair
    cut_off = done(handle_complaint, opened(wired, TOKO), need(topic="payment", customer_id="C-6"), COMPLAINT)
    assert (cut_off.solution, cut_off.unit) == (None, "Billing"), "paid bills are no solution for who is still cut off"
    assert cut_off.evidence[-1] == "TENOSS: 122345678906 belum aktif"


def test_a_link_is_looked_at_in_four_systems(wired: Systems) -> None:
    case = opened(wired, MAJU, f"Link astinet {LINK} kami putus.", "Link putus")
    asked = need(topic="link_quality", products=("astinet",), service_number=LINK, customer_id="C-2")
    finding = done(handle_complaint, case, asked, COMPLAINT)
    assert (finding.solution, finding.unit) == (None, "Core Network")
    systems = [line.split(":")[0].split(" ")[0] for line in finding.evidence]
    assert sorted(set(systems)) == ["MRTG", "SecureCRT", "TELKOM.CENTER", "TENOSS"]
    assert any("is down" in line for line in finding.evidence)
    assert f"TENOSS: {LINK} active, gagal" in finding.evidence


def test_a_device_that_nobody_may_read_stops_nothing(wired: Systems, tmp_path: Path) -> None:
    wired.settings.securecrt.sessions = tmp_path
    case = opened(wired, MAJU, f"Link astinet {LINK} kami putus.", "Link putus")
    asked = need(topic="link_quality", products=("astinet",), service_number=LINK, customer_id="C-2")
    finding = done(handle_complaint, case, asked, COMPLAINT)
    assert any(line.startswith("SecureCRT: ") for line in finding.evidence)
    assert any(line.startswith("MRTG: ") for line in finding.evidence)


def test_what_no_system_knows_goes_to_a_unit(wired: Systems) -> None:
    finding = done(handle_complaint, opened(wired), need(topic="cable"), COMPLAINT)
    assert (finding.solution, finding.unit, finding.evidence) == (None, "Access Network", ())


def test_a_solution_is_in_the_customers_language(wired: Systems) -> None:
    text = "My internet connection 122345678901 has been very slow since yesterday, please help me fix it."
    finding = done(handle_complaint, opened(wired, "budi@example.com", text, "Slow"), need(topic="slow"), COMPLAINT)
    assert finding.solution is not None
    assert finding.solution.cause.startswith("The line to your premises")
