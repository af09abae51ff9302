"""SOP 5.3, old or new: what ties a mail to a case, and what does not."""

from base64 import b64decode, b64encode

import pytest
from sqlalchemy import delete

from adapters.wiring import Systems
from models.analysis import Analysis
from models.tables import Bounce, Case, Letter, Message, Signal
from tasks.end_case import end_case
from tasks.intake.batch import TakenIn
from tasks.receive_and_analyse import receive_and_analyse
from tasks.run.case_run import CaseRun
from tests.cases import (
    BUDI,
    LINE,
    MAJU,
    MATI,
    OURS,
    PRICE,
    STRANGER,
    arrives,
    done,
    letter,
    opened,
    pending,
    post,
    received,
    rows,
    snapshot,
    take_in,
    text,
)
from tests.fakes import with_methods
from tests.runs import Played, Runs

OTHER = "Selamat siang, terima kasih, nanti saya kirim fotonya."


def the_letter(systems: Systems) -> str:
    return rows(systems, Letter)[0].message_id


def test_an_answer_to_our_letter(systems: Systems) -> None:
    opened(systems)
    taken = arrives(systems, BUDI, OTHER, "Lain", In_Reply_To=the_letter(systems))
    assert (taken.outcome, taken.case_id) == ("joined", 1)
    assert rows(systems, Message)[-1].reasons[0] == ["answers_letter", ""]


def test_an_answer_deep_in_the_thread(systems: Systems) -> None:
    opened(systems)
    thread = f"<a@pelanggan.example> {the_letter(systems)} <b@pelanggan.example>"
    assert arrives(systems, BUDI, OTHER, "Lain", References=thread).case_id == 1


@pytest.mark.parametrize(
    "subject", ["Re: [JKT-0000001] Internet mati", "Fwd: JKT-0000001", "Balasan: jkt JKT-0000001."]
)
def test_a_reference_in_the_subject(subject: str, systems: Systems) -> None:
    opened(systems)
    assert arrives(systems, BUDI, OTHER, subject).outcome == "joined"
    assert rows(systems, Message)[-1].reasons[0] == ["reference", ""]


def test_a_mail_that_follows_the_customers_own(systems: Systems) -> None:
    arrives(systems, BUDI, Message_ID="<first@pelanggan.example>")
    taken = arrives(systems, BUDI, OTHER, "Lain", References="<first@pelanggan.example>")
    assert (taken.outcome, rows(systems, Message)[-1].reasons) == ("joined", [["follows_mail", ""]])


def outlooks(*answers: bytes) -> str:
    """A Thread-Index: the conversation's own bytes, and five more for each answer."""
    return b64encode(b"\x01\xdc" + bytes(range(20)) + b"".join(answers)).decode()


def test_outlooks_conversation_where_references_are_lost(systems: Systems) -> None:
    case = CaseRun.open(arrives(systems, BUDI, Thread_Index=outlooks()).case_id or 0, systems)
    ours = letter(case, "first_response")["Thread-Index"]
    assert ours.startswith(outlooks()[:28])
    answer = outlooks(b64decode(ours)[22:], b"12345")
    assert arrives(systems, BUDI, OTHER, "Lain", Thread_Index=answer) == TakenIn("joined", 1)
    assert rows(systems, Message)[-1].reasons[0] == ["conversation", ""]
    taken = arrives(systems, STRANGER, OTHER, "Lain", Thread_Index=answer)
    assert taken.outcome == "opened", "who was sent a copy has a case of their own"
    assert ["conversation", ""] in rows(systems, Message)[-1].reasons


def test_a_new_mail_of_outlooks_answers_nothing(systems: Systems) -> None:
    for words, outcome in (("Internet mati.", "opened"), ("Berapa tagihan telepon saya?", "opened")):
        assert arrives(systems, BUDI, words, words, Thread_Index=outlooks()).outcome == outcome


def test_the_same_line_in_time(systems: Systems) -> None:
    done(receive_and_analyse, opened(systems), 0)
    again = f"Pelanggan lama di sini. Nomor {LINE} masih belum bisa dipakai juga."
    systems.clock.advance(13 * 24)  # type: ignore[attr-defined]
    assert arrives(systems, BUDI, again, "Lagi").outcome == "joined"
    assert rows(systems, Message)[-1].reasons[0] == ["same_line", ""]
    systems.clock.advance(2 * 24)  # type: ignore[attr-defined]
    assert arrives(systems, BUDI, f"{again} Sudah dua minggu.", "Lagi").outcome == "opened"


