"""Limits against loops and floods; on both data bases where they count."""

import tracemalloc

import pytest
from sqlalchemy import update

from adapters.ems import Received
from adapters.mail.parser import parse
from adapters.wiring import Systems
from models.errors import Refused
from models.letter import ClosingFacts
from models.tables import Case, Letter, Message
from tasks.closing import closing
from tasks.intake.batch import TakenIn, take_in_batch
from tasks.intake.known_mail import known_of
from tasks.intake.limits import answers_like_a_robot
from tasks.receive_and_analyse import receive_and_analyse
from tasks.run.send_letter import deliver
from tasks.run.work import Work
from tests.cases import (
    BUDI,
    LINE,
    MAJU,
    MATI,
    STRANGER,
    arrives,
    do_now,
    done,
    latest,
    letter,
    mail,
    opened,
    received,
    rows,
    snapshot,
)
from tests.conftest import BOTH


def outcomes(systems: Systems) -> list[str]:
    return [message.outcome for message in rows(systems, Message)]


@pytest.mark.parametrize("systems", BOTH, indirect=True)
def test_a_flood_is_kept_and_serves_others_no_worse(systems: Systems) -> None:
    systems.settings.limits.mails_an_hour = 3
    taken = [arrives(systems, STRANGER, f"{MATI} Nomor {number}.", f"Mati {number}") for number in range(5)]
    assert [one.outcome for one in taken[3:]] == ["quarantined", "quarantined"]
    assert "flood: more than 3 mails" in rows(systems, Message)[-1].reason
    assert arrives(systems, BUDI).outcome == "opened"
    systems.clock.advance(1.1)  # type: ignore[attr-defined]
    assert arrives(systems, STRANGER, "Apakah sudah dibaca?", "Lagi").outcome in {"opened", "joined"}


@pytest.mark.parametrize("systems", BOTH, indirect=True)
def test_who_answers_within_seconds_again_and_again_is_a_robot(systems: Systems) -> None:
    systems.settings.limits.quick_answers = 3
    case = opened(systems)
    done(receive_and_analyse, case)
    for turn in range(3):
        deliver(systems, rows(systems, Letter)[-1].id or 0)
        arrives(systems, BUDI, f"Pesan otomatis nomor {turn}", f"Re: [{case.reference}]")
        if turn < 2:
            done(closing, case)
    assert outcomes(systems) == ["opened", "joined", "joined", "quarantined"]
    assert "within seconds" in rows(systems, Message)[-1].reason
    aside = rows(systems, Message)[-1]
    assert aside.case_id == case.case_id, "the person who looks at it sees the case"
    done(closing, case)
    assert letter(case, "closing")["In-Reply-To"] != aside.message_id, "it is none of the mails that are answered"
    systems.clock.advance(0.5)  # type: ignore[attr-defined]
    assert arrives(systems, BUDI, "Sekarang saya sendiri", f"Re: [{case.reference}]").outcome == "joined"


def test_a_robot_that_names_the_case_by_our_address_alone_is_one(systems: Systems) -> None:
    systems.settings.limits.quick_answers = 3
    case = opened(systems)
    signed = f"layanan+{case.reference}-{snapshot(case).token}@telkom.example"
    deliver(systems, rows(systems, Letter)[-1].id or 0)
    for number in range(3):
        arrives(systems, BUDI, f"Pesan otomatis nomor {number}", "Halo", To=signed)
    assert outcomes(systems) == ["opened", "joined", "joined", "quarantined"]


def test_who_forges_answers_makes_no_robot_of_a_customer(systems: Systems) -> None:
    systems.settings.limits.quick_answers, systems.settings.authserv_id = 3, "mx.telkom.example"
    case = opened(systems)
    deliver(systems, rows(systems, Letter)[-1].id or 0)
    forged = {
        "Authentication_Results": "mx.telkom.example; dmarc=fail",
        "In_Reply_To": rows(systems, Letter)[-1].message_id,
    }
    for number in range(3):
        arrives(systems, BUDI, f"Pesan nomor {number}", "Halo", **forged)
    assert arrives(systems, BUDI, "Terima kasih, sudah saya coba.", f"Re: [{case.reference}]").outcome == "joined"


