"""The case's flow, pass by pass: what happens between the decisions (SOP W-75, W-76)."""

import pytest

from models.tables import ActivityRecord, Letter, TicketRow
from tasks.upkeep.monitor import deliver_signals
from tests.cases import (
    BUDI,
    LINE,
    MAJU,
    MATI,
    PRICE,
    STRANGER,
    arrives,
    change_ticket,
    letter,
    pending,
    rows,
    snapshot,
    text,
    tickets,
    told,
)
from tests.runs import Played, Runs


@pytest.fixture
def slow(runs: Runs) -> Played:
    """Maju's link is down: the unit has the ticket."""
    played = Played(runs, MAJU, "Link VPN IP kami 4700001-0021497479 mati total sejak pagi.", "Link mati")
    played.comes_to("UnitProgress")
    return played


def phoned(played: Played) -> None:
    """A letter did not arrive (the rehearsal's mail server knows no such address), and the agent tells it by phone."""
    played.comes_to("Unreachable")
    played.decides("Unreachable", choice="TOLD", note="Ditelepon")


def test_on_every_desk_the_customer_is_kept_informed_and_answered(slow: Played) -> None:
    """5.8 goes on while people think."""
    slow.decides("UnitProgress", choice="ESCALATE", note="Macet")
    description = slow.comes_to("Escalation")
    for fact in (
        "Diagnosa / Diagnosis: ",
        "Tiket / Ticket: 1\\-",
        "escalate · Macet",
        "Batas perbaikan / Repair due: ",
        "Surat terakhir / Latest letter, ",
    ):
        assert fact in description
    desks = [
        ("Escalation", {"choice": "SUPERVISOR"}),
        ("SupervisorEscalation", {"choice": "BACK_TO_AGENT"}),
        ("HandlingStuck", {"choice": "COORDINATE", "unit": "Core Network"}),
    ]
    path = [1, 2, 4, 6, 7, 8]
    for form, decision in desks:
        slow.time_passes(6.1)
        slow.comes_to(form)
        slow.mail("Sudah sampai mana perbaikannya?")
        assert "Sudah sampai mana" in slow.comes_to(form)
        path += [9, 9]
        assert slow.path == path
        text = letter(slow.case, "inform_status").get_body(("plain",))
        assert text is not None
        assert ("Dieskalasi" in text.get_content()) == (form != "HandlingStuck")
        slow.decides(form, **decision)
        if form == "SupervisorEscalation":
            slow.comes_to("HandlingStuck")
            path += [6]
    slow.comes_to("UnitProgress")
    assert slow.path == [*path, 7]
    assert pending(slow.case) == []


def test_a_mail_before_a_solution_is_approved_is_shown_to_the_agent(runs: Runs) -> None:
    played = Played(runs, BUDI, f"Internet saya {LINE} mati total sejak pagi.", "Internet mati")
    played.comes_to("ApproveSolution")
    played.mail("Sekarang sudah menyala lagi, terima kasih.")
    assert "Sekarang sudah menyala lagi" in played.comes_to("ApproveSolution")
    assert played.path == [1, 2, 4]


def test_who_asks_for_the_manager_at_once_gets_one_while_the_unit_works(runs: Runs) -> None:
    text = "Link VPN IP kami 4700001-0021497479 mati total. Saya minta masalah ini dieskalasi ke supervisor Anda."
    played = Played(runs, MAJU, text, "Link mati, mohon eskalasi")
    assert "Diminta pelanggan" in played.comes_to("Escalation")
    assert played.path == [1, 2, 4, 6, 7, 8]


def test_an_unknown_customer_whom_the_agent_has_phoned_is_helped(runs: Runs) -> None:
    played = Played(runs, STRANGER, "Internet rumah saya mati total sejak tadi pagi, lampu LOS merah.", "Internet mati")
    # the rehearsal's mail server knows no such address
    assert "Ask the customer" in played.comes_to("Unreachable")
    played.decides("Unreachable", choice="TOLD", note="Ditelepon")
    played.comes_to("CustomerAnswer")
    played.decides("CustomerAnswer", choice="ANSWERED", service_number=LINE)
    played.comes_to("ApproveSolution")
    assert played.path == [1, 1, 2, 4]
    assert snapshot(played.case).customer_id == "C-1"


