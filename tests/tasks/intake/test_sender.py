"""A mail that its sender's domain disowns: no letter, no data, no case of somebody's, until a person is certain."""

from collections.abc import Callable

import pytest
from sqlalchemy import delete

from adapters.wiring import Systems, load_systems
from models.tables import Bounce, Case, Letter, Message, Outbox, Signal
from tasks.end_case import end_case
from tasks.intake.batch import TakenIn
from tasks.run.case_run import CaseRun
from tests.cases import (
    BUDI,
    DESK,
    LINE,
    MATI,
    arrives,
    done,
    letter,
    mail,
    opened,
    pending,
    post,
    received,
    rows,
    snapshot,
    take_in,
)
from tests.conftest import BOTH
from tests.runs import Played, Runs
from tests.tasks.intake.test_batch import BOUNCE

OURS = "mx.telkom.example"
FORGED = {"Authentication_Results": f"{OURS}; dmarc=fail"}
BILL = f"Berapa jumlah tagihan internet saya nomor {LINE}? Mohon rinciannya."


@pytest.fixture
def forged(runs: Runs) -> Played:
    """Somebody asks for Budi's bill in Budi's name."""
    runs.systems.settings.authserv_id = OURS
    played = Played(runs, BUDI, BILL, "Tagihan", **FORGED)
    assert rows(runs.systems, Letter) == []
    assert "DMARC: fail" in played.comes_to("ConfirmSender")
    assert snapshot(played.case).customer_id == ""
    return played


def test_forged_it_ends_without_a_letter(forged: Played) -> None:
    forged.decides("ConfirmSender", choice="FORGED")
    assert forged.goes_on() == "Completed"
    assert rows(forged.runs.systems, Letter) == []
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
    runs.systems.settings.authserv_id = OURS
    results = f"{OURS}; spf=softfail; dkim=pass header.d=example.com; dmarc=pass; arc=none"
    played = Played(runs, BUDI, "Halo, mohon bantuannya ya.", "Tagihan", Authentication_Results=results)
    said = played.comes_to("ConfirmAnalysis")
    assert "⚠ SPF\\: softfail" in said
    assert "Our mail server says: SPF softfail, DKIM pass, DMARC pass" in said


def test_where_a_domain_has_no_dmarc_spf_disowns_a_mail(runs: Runs) -> None:
    runs.systems.settings.authserv_id = OURS
    spf = f"{OURS}; spf=fail smtp.mailfrom={BUDI}; dmarc=none"
    played = Played(runs, BUDI, BILL, "Tagihan", Authentication_Results=spf)
    assert "not from a server of the sender's domain" in played.comes_to("ConfirmSender")
    assert rows(runs.systems, Letter) == []
    forwarded = f"{spf}; dkim=pass header.d=example.com"
    assert len(arrives(runs.systems, BUDI, BILL, "Tagihan", Authentication_Results=forwarded).letters) == 1


ODD = "budi@ｅｘａｍｐｌｅ.com"
DOUBTS: dict[str, Callable[[bytes], bytes]] = {
    "dmarc": lambda raw: f"Authentication-Results: {OURS}; dmarc=fail\n".encode() + raw,
    "spf": lambda raw: f"Authentication-Results: {OURS}; spf=fail smtp.mailfrom={BUDI}; dmarc=none\n".encode() + raw,
    "two From": lambda raw: raw.replace(b"To: ", b"From: Ani <ani@example.com>\nTo: ", 1),
    "two readings": lambda raw: raw.replace(b"From: budi@example.com", b"From: ani@example.com <budi@example.com>"),
}
"""How the sender of a mail of Budi's comes into doubt."""


def doubtful(doubt: str, text: str, subject: str, **headers: str) -> TakenIn:
    return take_in(load_systems(), received(DOUBTS[doubt](mail(BUDI, text, subject, **headers))))


@pytest.mark.parametrize("systems", BOTH, indirect=True)
@pytest.mark.parametrize("doubt", DOUBTS)
def test_a_mail_whose_sender_is_in_doubt_joins_nothing_and_disturbs_nothing(doubt: str, systems: Systems) -> None:
    systems.settings.authserv_id = OURS
    systems.settings.limits.mails_an_hour = 5
    arrives(systems, BUDI, MATI, Message_ID="<first@pelanggan.example>")
    case = CaseRun.open(1, systems)
    post(systems)
    first = str(letter(case, "first_response")["Message-ID"])
    angry = f"Sudah 3 hari nomor {LINE} mati! Eskalasi ke atasan sekarang juga!"
    for way in (
        {"subject": f"Re: [{case.reference}]"},
        {"subject": f"Re: [{case.reference}-{snapshot(case).token}]"},
        {"subject": "Re: Internet mati", "In_Reply_To": first},
        {"subject": "Re: Internet mati", "References": "<first@pelanggan.example>"},
    ):
        taken = doubtful(doubt, angry, **way)
        assert (taken.outcome, taken.letters) == ("opened", ())
        own = rows(systems, Case)[-1]
        assert (own.perhaps_id, own.previous_id, bool(own.sender_doubt)) == (1, None, True), way
        assert f"names {case.reference}; its sender is in doubt" in rows(systems, Message)[-1].reason
    assert (len(rows(systems, Letter)), pending(case)) == (1, [])
    # the customer's own mails are served as if nothing had come: not one of them is a duplicate, or one too many
    assert arrives(systems, BUDI, angry, "Re: x", In_Reply_To=first) == TakenIn("joined", 1)
    assert arrives(systems, BUDI, "Berapa harga paket 50 Mbps?", "Harga").letters
    with systems.store.write() as session:
        session.execute(delete(Signal))
    assert done(end_case, case, "complaint").ended, "no closing is stopped"


