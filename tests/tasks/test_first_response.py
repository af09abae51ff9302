"""5.2: the first response."""

from adapters.wiring import Systems
from models.tables import ActivityRecord, Outbox
from tests.cases import BUDI, OURS, arrives, letter, opened, rows, text


def test_the_customer_hears_at_once_and_learns_the_reference(wired: Systems) -> None:
    taken = arrives(wired, f"Budi <{BUDI}>", Message_ID="<1@pelanggan.example>", Reply_To="lain@elsewhere.example")
    assert len(taken.letters) == 1
    case = opened(wired, "lain@example.com")
    assert case.reference == "JKT-0000002"
    first = case.open(1, wired)
    said = letter(first, "first_response")
    assert (said["To"], said["From"].addresses[0].addr_spec) == (f"Budi <{BUDI}>", OURS)
    assert (said["In-Reply-To"], said["Auto-Submitted"]) == ("<1@pelanggan.example>", "auto-replied")
    assert first.reference in said["Subject"]
    assert first.reference in text(first, "first_response")
    assert [row.state for row in rows(wired, Outbox)] == ["queued", "queued"]


def test_it_is_recorded_with_its_clause(wired: Systems) -> None:
    opened(wired)
    (record,) = rows(wired, ActivityRecord)
    assert (record.name, record.number, record.state) == ("first_response", None, "done")