def test_a_mail_that_was_not_read_is_read_by_an_agent(runs: Runs) -> None:
    """Neither the first mail nor an answer to our question is taken for an empty one."""
    secret = "-----BEGIN PGP MESSAGE-----\n\nhQEM\n-----END PGP MESSAGE-----"
    played = Played(runs, STRANGER, secret, "Penting")
    assert "encrypted" in played.comes_to("ConfirmAnalysis")
    played.decides("ConfirmAnalysis", need="COMPLAINT", topic="no_service")
    phoned(played)
    played.comes_to("CustomerAnswer")
    played.mail(secret)
    assert "encrypted" in played.comes_to("ConfirmAnalysis")


def test_a_solution_that_nobody_approves_in_time_goes_to_the_unit(runs: Runs) -> None:
    """SOP 5.8: the customer does not wait for a desk."""
    played = Played(runs, BUDI, f"Internet saya {LINE} mati total sejak pagi.", "Internet mati")
    played.comes_to("ApproveSolution")
    played.time_passes(6.1)
    played.comes_to("UnitProgress")
    assert played.path == [1, 2, 4, 6, 7]


def test_a_repair_that_is_reported_while_a_leader_thinks_is_shown(slow: Played) -> None:
    slow.decides("UnitProgress", choice="ESCALATE", note="Macet")
    slow.comes_to("Escalation")
    change_ticket(slow.runs.systems, status="resolved", note=told("Kabel putus", "Kabel disambung"))
    slow.units_work()
    wait = slow.runs.wait(slow.case)
    assert wait is not None
    assert (
        "The unit reports: Unit melapor selesai / The unit reports the repair · Kabel putus · Kabel disambung"
        in wait.description
    )


def test_who_writes_that_it_works_again_is_believed_once_an_agent_has_made_sure(slow: Played) -> None:
    slow.mail("Link kami sudah normal kembali, terima kasih.")
    assert "the customer writes that it works again" in slow.comes_to("ApproveSolution")
    slow.decides("ApproveSolution", choice="COORDINATE")
    slow.comes_to("UnitProgress")
    slow.mail("Sudah normal lagi.")
    slow.comes_to("ApproveSolution")
    slow.decides("ApproveSolution", choice="SEND", cause="Kabel putus", repair="Kabel disambung")
    slow.comes_to("ClosingPeriod")
    assert slow.path == [1, 2, 4, 6, 7, 9, 7, 9, 10, 12]


def test_how_long_a_desk_has_had_a_case_is_not_reset_by_an_update(slow: Played) -> None:
    slow.decides("UnitProgress", choice="ESCALATE", note="Macet")
    slow.comes_to("Escalation")
    asked = slow.runs.wait(slow.case)
    for _ in range(2):
        slow.time_passes(6.1)
        slow.comes_to("Escalation")
    again = slow.runs.wait(slow.case)
    assert asked is not None
    assert again is not None
    assert (again.since, again.wait_key) == (asked.since, "escalation-3")


def test_a_reopened_case_knows_what_it_knew(runs: Runs) -> None:
    played = Played(runs, BUDI, f"Internet saya {LINE} mati total sejak pagi.", "Internet mati")
    played.comes_to("ApproveSolution")
    played.decides("ApproveSolution", choice="SEND", cause="Perangkat", repair="Dimulai ulang")
    played.comes_to("ClosingPeriod")
    played.mail("Masih mati juga, belum beres.")
    played.comes_to("DisputedClosing")
    played.decides("DisputedClosing", choice="REOPEN")
    played.comes_to("ApproveSolution")
    assert played.path == [1, 2, 4, 5, 10, 12, 1, 2, 4]
    assert snapshot(played.case).service_number == LINE


