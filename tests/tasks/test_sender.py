"""A mail that its sender's domain disowns: no letter, no data, no case of somebody's, until a person is certain."""

from dataclasses import replace

import pytest

from adapters.mail.signatures import Signatures
from models.errors import Unavailable
from models.tables import Case, Letter, Message
from tasks.intake import take_in, take_in_batch
from tests.adapters.mail.test_signatures import KEY, RECORD, sign
from tests.cases import BUDI, LINE, arrives, letter, mail, opened, received, rows, snapshot
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


def test_the_agent_sees_what_our_server_found_out(runs: Runs) -> None:
    runs.wired.settings.authserv_id = OURS
    results = f"{OURS}; spf=softfail; dkim=pass header.d=example.com; dmarc=pass; arc=none"
    played = Played(runs, BUDI, "Halo, mohon bantuannya ya.", "Tagihan", Authentication_Results=results)
    said = played.comes_to("ConfirmAnalysis")
    assert "⚠ SPF\\: softfail" in said
    assert "Our mail server says: SPF softfail, DKIM pass, DMARC pass, ARC none" in said


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


def signed(text: str, **headers: str) -> bytes:
    raw = mail(BUDI, text, "Tagihan", **headers)
    header: bytes = sign(raw, b"s1", b"example.com", KEY, include_headers=[b"from", b"subject"])
    return header + raw


def test_a_signature_that_we_checked_is_kept_and_shown_to_the_agent(runs: Runs) -> None:
    runs.wired.signatures = Signatures(2, lambda *_: RECORD)
    taken = take_in(runs.wired, received(signed("Halo, mohon bantuannya ya.")))
    played = Played.of(runs, taken)
    assert "checked here, our mail server gave no verdict" in played.comes_to("ConfirmAnalysis")
    changed = signed("Mohon bantuannya segera.").replace(b"segera", b"SEGERA")
    take_in(runs.wired, received(changed))
    assert [(one.authentication, one.warnings) for one in rows(runs.wired, Message)] == [
        ({"dkim_here": "pass"}, []),
        ({"dkim_here": "fail"}, ["DKIM: fail (diperiksa di sini / checked here)"]),
    ]


def test_a_signature_makes_no_forged_mail_believed(runs: Runs) -> None:
    runs.wired.settings.authserv_id = OURS
    runs.wired.signatures = Signatures(2, lambda *_: RECORD)
    played = Played.of(runs, take_in(runs.wired, received(signed(BILL, **FORGED))))
    assert rows(runs.wired, Message)[0].authentication == {"dmarc": "fail"}
    assert "DMARC: fail" in played.comes_to("ConfirmSender")
    assert rows(runs.wired, Letter) == []


def test_keys_that_nobody_gives_do_not_stop_intake(runs: Runs) -> None:
    def dns(_name: str, _seconds: float) -> bytes:
        raise Unavailable("dns", "Timeout")

    runs.wired.signatures = Signatures(2, dns)
    batch = [received(signed(f"{BILL} {number}")) for number in range(3)]
    cut = replace(received(signed(BILL)), cut=True)
    taken = take_in_batch(runs.wired, [*batch, cut])
    assert "set_aside" not in {one.outcome for one in taken.values()}
    assert [one.authentication for one in rows(runs.wired, Message)] == [{"dkim_here": "temperror"}] * 3 + [{}]


def test_where_a_domain_has_no_dmarc_spf_disowns_a_mail(runs: Runs) -> None:
    runs.wired.settings.authserv_id = OURS
    spf = f"{OURS}; spf=fail smtp.mailfrom={BUDI}; dmarc=none"
    played = Played(runs, BUDI, BILL, "Tagihan", Authentication_Results=spf)
    assert "not from a server of the sender's domain" in played.comes_to("ConfirmSender")
    assert rows(runs.wired, Letter) == []
    forwarded = f"{spf}; dkim=pass header.d=example.com"
    assert len(arrives(runs.wired, BUDI, BILL, "Tagihan", Authentication_Results=forwarded).letters) == 1
