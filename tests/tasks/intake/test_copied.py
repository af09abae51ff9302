"""Who stood in Cc of the customer's mail: their answers belong to the case, and letters go to them only if told so."""

from email import message_from_bytes, policy

import pytest
from sqlmodel import select

from adapters.wiring import Systems
from models.errors import WrongUse
from models.tables import Bounce, Case, Letter, Outbox, Party, Signal
from tasks.intake.accept_mail import accept_mail
from tasks.intake.batch import TakenIn, take_in
from tasks.run.case_run import CaseRun
from tasks.run.lifetime import finish
from tasks.run.send_letter import deliver
from tasks.upkeep.merge_case import add_party, remove_party
from tests.cases import BUDI, LINE, MAJU, MATI, OURS, STRANGER, accepted, arrives, opened, received, rows, snapshot
from tests.tasks.intake.test_batch import BOUNCE

ANDI, JOKO = "andi@maju.example", "joko@maju.example"
CC = f"Andi Manager <{ANDI}>, Joko <JOKO@maju.example>, {OURS}"
FORGED = {"Authentication_Results": "mx.telkom.example; dmarc=fail header.from=maju.example"}


def with_cc(wired: Systems, **headers: str) -> CaseRun:
    taken = arrives(wired, MAJU, Cc=CC, Message_ID="<cc-1@maju.example>", **headers)
    assert taken.outcome == "opened"
    return CaseRun.open(taken.case_id or 0, wired)


def first_letter(wired: Systems, case_id: int = 1) -> str:
    with wired.store.read() as session:
        return session.exec(select(Letter.message_id).where(Letter.case_id == case_id)).first() or ""


def test_who_stood_in_cc_joins_the_case_by_answering_it(wired: Systems) -> None:
    case = with_cc(wired)
    assert {(party.address, party.copied, party.letters) for party in rows(wired, Party)} == {
        (ANDI, True, False),
        (JOKO, True, False),
    }
    answers = [
        ("Mohon dipercepat.", "Re: Internet mati", {"In_Reply_To": first_letter(wired)}),
        ("Kapan selesai?", "Re: Internet mati", {"References": "<cc-1@maju.example>"}),
        ("Masih mati.", f"Re: [{case.reference}]", {}),
    ]
    for text, subject, headers in answers:
        assert arrives(wired, ANDI, text, subject, **headers) == TakenIn("joined", case.case_id)
    assert [wake.kind for wake in rows(wired, Signal)] == ["mail"] * 3
    assert {letter.recipient for letter in rows(wired, Letter)} == {MAJU}
    assert snapshot(case).address == MAJU


def test_what_they_write_of_their_own_is_their_own(wired: Systems) -> None:
    case = with_cc(wired, text=f"Internet {LINE} mati.")
    taken = arrives(wired, ANDI, f"Internet {LINE} mati.", "Internet mati")
    assert (taken.outcome, taken.case_id != case.case_id) == ("opened", True)
    assert rows(wired, Letter)[-1].recipient == ANDI


@pytest.mark.parametrize("who", [STRANGER, "lain@maju.example", "andi@jahat.example"])
def test_who_stood_in_none_joins_nothing(who: str, wired: Systems) -> None:
    case = with_cc(wired)
    for headers in ({"In_Reply_To": first_letter(wired)}, {"References": "<cc-1@maju.example>"}):
        assert (
            arrives(wired, who, f"Masih mati? {headers}", f"Re: [{case.reference}]", **headers).case_id != case.case_id
        )


def test_a_stranger_who_writes_into_the_case_brings_nobody(wired: Systems) -> None:
    case = with_cc(wired)
    answers = {"In_Reply_To": first_letter(wired), "Cc": "kaki.tangan@jahat.example"}
    assert arrives(wired, ANDI, "Masih mati.", "Re: Internet mati", **answers).case_id == case.case_id
    assert {party.address for party in rows(wired, Party)} == {ANDI, JOKO}, "only the customer's own mails bring people"


def test_a_doubtful_mail_brings_nobody(wired: Systems) -> None:
    wired.settings.authserv_id = "mx.telkom.example"
    case = with_cc(wired, **FORGED)
    assert snapshot(case).sender_doubt
    assert rows(wired, Party) == []
    answer = arrives(wired, ANDI, "Mohon dipercepat.", f"Re: [{case.reference}]", References="<cc-1@maju.example>")
    assert answer.case_id != case.case_id


def test_who_answers_in_their_name_without_being_them_joins_nothing(wired: Systems) -> None:
    wired.settings.authserv_id = "mx.telkom.example"
    case = with_cc(wired)
    answer = arrives(wired, ANDI, "Tutup saja.", f"Re: [{case.reference}]", References="<cc-1@maju.example>", **FORGED)
    assert answer.case_id != case.case_id