def test_another_matter_on_the_same_line_is_for_a_person_to_compare(systems: Systems) -> None:
    done(receive_and_analyse, opened(systems), 0)
    taken = arrives(
        systems, BUDI, f"Nomor {LINE}: saya mau tanya cara pembayaran tagihan lewat bank apa saja?", "Bayar"
    )
    assert taken.outcome == "opened"
    assert rows(systems, Case)[-1].perhaps_id == 1
    assert rows(systems, Message)[-1].reasons == [["perhaps", "JKT-0000001"], ["other_topic", ""]]


def test_a_signed_reference_ties_a_mail_whatever_was_lost(systems: Systems) -> None:
    case = snapshot(opened(systems))
    assert arrives(systems, BUDI, OTHER, f"Tolong dibaca {case.reference}-{case.token}").outcome == "joined"
    assert rows(systems, Message)[-1].reasons[0] == ["signed_reference", ""]
    assert case.token in str(letter(CaseRun.open(1, systems), "first_response")["Subject"])


def test_a_reference_that_stands_there_twice_is_still_signed(systems: Systems) -> None:
    case = snapshot(opened(systems))
    for signed in (
        f"{case.reference}-{case.token} ({case.reference})",
        f"{case.reference}: {case.reference}-{case.token}",
    ):
        assert arrives(systems, BUDI, f"{OTHER} {signed}", signed).outcome == "joined"
        assert rows(systems, Message)[-1].reasons[0] == ["signed_reference", ""]


def test_another_address_on_record_of_the_customer_joins(systems: Systems) -> None:
    case = opened(systems)
    done(receive_and_analyse, case, 0)
    assert arrives(systems, "santoso@example.org", OTHER, f"Re: [{case.reference}]").case_id == case.case_id
    assert snapshot(case).address == BUDI


def test_two_mails_in_a_row_are_one_case_before_anybody_has_read_the_first(systems: Systems) -> None:
    arrives(systems)
    assert arrives(systems, BUDI, f"Nomornya {LINE}, sampai sekarang belum ada kabar.", "Lagi").outcome == "joined"
    assert arrives(systems, BUDI, "Internet mati total dari tadi pagi, tolong.", "Internet mati").outcome == "joined"
    assert arrives(systems, BUDI, PRICE, "Harga paket").outcome == "opened"


def test_another_matter_of_the_same_sender_is_a_new_case(systems: Systems) -> None:
    done(receive_and_analyse, opened(systems), 0)
    assert arrives(systems, BUDI, PRICE, "Harga paket").outcome == "opened"
    other_line = MATI.replace(LINE, "122345678999")
    assert arrives(systems, BUDI, other_line, "Internet mati").outcome == "opened"


@pytest.mark.parametrize("way", ["subject", "thread", "our letter"])
def test_a_stranger_who_quotes_a_case_joins_nothing_and_learns_nothing(way: str, systems: Systems) -> None:
    arrives(systems, BUDI, Message_ID="<first@pelanggan.example>")
    case = CaseRun.open(1, systems)
    done(receive_and_analyse, case, 0)
    thread = {
        "our letter": the_letter(systems),
        "thread": "<first@pelanggan.example>",
        "subject": "<x@pelanggan.example>",
    }
    subject = f"Re: [{case.reference}] Internet mati" if way == "subject" else "Status"
    taken = arrives(systems, STRANGER, f"Bagaimana status {LINE}?", subject, In_Reply_To=thread[way])

    assert (taken.outcome, taken.case_id) == ("opened", 2)
    theirs = CaseRun.open(2, systems)
    assert snapshot(theirs).previous_id is None
    assert rows(systems, Message)[-1].reasons[0] == ["other_senders_case", "JKT-0000001"]
    assert pending(case) == [], "the customer's own case is not told"
    assert letter(theirs, "first_response")["To"] == STRANGER
    for secret in ("Budi", BUDI, LINE):
        assert secret not in text(theirs, "first_response")
    assert len(rows(systems, Letter, case_id=1)) == 1
    assert done(receive_and_analyse, theirs, 0).customer_id == ""


def test_the_agent_sees_whose_case_a_mail_names(runs: Runs) -> None:
    opened(runs.systems)
    played = Played(runs, STRANGER, "Bagaimana status laporan itu?", "Re: [JKT-0000001]")
    said = played.comes_to("ConfirmAnalysis").replace("\\", "")
    assert "Old or new: menyebut JKT-0000001, milik pengirim lain / names JKT-0000001" in said
    assert "reference in the subject" in said
    other = Played(runs, MAJU, "Bagaimana status laporan itu?", "Status")
    assert "Old or new" not in other.comes_to("ConfirmAnalysis")