@pytest.mark.parametrize(
    ("status", "form", "answers"),
    [
        ("closed", "ApproveSolution", {"choice": "COORDINATE"}),
        ("cancelled", "Escalation", {"choice": "OTHER_UNIT", "unit": "Access Network"}),
        ("rejected", "Escalation", {"choice": "BACK_TO_AGENT"}),
    ],
)
def test_a_ticket_that_the_unit_ends_is_no_dead_end(
    runs: Runs, status: str, form: str, answers: dict[str, str]
) -> None:
    systems = runs.systems
    played = Played(runs, BUDI, MATI, "Internet mati")
    played.comes_to("ApproveSolution")
    played.decides("ApproveSolution", choice="COORDINATE")
    played.comes_to("UnitProgress")
    change_ticket(systems, status=status, note=told("Kabel putus", "Kabel disambung"))
    played.units_work()
    played.comes_to(form)
    played.decides(form, **answers)
    if answers["choice"] == "BACK_TO_AGENT":
        played.comes_to("HandlingStuck")
        played.decides("HandlingStuck", choice="COORDINATE", unit="Access Network")
    description = played.comes_to("UnitProgress")
    old, new = tickets(systems)
    assert (old["externalId"], new["externalId"]) == ("JKT-0000001/1", "JKT-0000001/1.2")
    assert new["id"] in description

    # its unit repairs, and it ends with the case
    played.units_work(4.1)
    played.comes_to("ApproveSolution")
    played.decides("ApproveSolution", choice="SEND", cause="Kabel putus", repair="Kabel disambung")
    played.comes_to("ClosingPeriod")
    assert [one["status"] for one in tickets(systems)] == [status, "closed"]
    assert [(row.status, row.open) for row in rows(systems, TicketRow)] == [(status, False), ("closed", False)]
    assert {record.state for record in rows(systems, ActivityRecord)} == {"done"}


@pytest.fixture
def asked(runs: Runs) -> Played:
    """A stranger's complaint: nobody knows whose line it is, and we ask."""
    played = Played(runs, STRANGER, "Internet rumah saya mati total sejak tadi pagi, lampu LOS merah.", "Internet mati")
    phoned(played)
    played.comes_to("CustomerAnswer")
    return played


def test_answers_that_do_not_say_what_was_asked_are_read_by_an_agent(asked: Played) -> None:
    """And the case is not closed as if nobody had answered."""
    asked.mail("Saya tidak tahu nomornya.")
    phoned(asked)
    asked.comes_to("CustomerAnswer")
    asked.mail("Sudah saya bilang, saya tidak tahu.")
    description = asked.comes_to("UnclearAnswer")
    assert "the service number" in description
    assert "saya tidak tahu" in description
    asked.decides("UnclearAnswer", choice="ASK_AGAIN")
    phoned(asked)
    asked.comes_to("CustomerAnswer")
    asked.mail("Tidak ada.")
    asked.comes_to("UnclearAnswer")
    asked.decides("UnclearAnswer", choice="FOUND")
    assert "give the service number" in asked.comes_to("UnclearAnswer")
    asked.decides("UnclearAnswer", choice="FOUND", service_number="000")
    asked.comes_to("UnclearAnswer")
    asked.decides("UnclearAnswer", choice="FOUND", service_number=LINE)
    assert "Answer awaited until" not in asked.comes_to("ApproveSolution")
    assert snapshot(asked.case).customer_id == "C-1"


def test_who_answers_after_all_is_served_when_the_case_is_reopened(asked: Played) -> None:
    asked.decides("CustomerAnswer", choice="NO_ANSWER")
    phoned(asked)
    asked.comes_to("ClosingPeriod")
    asked.mail("Internet saya masih mati total, mohon diperbaiki.")
    asked.comes_to("DisputedClosing")
    asked.decides("DisputedClosing", choice="REOPEN")
    phoned(asked)
    asked.comes_to("CustomerAnswer")
    asked.decides("CustomerAnswer", choice="ANSWERED", service_number=LINE)
    asked.comes_to("ApproveSolution")
    assert asked.path == [1, 12, 1, 1, 2, 4]


@pytest.mark.parametrize("first", ["THANKS", "IRRELEVANT"])
def test_a_case_without_a_wish_that_is_reopened_is_understood_first(runs: Runs, first: str) -> None:
    played = Played(runs, BUDI, "Selamat siang. Demikian dari kami.", "Halo")
    played.comes_to("ConfirmAnalysis")
    played.decides("ConfirmAnalysis", need=first, topic="other")
    if first == "IRRELEVANT":
        played.mail("Tolong dibantu ya.")  # in the last moment
    played.comes_to("ClosingPeriod" if first == "THANKS" else "DisputedClosing")
    if first == "THANKS":
        played.mail("Tolong dibantu ya.")
        played.comes_to("DisputedClosing")
    played.decides("DisputedClosing", choice="REOPEN")
    played.comes_to("ConfirmAnalysis")
    played.decides("ConfirmAnalysis", need="COMPLAINT", topic="no_service", service_number=LINE)
    played.comes_to("ApproveSolution")


