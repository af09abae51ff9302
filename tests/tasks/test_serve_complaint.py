"""Activity 2: the complaint's record (SOP 7.2, 5.4)."""

import pytest

from adapters.wiring import Systems
from models.analysis import Urgency
from tasks.serve_complaint import serve_complaint
from tests.cases import LINE, done, need, opened, snapshot


@pytest.mark.parametrize(
    ("urgency", "severity"), [("critical", "Critical"), ("high", "Major"), ("normal", "Minor"), ("low", "Minor")]
)
def test_the_record_matches_the_complaint(urgency: Urgency, severity: str, systems: Systems) -> None:
    case = opened(systems)
    complaint = done(serve_complaint, case, need(topic="slow", urgency=urgency))
    assert (complaint.topic, complaint.service_number, complaint.severity) == ("slow", LINE, severity)
    assert complaint.description.startswith(f"JKT-0000001: slow, layanan {LINE}; email pelanggan diterima ")
    assert (snapshot(case).topic, snapshot(case).service_number) == ("slow", LINE)


def test_what_units_read_holds_no_personal_data(systems: Systems) -> None:
    description = done(serve_complaint, opened(systems), need()).description
    assert "budi" not in description.lower()
    assert "@" not in description