def test_a_later_mail_of_the_customer_brings_people_too(wired: Systems) -> None:
    case = opened(wired)
    joined = arrives(wired, BUDI, "Masih mati.", f"Re: [{case.reference}]", Cc=f"{ANDI}, {BUDI}")
    assert joined == TakenIn("joined", case.case_id)
    assert [party.address for party in rows(wired, Party)] == [ANDI]


def test_a_mail_that_a_person_has_taken_in_brings_them(wired: Systems) -> None:
    arrives(wired, MAJU, Cc=CC, Precedence="bulk")
    assert rows(wired, Party) == []
    accept_mail(wired, 1, "Sari")
    assert {party.address for party in rows(wired, Party)} == {ANDI, JOKO}


def test_after_the_closing_their_answer_opens_a_case_of_their_own(wired: Systems) -> None:
    case = with_cc(wired)
    with wired.store.write() as session:
        finish(session, case.case_id, "closed", "informed", wired.clock.now())
    taken = arrives(wired, ANDI, "Mati lagi.", f"Re: [{case.reference}]")
    assert (taken.outcome, taken.case_id != case.case_id) == ("opened", True)


def test_a_person_that_somebody_has_added_stays_what_they_are(wired: Systems) -> None:
    case = opened(wired)
    arrives(wired, ANDI, "Saya rekan Pak Budi.", "Tanya")
    add_party(wired, case.case_id, 2, "Rina")
    arrives(wired, BUDI, "Masih mati.", f"Re: [{case.reference}]", Cc=ANDI)
    (party,) = rows(wired, Party)
    assert (party.added_by, party.copied) == ("Rina", False)


def copies_of(wired: Systems, letter: Letter) -> str:
    return str(message_from_bytes(wired.store.kept(letter.sha256), policy=policy.default)["Cc"] or "")


def test_copies_of_letters_go_to_them_only_by_the_setting(wired: Systems) -> None:
    with_cc(wired)
    assert copies_of(wired, rows(wired, Letter)[0]) == ""
    wired.settings.letters_to_cc = True
    arrives(wired, BUDI, Cc=f"Ani <ani@example.com>, {OURS}")
    last = rows(wired, Letter)[-1]
    assert (last.recipient, copies_of(wired, last)) == (BUDI, "ani@example.com")


def test_copies_of_letters_go_to_them_where_a_person_says_so(wired: Systems) -> None:
    case = with_cc(wired)
    add_party(wired, case.case_id, 1, "Rina", letters=True)
    assert {(party.address, party.letters) for party in rows(wired, Party)} == {(ANDI, True), (JOKO, True)}
    other = opened(wired)
    with pytest.raises(WrongUse, match="nobody else was in To or Cc"):
        add_party(wired, other.case_id, 2, "Rina", letters=True)
    arrives(wired, STRANGER, "Saya istri Pak Budi.", "Tanya")
    add_party(wired, other.case_id, 3, "Rina", letters=True)
    assert [(party.letters, party.copied) for party in rows(wired, Party, address=STRANGER)] == [(True, False)]
    remove_party(wired, other.case_id, 3, "Rina")
    assert rows(wired, Party, address=STRANGER) == []


def test_a_copy_that_did_not_arrive_says_nothing_of_the_customer(wired: Systems) -> None:
    wired.settings.letters_to_cc = True
    with_cc(wired)
    report = (BOUNCE % first_letter(wired).encode()).replace(BUDI.encode(), ANDI.encode())
    assert take_in(wired, received(report)).outcome == "automatic"
    assert [bounce.address for bounce in rows(wired, Bounce)] == [ANDI]
    assert (rows(wired, Outbox)[0].state, rows(wired, Signal)) == ("queued", [])
    take_in(wired, received(report.replace(ANDI.encode(), MAJU.encode()).replace(b"<bounce@", b"<other@")))
    assert rows(wired, Outbox)[0].state == "bounced"


def test_many_in_cc_are_bounded(wired: Systems) -> None:
    arrives(wired, BUDI, MATI, Cc=", ".join(f"p{number}@example.com" for number in range(100)))
    assert len(rows(wired, Party)) == 20
    assert len(rows(wired, Case)) == 1


def test_a_copy_goes_out_with_its_letter(wired: Systems) -> None:
    wired.settings.letters_to_cc = True
    taken = arrives(wired, BUDI, Cc=f"{MAJU}, nobody@nowhere.example")
    assert [deliver(wired, letter_id) for letter_id in taken.letters] == ["sent"]
    assert len(accepted(wired, BUDI)) == len(accepted(wired, MAJU)) == 1
    opened(wired, STRANGER)
    assert len(accepted(wired, MAJU)) == 1