def test_a_forged_answer_is_looked_at_by_a_person_whatever_a_robot_of_the_customers_does(systems: Systems) -> None:
    systems.settings.limits.quick_answers, systems.settings.authserv_id = 2, "mx.telkom.example"
    case = opened(systems)
    deliver(systems, rows(systems, Letter)[-1].id or 0)
    arrives(systems, BUDI, "Saya sedang cuti.", f"Re: [{case.reference}]")
    forged = {"Authentication_Results": "mx.telkom.example; dmarc=fail"}
    assert arrives(systems, BUDI, "Tolong kirim tagihan saya.", f"Re: [{case.reference}]", **forged).outcome == "opened"


@pytest.mark.parametrize("systems", BOTH, indirect=True)
def test_whether_a_flood_is_a_robots_is_asked_of_few_of_its_mails(systems: Systems) -> None:
    case = opened(systems)
    deliver(systems, rows(systems, Letter)[-1].id or 0)
    flood = rows(systems, Message)[0].model_dump(exclude={"id"})
    with systems.store.write() as session:
        for number in range(300):
            long = {"uid": number, "text": "kata " * 20_000, "subject": f"Re: [{case.reference}]"}
            session.add(Message(**flood | long | {"uidvalidity": 2, "received_at": systems.clock.now()}))
    tracemalloc.start()
    try:
        with systems.store.read() as session:
            assert answers_like_a_robot(session, systems.settings.limits, BUDI, systems.clock.now())
        assert tracemalloc.get_traced_memory()[1] < 3_000_000
    finally:
        tracemalloc.stop()


def test_who_writes_several_new_mails_at_once_is_no_robot(systems: Systems) -> None:
    systems.settings.limits.quick_answers = 2
    matters = [
        MATI,
        "Berapa tagihan telepon saya bulan ini?",
        "Berapa harga paket IndiHome 50 Mbps?",
        "Saya mau pindah rumah",
    ]
    for number, text in enumerate(matters):
        assert arrives(systems, STRANGER, text, f"Hal {number}").outcome != "quarantined"
        deliver(systems, rows(systems, Letter)[-1].id or 0)


def test_an_address_gets_so_many_letters_a_day(systems: Systems) -> None:
    systems.settings.limits.letters_a_day = 2
    case = opened(systems)
    done(receive_and_analyse, case)
    done(closing, case)
    do_now(closing, case)
    record = latest(case, "closing")
    assert (record.state, record.occurrence) == ("failed", 2)
    assert "2 have gone to this address within a day" in record.output["error"]
    systems.clock.advance(25)  # type: ignore[attr-defined]
    work = Work(systems, snapshot(case), "closing", 3)
    work.letter(ClosingFacts(answer_by=systems.clock.now()))
    assert len(work.letters) == 1


def test_the_limit_is_an_address_s_own(systems: Systems) -> None:
    systems.settings.limits.letters_a_day = 1
    assert arrives(systems, BUDI).letters
    assert arrives(systems, STRANGER).letters
    case = opened(systems, BUDI, "Berapa tagihan telepon saya bulan ini?", "Tagihan")
    assert latest(case, "first_response").state == "failed"
    with pytest.raises(Refused, match="a loop"):
        Work(systems, snapshot(case), "closing", 1).letter(ClosingFacts(answer_by=systems.clock.now()))


@pytest.mark.parametrize("systems", BOTH, indirect=True)
def test_plus_addresses_are_one_mailbox_to_the_limits(systems: Systems) -> None:
    systems.settings.limits.letters_a_day = 2
    systems.settings.limits.mails_an_hour = 4

    def robot(number: int, prefix: str = "robot+") -> Received:
        return received(mail(f"{prefix}{number}@example.com", f"{MATI} Nomor {number}.", f"Mati {number}"))

    taken = take_in_batch(systems, [robot(number) for number in range(5)])
    assert [len(one.letters) for one in taken.values()] == [1, 1, 0, 0, 0]
    assert outcomes(systems) == ["opened"] * 4 + ["quarantined"]
    assert [row.recipient for row in rows(systems, Letter)] == ["robot+0@example.com", "robot+1@example.com"]
    others = take_in_batch(systems, [robot(number, "+62812") for number in range(6)])
    assert [len(one.letters) for one in others.values()] == [1] * 6, "a gateway's telephone numbers are no folders"


