"""Who stood in Cc of the customer's mail: their answers belong to the case, and letters go to them only if told so."""

from email import message_from_bytes, policy

import pytest
from sqlmodel import select

from adapters.wiring import Systems
from models.errors import WrongUse
from models.tables import Bounce, Case, Letter, Outbox, Party, Signal
from tasks.intake.accept_mail import accept_mail
from tasks.intake.batch import TakenIn
from tasks.run.case_run import CaseRun
from tasks.run.lifetime import finish
from tasks.run.send_letter import deliver
from tasks.upkeep.merge_case import add_party, remove_party
from tests.cases import (
    BUDI,
    LINE,
    MAJU,
    MATI,
    OURS,
    STRANGER,
    accepted,
    arrives,
    opened,
    received,
    rows,
    snapshot,
    take_in,
)
from tests.tasks.intake.test_batch import BOUNCE

ANDI, JOKO = "andi@maju.example", "joko@maju.example"
CC = f"Andi Manager <{ANDI}>, Joko <JOKO@maju.example>, {OURS}"
FORGED = {"Authentication_Results": "mx.telkom.example; dmarc=fail header.from=maju.example"}


def with_cc(systems: Systems, **headers: str) -> CaseRun:
    taken = arrives(systems, MAJU, Cc=CC, Message_ID="<cc-1@maju.example>", **headers)
    assert taken.outcome == "opened"
    return CaseRun.open(taken.case_id or 0, systems)


def first_letter(systems: Systems, case_id: int = 1) -> str:
    with systems.store.read() as session:
        return session.exec(select(Letter.message_id).where(Letter.case_id == case_id)).first() or ""


def test_who_stood_in_cc_joins_the_case_by_answering_it(systems: Systems) -> None:
    case = with_cc(systems)
    assert {(party.address, party.copied, party.letters) for party in rows(systems, Party)} == {
        (ANDI, True, False),
        (JOKO, True, False),
    }
    answers = [
        ("Mohon dipercepat.", "Re: Internet mati", {"In_Reply_To": first_letter(systems)}),
        ("Kapan selesai?", "Re: Internet mati", {"References": "<cc-1@maju.example>"}),
        ("Masih mati.", f"Re: [{case.reference}]", {}),
    ]
    for text, subject, headers in answers:
        assert arrives(systems, ANDI, text, subject, **headers) == TakenIn("joined", case.case_id)
    assert [wake.kind for wake in rows(systems, Signal)] == ["mail"] * 3
    assert {letter.recipient for letter in rows(systems, Letter)} == {MAJU}
    assert snapshot(case).address == MAJU


def test_what_they_write_of_their_own_is_their_own(systems: Systems) -> None:
    case = with_cc(systems, text=f"Internet {LINE} mati.")
    taken = arrives(systems, ANDI, f"Internet {LINE} mati.", "Internet mati")
    assert (taken.outcome, taken.case_id != case.case_id) == ("opened", True)
    assert rows(systems, Letter)[-1].recipient == ANDI


@pytest.mark.parametrize("who", [STRANGER, "lain@maju.example", "andi@jahat.example"])
def test_who_stood_in_none_joins_nothing(who: str, systems: Systems) -> None:
    case = with_cc(systems)
    for headers in ({"In_Reply_To": first_letter(systems)}, {"References": "<cc-1@maju.example>"}):
        assert (
            arrives(systems, who, f"Masih mati? {headers}", f"Re: [{case.reference}]", **headers).case_id
            != case.case_id
        )


def test_a_stranger_who_writes_into_the_case_brings_nobody(systems: Systems) -> None:
    case = with_cc(systems)
    answers = {"In_Reply_To": first_letter(systems), "Cc": "kaki.tangan@jahat.example"}
    assert arrives(systems, ANDI, "Masih mati.", "Re: Internet mati", **answers).case_id == case.case_id
    assert {party.address for party in rows(systems, Party)} == {ANDI, JOKO}, (
        "only the customer's own mails bring people"
    )


def test_a_doubtful_mail_brings_nobody(systems: Systems) -> None:
    systems.settings.authserv_id = "mx.telkom.example"
    case = with_cc(systems, **FORGED)
    assert snapshot(case).sender_doubt
    assert rows(systems, Party) == []
    answer = arrives(systems, ANDI, "Mohon dipercepat.", f"Re: [{case.reference}]", References="<cc-1@maju.example>")
    assert answer.case_id != case.case_id


def test_who_answers_in_their_name_without_being_them_joins_nothing(systems: Systems) -> None:
    systems.settings.authserv_id = "mx.telkom.example"
    case = with_cc(systems)
    answer = arrives(
        systems, ANDI, "Tutup saja.", f"Re: [{case.reference}]", References="<cc-1@maju.example>", **FORGED
    )
    assert answer.case_id != case.case_id


