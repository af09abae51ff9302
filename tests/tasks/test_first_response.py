"""SOP 5.2: the first response."""

from adapters.wiring import Systems
from models.tables import ActivityRecord, Letter, Outbox
from tests.cases import BUDI, MATI, OURS, arrives, letter, opened, received, rows, take_in, text
from tests.runs import Played, Runs


def test_the_customer_hears_at_once_and_learns_the_reference(systems: Systems) -> None:
    taken = arrives(systems, f"Budi <{BUDI}>", Message_ID="<1@pelanggan.example>", Reply_To="lain@elsewhere.example")
    assert len(taken.letters) == 1
    case = opened(systems, "lain@example.com")
    assert case.reference == "JKT-0000002"
    first = case.open(1, systems)
    said = letter(first, "first_response")
    assert (said["To"], said["From"].addresses[0].addr_spec) == (f"Budi <{BUDI}>", OURS)
    assert (said["In-Reply-To"], said["Auto-Submitted"]) == ("<1@pelanggan.example>", "auto-replied")
    assert first.reference in said["Subject"]
    assert first.reference in text(first, "first_response")
    assert [row.state for row in rows(systems, Outbox)] == ["queued", "queued"]


def test_it_is_recorded_with_its_clause(systems: Systems) -> None:
    opened(systems)
    (record,) = rows(systems, ActivityRecord)
    assert (record.name, record.number, record.state) == ("first_response", None, "done")


def test_a_domain_beyond_ascii_is_written_to(systems: Systems) -> None:
    (letter_id,) = take_in(systems, received("From: Budi <budi@exämple.example>\n\n".encode() + MATI.encode())).letters
    assert rows(systems, Letter, id=letter_id)[0].recipient == "budi@xn--exmple-cua.example"


def test_whom_no_letter_reaches_an_agent_is_asked_at_once(runs: Runs) -> None:
    raw = f"From: Büdi <büdi@example.com>\nSubject: Mati\n\n{MATI}".encode()
    played = Played.of(runs, take_in(runs.systems, received(raw)))
    asked = played.comes_to("FixActivity")
    assert "Respon awal" in asked
    assert "recipient" in asked
    assert played.path == [1]
    played.decides("FixActivity", choice="BY_HAND")
    assert "Ask the customer" in played.comes_to("FixActivity")
    assert rows(runs.systems, Letter) == []