def test_a_robot_of_many_names_is_one(systems: Systems) -> None:
    systems.settings.limits.quick_answers = 2
    for number in range(2):
        sender = f"budi+{number}@example.com"
        case = opened(systems, sender, MATI.replace("2345", f"234{number}"), "Mati")
        deliver(systems, rows(systems, Letter)[-1].id or 0)
        arrives(systems, sender, "Pesan kami", f"Re: [{case.reference}]")
    assert outcomes(systems) == ["opened", "joined", "opened", "quarantined"]


def test_a_thread_has_one_first_response_a_day(systems: Systems) -> None:
    case = opened(systems)
    first = str(letter(case, "first_response")["Message-ID"])

    def follows(text: str) -> TakenIn:
        with systems.store.write() as session:
            session.execute(update(Case).values(status="closed"))
        return arrives(systems, BUDI, text, "Re: Internet mati", In_Reply_To=first)

    again = follows("Masih mati juga")
    assert (again.outcome, again.letters) == ("opened", ())
    systems.clock.advance(25)  # type: ignore[attr-defined]
    assert follows("Mati lagi hari ini").letters


def test_the_same_content_is_a_duplicate_while_it_is_fresh(systems: Systems) -> None:
    first = arrives(systems)
    resent = arrives(systems, BUDI, MATI, "Kirim ulang: Internet mati")
    assert (resent.outcome, resent.case_id, resent.letters) == ("duplicate", first.case_id, ())
    assert arrives(systems, STRANGER, MATI).outcome == "opened", "another customer may have the same words"
    case = opened(systems, MAJU)
    for _ in range(2):
        answer = arrives(systems, MAJU, "Sudah sampai mana?", f"Re: [{case.reference}]")
        assert answer.outcome == "joined", "who answers in the same words asks again"
    systems.clock.advance(25)  # type: ignore[attr-defined]
    assert arrives(systems).outcome == "joined", "a day later it is news that nothing has changed"


@pytest.mark.parametrize("systems", BOTH, indirect=True)
def test_an_answer_to_two_mailboxes_is_one_whatever_message_id_its_copies_have(systems: Systems) -> None:
    case = opened(systems)

    def copy(mailbox: str, uid: int) -> str:
        raw = mail(BUDI, "Sudah sampai mana?", f"Re: [{case.reference}]")
        return take_in_batch(systems, [Received(mailbox, "BDG", 9, uid, raw)])[uid].outcome

    assert [copy("layanan@telkom.example", 1), copy("bdg@telkom.example", 1)] == ["joined", "duplicate"]
    systems.clock.advance(1)  # type: ignore[attr-defined]
    assert copy("bdg@telkom.example", 2) == "joined", "who answers in the same words asks again"


@pytest.mark.parametrize("systems", BOTH, indirect=True)
def test_of_a_flood_no_more_mails_are_counted_than_the_limit(systems: Systems) -> None:
    systems.settings.limits.mails_an_hour = 3
    for number in range(6):
        arrives(systems, STRANGER, f"{number}", f"Hal {number}")
    with systems.store.read() as session:
        now, one = systems.clock.now(), parse(mail(STRANGER))
        assert known_of(session, systems.settings, one, "layanan@telkom.example", now, now).mails == 3


@pytest.mark.parametrize("headers", [{}, {"Message_ID": "<1@broken.example>"}])
def test_mails_whose_words_are_all_in_the_subject_are_told_apart_by_it(
    headers: dict[str, str], systems: Systems
) -> None:
    dead, bill = f"Internet {LINE} mati total", "Tagihan telepon saya salah"
    first = arrives(systems, BUDI, "", dead, **headers)
    other = arrives(systems, BUDI, "", bill, **headers)
    assert "duplicate" not in {first.outcome, other.outcome}
    resent = arrives(systems, BUDI, " ", bill, **headers)
    assert (resent.outcome, resent.case_id) == ("duplicate", other.case_id)


@pytest.mark.parametrize("systems", BOTH, indirect=True)
def test_a_flood_in_somebodys_name_stops_none_of_their_own_mails(systems: Systems) -> None:
    systems.settings.authserv_id = "mx.telkom.example"
    systems.settings.limits.mails_an_hour = 3
    forged = {"Authentication_Results": "mx.telkom.example; dmarc=fail"}
    outcomes = [arrives(systems, BUDI, f"Halo {number}", **forged).outcome for number in range(4)]
    assert outcomes == ["opened", "opened", "opened", "quarantined"]
    assert [arrives(systems, BUDI, f"{MATI} {number}").outcome for number in range(4)] == [
        "opened",
        "joined",
        "joined",
        "quarantined",
    ]