def test_a_later_mail_of_the_customer_brings_people_too(systems: Systems) -> None:
    case = opened(systems)
    joined = arrives(systems, BUDI, "Masih mati.", f"Re: [{case.reference}]", Cc=f"{ANDI}, {BUDI}")
    assert joined == TakenIn("joined", case.case_id)
    assert [party.address for party in rows(systems, Party)] == [ANDI]


def test_a_mail_that_a_person_has_taken_in_brings_them(systems: Systems) -> None:
    arrives(systems, MAJU, Cc=CC, Precedence="bulk")
    assert rows(systems, Party) == []
    accept_mail(systems, 1, "Sari")
    assert {party.address for party in rows(systems, Party)} == {ANDI, JOKO}


def test_after_the_closing_their_answer_opens_a_case_of_their_own(systems: Systems) -> None:
    case = with_cc(systems)
    with systems.store.write() as session:
        finish(session, case.case_id, "closed", "informed", systems.clock.now())
    taken = arrives(systems, ANDI, "Mati lagi.", f"Re: [{case.reference}]")
    assert (taken.outcome, taken.case_id != case.case_id) == ("opened", True)


def test_a_person_that_somebody_has_added_stays_what_they_are(systems: Systems) -> None:
    case = opened(systems)
    arrives(systems, ANDI, "Saya rekan Pak Budi.", "Tanya")
    add_party(systems, case.case_id, 2, "Rina")
    arrives(systems, BUDI, "Masih mati.", f"Re: [{case.reference}]", Cc=ANDI)
    (party,) = rows(systems, Party)
    assert (party.added_by, party.copied) == ("Rina", False)


def copies_of(systems: Systems, letter: Letter) -> str:
    return str(message_from_bytes(systems.store.kept(letter.sha256), policy=policy.default)["Cc"] or "")


def test_copies_of_letters_go_to_them_only_by_the_setting(systems: Systems) -> None:
    with_cc(systems)
    assert copies_of(systems, rows(systems, Letter)[0]) == ""
    systems.settings.letters_to_cc = True
    arrives(systems, BUDI, Cc=f"Ani <ani@example.com>, {OURS}")
    last = rows(systems, Letter)[-1]
    assert (last.recipient, copies_of(systems, last)) == (BUDI, "ani@example.com")


def test_copies_of_letters_go_to_them_where_a_person_says_so(systems: Systems) -> None:
    case = with_cc(systems)
    add_party(systems, case.case_id, 1, "Rina", letters=True)
    assert {(party.address, party.letters) for party in rows(systems, Party)} == {(ANDI, True), (JOKO, True)}
    other = opened(systems)
    with pytest.raises(WrongUse, match="nobody else was in To or Cc"):
        add_party(systems, other.case_id, 2, "Rina", letters=True)
    arrives(systems, STRANGER, "Saya istri Pak Budi.", "Tanya")
    add_party(systems, other.case_id, 3, "Rina", letters=True)
    assert [(party.letters, party.copied) for party in rows(systems, Party, address=STRANGER)] == [(True, False)]
    remove_party(systems, other.case_id, 3, "Rina")
    assert rows(systems, Party, address=STRANGER) == []


def test_a_copy_that_did_not_arrive_says_nothing_of_the_customer(systems: Systems) -> None:
    systems.settings.letters_to_cc = True
    with_cc(systems)
    report = (BOUNCE % first_letter(systems).encode()).replace(BUDI.encode(), ANDI.encode())
    assert take_in(systems, received(report)).outcome == "automatic"
    assert [bounce.address for bounce in rows(systems, Bounce)] == [ANDI]
    assert (rows(systems, Outbox)[0].state, rows(systems, Signal)) == ("queued", [])
    take_in(systems, received(report.replace(ANDI.encode(), MAJU.encode()).replace(b"<bounce@", b"<other@")))
    assert rows(systems, Outbox)[0].state == "bounced"


def test_many_in_cc_are_bounded(systems: Systems) -> None:
    arrives(systems, BUDI, MATI, Cc=", ".join(f"p{number}@example.com" for number in range(100)))
    assert len(rows(systems, Party)) == 20
    assert len(rows(systems, Case)) == 1


def test_a_copy_goes_out_with_its_letter(systems: Systems) -> None:
    systems.settings.letters_to_cc = True
    taken = arrives(systems, BUDI, Cc=f"{MAJU}, nobody@nowhere.example")
    assert [deliver(systems, letter_id) for letter_id in taken.letters] == ["sent"]
    assert len(accepted(systems, BUDI)) == len(accepted(systems, MAJU)) == 1
    opened(systems, STRANGER)
    assert len(accepted(systems, MAJU)) == 1