def test_a_case_that_a_mail_names_is_told_whatever_else_it_perhaps_belongs_to(systems: Systems) -> None:
    opened(systems)
    opened(systems, STRANGER, MATI)
    assert arrives(systems, STRANGER, "Bagaimana status laporan itu?", "Re: [JKT-0000001]").outcome == "opened"
    assert rows(systems, Message)[-1].reasons == [
        *(["perhaps", "JKT-0000002"], ["asks_for_status", ""]),
        *(["other_senders_case", "JKT-0000001"], ["reference", ""]),
    ]


def test_a_number_that_is_no_case_is_no_reference(systems: Systems) -> None:
    assert arrives(systems, BUDI, OTHER, "JKT-0000099").outcome == "opened"
    assert arrives(systems, BUDI, f"{OTHER} Terima kasih.", "JKT-999999999").outcome == "opened"
    assert rows(systems, Message)[-1].reasons[0] == ["new", ""]


def test_a_longer_number_names_no_case_by_its_beginning(systems: Systems) -> None:
    opened(systems)
    assert arrives(systems, BUDI, OTHER, "Pesanan JKT-0000000011").outcome == "opened"


def test_what_another_address_of_the_customer_writes_after_the_closing_stays_together(systems: Systems) -> None:
    case = opened(systems)
    done(receive_and_analyse, case, 0)
    post(systems)
    done(end_case, case, "complaint")
    taken = [
        arrives(systems, "santoso@example.org", f"{OTHER} {number}", f"Re: [{case.reference}]") for number in range(2)
    ]
    assert [(one.outcome, one.case_id) for one in taken] == [("opened", 2), ("joined", 2)]


def test_what_follows_a_closed_case_stays_together(systems: Systems) -> None:
    case = opened(systems)
    post(systems)
    done(end_case, case, "complaint")
    old = the_letter(systems)

    def writes_again(text: str) -> tuple[str, int | None]:
        taken = arrives(systems, BUDI, text, "Re: Internet", In_Reply_To=old)
        return taken.outcome, taken.case_id

    assert writes_again("Ternyata masih mati.") == ("opened", 2)
    assert writes_again("Sampai sekarang juga.") == ("joined", 2)
    with systems.store.write() as session:
        session.execute(delete(Signal))
    post(systems)
    done(end_case, CaseRun.open(2, systems), "complaint")
    assert writes_again("Masih juga.") == ("opened", 3)
    assert writes_again("Belum juga.") == ("joined", 3)
    assert [case.previous_id for case in rows(systems, Case)] == [None, 1, 2]


def test_cases_that_nobody_has_analysed_yet_are_analysed_once(systems: Systems) -> None:
    analyse, read = systems.analyser.analyse, []

    def counted(subject: str, text: str) -> Analysis:
        read.append(text)
        return analyse(subject, text)

    systems.analyser = with_methods(systems.analyser, analyse=counted)
    for number in range(5):
        assert arrives(systems, BUDI, f"Internet 12234567000{number} mati.").outcome == "opened"
    assert len(read) == len(set(read)) <= 5


@pytest.mark.parametrize("header", ["To", "Cc", "Delivered_To", "X_Original_To"])
def test_a_signed_reference_in_our_address_ties_a_mail_as_one_in_the_subject_does(
    header: str, systems: Systems
) -> None:
    case = snapshot(opened(systems))
    systems.settings.authserv_id = "mx.telkom.example"
    forged = {"Authentication_Results": "mx.telkom.example; dmarc=fail"}

    def to(address: str, sender: str = BUDI, **headers: str) -> tuple[str, int | None, str]:
        taken = arrives(systems, sender, f"{OTHER} {address}", "Foto", **{header: f"Layanan <{address}>"}, **headers)
        return taken.outcome, taken.case_id, rows(systems, Message)[-1].reasons[0][0]

    plus = f"layanan+{case.reference}-{case.token}@telkom.example"
    assert to(plus) == ("joined", 1, "signed_reference")
    assert to(plus.lower(), **forged)[0] == "opened", "a sender in doubt joins nothing"
    for nothing in (
        plus.replace("+", ""),
        f"layanan+{case.reference}@telkom.example",
        f"layanan+{case.reference}-bcdfghjk@telkom.example",
        f"layanan+x-{case.reference}-{case.token}@telkom.example",
    ):
        assert to(nothing)[0] == "opened", nothing
    assert to(plus, STRANGER)[2] == "other_senders_case"


