"""A mail that its sender's domain disowns: no letter, no data, no case of somebody's, until a person is certain."""

import pytest

from models.tables import Case, Letter, Message
from tests.cases import BUDI, LINE, arrives, letter, opened, rows, snapshot
from tests.runs import Played, Runs

OURS = "mx.telkom.example"
FORGED = {"Authentication_Results": f"{OURS}; dmarc=fail"}
BILL = f"Berapa jumlah tagihan internet saya nomor {LINE}? Mohon rinciannya."


@pytest.fixture
def forged(runs: Runs) -> Played:
    """Somebody asks for Budi's bill in Budi's name."""
    runs.wired.settings.authserv_id = OURS
    played = Played(runs, BUDI, BILL, "Tagihan", **FORGED)
    assert rows(runs.wired, Letter) == []
    assert "DMARC: fail" in played.comes_to("ConfirmSender")
    assert snapshot(played.case).customer_id == ""
    return played


def test_forged_it_ends_without_a_letter(forged: Played) -> None:
    forged.decides("ConfirmSender", choice="FORGED")
    assert forged.goes_on() == "Completed"
    assert rows(forged.runs.wired, Letter) == []
    assert snapshot(forged.case).outcome == "not for us"


def test_genuine_it_goes_on_as_any_other(forged: Played) -> None:
    forged.decides("ConfirmSender", choice="GENUINE", note="Ditelepon")
    forged.comes_to("ConfirmAnalysis")
    forged.decides("ConfirmAnalysis", need="INFORMATION", topic="billing_amount")
    forged.comes_to("ClosingPeriod")
    assert (snapshot(forged.case).customer_id, snapshot(forged.case).sender_doubt) == ("C-1", "")
    assert forged.path[:2] == [1, 1]
    assert letter(forged.case, "give_information")["To"].endswith(f"<{BUDI}>")


def test_it_joins_a_case_only_by_what_outsiders_cannot_know(runs: Runs) -> None:
    runs.wired.settings.authserv_id = OURS
    case = opened(runs.wired)
    for subject in (f"Re: [{case.reference}]", "Internet mati"):
        assert arrives(runs.wired, BUDI, f"{BILL} {subject}", subject, **FORGED).outcome == "opened"
    assert "disowns" in rows(runs.wired, Message)[1].reason
    signed = f"Re: [{case.reference}-{snapshot(case).token}]"
    assert arrives(runs.wired, BUDI, "Sudah ada kabar?", signed, **FORGED).case_id == case.case_id
    first = str(letter(case, "first_response")["Message-ID"])
    assert arrives(runs.wired, BUDI, "Bagaimana?", "Re: x", In_Reply_To=first, **FORGED).case_id == case.case_id
    assert len(rows(runs.wired, Case)) == 3