@pytest.mark.parametrize(
    ("answer", "form"),
    [
        ("Terima kasih banyak.", "ClosingPeriod"),
        ("Ok", "ClosingPeriod"),
        ("👍", "ClosingPeriod"),
        ("Sudah normal, trims", "ClosingPeriod"),
        ("ok tapi masih mati", "DisputedClosing"),
        ("Terima kasih atas bantuannya, sayangnya belum berubah.", "DisputedClosing"),
    ],
)
def test_only_what_says_little_but_thanks_is_read_by_nobody(answer: str, form: str, runs: Runs) -> None:
    played = Played(runs, BUDI, PRICE, "Harga paket")
    played.comes_to("ClosingPeriod")
    closing = rows(runs.systems, Letter)[-1]
    arrives(runs.systems, BUDI, answer, closing.subject, In_Reply_To=closing.message_id)
    deliver_signals.fn()
    played.comes_to(form)


def test_an_answer_to_the_closing_letter_says_itself_what_is_wanted(runs: Runs) -> None:
    played = Played(runs, BUDI, "Terima kasih, semuanya sudah baik.", "Terima kasih")
    played.comes_to("ConfirmAnalysis")
    played.decides("ConfirmAnalysis", need="THANKS", topic="other")
    played.comes_to("ClosingPeriod")
    played.mail(MATI)
    played.comes_to("DisputedClosing")
    played.decides("DisputedClosing", choice="REOPEN")
    played.comes_to("ApproveSolution")


def test_who_asks_for_data_from_an_unknown_address_gets_an_answer_without_them(runs: Runs) -> None:
    """The agent who has found the line is not asked for it again and again."""
    played = Played(runs, STRANGER, f"Mohon kirim salinan tagihan untuk nomor {LINE}.", "Salinan tagihan")
    for _ in range(2):
        phoned(played)
        played.comes_to("CustomerAnswer")
        played.decides("CustomerAnswer", choice="ANSWERED", service_number=LINE)
    played.comes_to("UnclearAnswer")
    played.decides("UnclearAnswer", choice="FOUND", service_number=LINE)
    played.goes_on()
    assert played.path == [1, 1, 1, 1, 3, 11, 12]
    assert "B-1" not in text(played.case, "give_information")


def test_a_number_that_the_agent_empties_is_gone(runs: Runs) -> None:
    text = f"Selamat siang, mengenai {LINE} kami mohon bantuannya segera."
    played = Played(runs, MAJU, text.replace(LINE, "4700001-0021497479"), "Bantuan")
    played.comes_to("ConfirmAnalysis")
    wait = runs.wait(played.case)
    assert wait is not None
    assert wait.json_schema["properties"]["service_number"]["default"] == "4700001-0021497479"
    played.decides("ConfirmAnalysis", need="COMPLAINT", topic="slow", service_number="")
    played.comes_to("CustomerAnswer")


def test_a_mail_that_was_not_read_while_the_unit_works_is_an_agents(slow: Played) -> None:
    slow.mail("-----BEGIN PGP MESSAGE-----\n\nhQEM\n-----END PGP MESSAGE-----")
    description = slow.comes_to("ApproveSolution")
    assert "an agent must read this mail: terenkripsi / encrypted" in description
    slow.decides("ApproveSolution", choice="COORDINATE")
    slow.comes_to("UnitProgress")
    assert slow.path == [1, 2, 4, 6, 7, 9, 7]


def test_who_would_send_an_update_before_there_is_a_ticket_is_told_so(runs: Runs) -> None:
    played = Played(runs, BUDI, f"Internet saya {LINE} mati total sejak pagi.", "Internet mati")
    played.comes_to("ApproveSolution")
    for _ in range(2):
        played.decides("ApproveSolution", choice="UPDATE")
        assert played.comes_to("ApproveSolution").count("there is no ticket yet") == 1
    assert played.path == [1, 2, 4]