def test_who_answers_by_that_address_from_another_one_on_record_joins(systems: Systems) -> None:
    case = opened(systems)
    done(receive_and_analyse, case, 0)
    plus = f"layanan+{case.reference}-{snapshot(case).token}@telkom.example"
    assert arrives(systems, "santoso@example.org", OTHER, "Foto", Cc=plus).case_id == case.case_id


def test_letters_may_ask_for_answers_by_that_address(systems: Systems) -> None:
    assert letter(opened(systems), "first_response")["Reply-To"] is None
    systems.settings.reply_to_reference = True
    case = opened(systems, STRANGER)
    token = snapshot(case).token
    plus = str(letter(case, "first_response")["Reply-To"])
    assert plus == f"layanan+JKT-0000002-{token}@telkom.example"
    assert arrives(systems, STRANGER, OTHER, "Foto", Cc=plus).case_id == case.case_id
    assert arrives(systems, plus, OTHER, "Foto").outcome == "quarantined", "it is ours: no letter goes there"


def test_a_reference_in_small_letters(systems: Systems) -> None:
    case = opened(systems)
    assert (
        arrives(systems, BUDI, OTHER, f"re: [{case.reference.lower()}-{snapshot(case).token}]").case_id == case.case_id
    )
    assert rows(systems, Message)[-1].reasons[0] == ["signed_reference", ""]


@pytest.mark.parametrize("words", [MATI, f"{MATI} Terima kasih."])
def test_what_somebody_forges_keeps_no_mail_of_the_customer_back(words: str, systems: Systems) -> None:
    systems.settings.authserv_id = "mx.telkom.example"
    forged = {"Authentication_Results": "mx.telkom.example; dmarc=fail"}
    assert arrives(systems, **forged).letters == ()
    assert arrives(systems, **forged).outcome == "duplicate"
    genuine = arrives(systems, BUDI, words)
    assert (genuine.outcome, genuine.case_id, len(genuine.letters)) == ("opened", 2, 1)
    again = arrives(systems, BUDI, words)
    assert (again.outcome, again.case_id) == ("duplicate", 2)


AWAY = {"Auto_Submitted": "auto-replied"}
GATEWAY = {"List_Unsubscribe": "<https://gateway.example>"}


@pytest.mark.parametrize(("robot", "outcome"), [(AWAY, "automatic"), (GATEWAY, "quarantined")])
def test_an_automatic_answer_is_kept_with_its_case_and_wakes_nobody(
    robot: dict[str, str], outcome: str, systems: Systems
) -> None:
    """A person looks at what only a gateway's mark says."""
    case = opened(systems)
    signed = f"Re: [{case.reference}-{snapshot(case).token}]"
    assert arrives(systems, BUDI, OTHER, signed, **robot) == TakenIn(outcome, 1)
    assert arrives(systems, BUDI, OTHER, "Lain", In_Reply_To=the_letter(systems), **robot) == TakenIn(outcome, 1)
    assert pending(case) == []
    assert arrives(systems, STRANGER, OTHER, signed, **robot) == TakenIn(outcome)
    assert arrives(systems, BUDI, MATI, "Internet mati", **robot) == TakenIn(outcome), "it answers nothing"


def test_a_complaint_about_a_letter_is_kept_with_its_case(systems: Systems) -> None:
    case = opened(systems)
    report = (
        "From: fbl@penyedia.example\nSubject: FW: spam\nMIME-Version: 1.0\n"
        'Content-Type: multipart/report; report-type=feedback-report; boundary="b"\n\n'
        "--b\n\nKomplain\n--b\nContent-Type: message/feedback-report\n\nFeedback-Type: abuse\n\n"
        f"--b\nContent-Type: message/rfc822\n\nMessage-ID: {the_letter(systems)}\n\nhalo\n--b--\n"
    )
    assert take_in(systems, received(report.encode())) == TakenIn("automatic", 1)
    assert pending(case) == []
    assert rows(systems, Bounce) == []


def test_the_agent_sees_that_the_customer_is_away(runs: Runs) -> None:
    played = Played(runs, BUDI, "Halo, mohon bantuannya ya.", "Tanya")
    thread = the_letter(runs.systems)
    arrives(runs.systems, BUDI, "Saya cuti sampai Senin.", "Cuti", In_Reply_To=thread, **AWAY)
    arrives(runs.systems, OURS, "Salinan", "Lain", Message_ID=thread)
    assert "Automatic mail" in (said := played.comes_to("ConfirmAnalysis"))
    assert "Saya cuti sampai Senin" in said