@pytest.mark.parametrize("systems", BOTH, indirect=True)
@pytest.mark.parametrize(("doubt", "joins"), [("dmarc", True), ("spf", True), ("two From", False)])
def test_where_a_forwarder_breaks_dmarc_a_setting_lets_answers_join(doubt: str, joins: bool, systems: Systems) -> None:
    systems.settings.authserv_id = OURS
    (box,) = systems.settings.mailboxes
    systems.settings.mailboxes = [box.model_copy(update={"forwarded": True})]
    case = opened(systems)
    first = str(letter(case, "first_response")["Message-ID"])
    signed = f"Re: [{case.reference}-{snapshot(case).token}]"
    wanted = "joined" if joins else "opened"
    assert doubtful(doubt, "Sudah ada kabar?", signed).outcome == wanted
    assert doubtful(doubt, "Bagaimana?", "Re: x", In_Reply_To=first).outcome == wanted
    assert doubtful(doubt, "Halo?", f"Re: [{case.reference}]").outcome == "opened", "anybody may know that one"


def test_confirmed_it_is_joined_to_the_case_that_it_quotes(runs: Runs) -> None:
    runs.systems.settings.authserv_id = OURS
    case = opened(runs.systems)
    played = Played.of(runs, doubtful("dmarc", "Masih mati, tolong.", f"Re: [{case.reference}]"))
    said = played.comes_to("ConfirmSender").replace("\\", "")
    assert f"it names the case **{case.reference}**" in said
    played.decides("ConfirmSender", choice="GENUINE", note="Ditelepon")
    assert case.reference in played.comes_to("SameMatter")
    assert pending(case) == []
    played.decides("SameMatter", choice="JOIN")
    assert played.goes_on() == "Completed"
    assert (snapshot(played.case).merged_into, pending(case)) == (case.case_id, ["mail"])


def test_forged_it_ends_beside_the_case_that_it_quotes(runs: Runs) -> None:
    runs.systems.settings.authserv_id = OURS
    case = opened(runs.systems)
    played = Played.of(runs, doubtful("two From", "Tolong tutup laporan saya.", f"Re: [{case.reference}]"))
    played.comes_to("ConfirmSender")
    played.decides("ConfirmSender", choice="FORGED")
    assert played.goes_on() == "Completed"
    assert (snapshot(played.case).outcome, snapshot(case).status, pending(case)) == ("not for us", "open", [])


def test_no_mail_of_the_customers_joins_what_somebody_opened_in_their_name(systems: Systems) -> None:
    systems.settings.authserv_id = OURS
    doubtful("dmarc", MATI, "Internet mati", Message_ID="<theirs@pelanggan.example>")
    taken = arrives(systems, BUDI, "Sudah ada kabar?", "Re: Internet", References="<theirs@pelanggan.example>")
    assert (taken.outcome, taken.case_id, len(taken.letters)) == ("opened", 2, 1)
    assert "names JKT-0000001, whose sender is in doubt" in rows(systems, Message)[-1].reason


@pytest.mark.parametrize("doubt", ["dmarc", "two From"])
def test_a_report_whose_sender_is_in_doubt_is_a_persons(doubt: str, systems: Systems) -> None:
    systems.settings.authserv_id = OURS
    case = opened(systems)
    post(systems)
    report = BOUNCE % letter(case, "first_response")["Message-ID"].encode()
    assert take_in(systems, received(DOUBTS[doubt](report))) == TakenIn("quarantined", 1)
    assert rows(systems, Message)[-1].reasons[-1][0] == "report_in_doubt"
    assert (rows(systems, Outbox)[0].state, rows(systems, Bounce), pending(case)) == ("sent", [], [])
    assert take_in(systems, received(report)) == TakenIn("automatic", 1)
    assert rows(systems, Outbox)[0].state == "bounced"


def test_nobody_speaks_for_a_desk_or_for_us(systems: Systems) -> None:
    systems.settings.authserv_id = OURS
    case = opened(systems)
    sent = str(letter(case, "first_response")["Message-ID"])
    results = DOUBTS["dmarc"](b"").decode().partition(": ")[2].strip()
    assert arrives(systems, DESK, "Sudah kami tangani.", "Re: x", Authentication_Results=results).outcome == "opened"
    us = {"Message_ID": sent, "Authentication_Results": results}
    assert arrives(systems, "layanan@telkom.example", "Isi palsu", "Re: x", **us) == TakenIn("quarantined")
    assert rows(systems, Outbox)[0].state == "queued", "our letter has not gone out"


def test_a_domain_that_only_resembles_the_customers_opens_nothing_of_theirs(runs: Runs) -> None:
    case = opened(runs.systems)
    first = str(letter(case, "first_response")["Message-ID"])
    raw = mail("budi@example.com", BILL, "Tagihan", In_Reply_To=first).replace(b"budi@example.com", ODD.encode())
    played = Played.of(runs, take_in(runs.systems, received(raw)))
    assert "the domain only resembles another" in played.comes_to("ConfirmSender")
    assert snapshot(played.case).address == ODD
    assert "names JKT-0000001, which is another sender's" in rows(runs.systems, Message)[-1].reason
    played.decides("ConfirmSender", choice="GENUINE")
    assert "the domain only resembles another" in played.comes_to("ConfirmAnalysis")
    assert snapshot(played.case).customer_id == "", "it is no address on record"
    assert len(rows(runs.systems, Letter)) == 1
