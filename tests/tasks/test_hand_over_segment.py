"""SOP W-89: another desk serves this customer."""

from collections.abc import Iterable
from email import message_from_bytes, policy
from pathlib import Path

import pytest

from adapters.wiring import Systems
from models.facts import Segment
from models.tables import Case, Letter, Message, Signal
from tasks.closing import closing
from tasks.hand_over_segment import hand_over_segment
from tasks.inform_status import inform_status
from tasks.intake.batch import TakenIn, take_in_batch
from tasks.run.case_run import CaseRun
from tasks.run.send_letter import deliver
from tests.cases import (
    BANK,
    BUDI,
    DESK,
    OURS,
    STRANGER,
    StandingClock,
    accepted,
    arrives,
    deadlines,
    do_now,
    done,
    fault,
    latest,
    letter,
    mail,
    need,
    opened,
    post,
    received,
    rows,
    snapshot,
    take_in,
    text,
    ticket,
)
from tests.conftest import BOTH
from tests.fakes import with_methods
from tests.runs import Played, Runs
from tests.tasks.intake.test_batch import BOUNCE

BANKS = {"customer_id": "C-5", "segment": Segment.ENTERPRISE, "ours": False}


def test_the_customer_is_told_the_desk_and_the_mails_outcome_is_this(systems: Systems) -> None:
    case = opened(systems, BANK)
    assert done(hand_over_segment, case, need(**BANKS)).desk == "Enterprise Care"
    assert "enterprise.care@telkom.example" in text(case, "hand_over_segment")
    (mail,) = rows(systems, Message)
    assert (mail.outcome, mail.reasons) == ("other_segment", [["other_segment", "DES: Enterprise Care"]])
    assert mail.case_id == case.case_id


def test_the_desk_gets_the_customers_mails_as_they_came(systems: Systems) -> None:
    first = mail(f"Bank <{BANK}>", "Link kami mati – tolong.\n.\nTerima kasih.", "Link mati", X_Odd="  dua  spasi ")
    first = first.replace(b"\n", b"\r\n")
    assert not first.isascii()
    take_in(systems, received(first))
    case = CaseRun.open(1, systems)
    second = mail(BANK, "Sudah ada kabar?", f"Re: [{case.reference}]").replace(b"\n", b"\r\n")
    assert take_in(systems, received(second)).outcome == "joined"
    assert take_in(systems, received(first)).outcome == "duplicate"
    done(hand_over_segment, case, need(**BANKS))

    for row in rows(systems, Letter):
        assert deliver(systems, row.id or 0) == "sent"
    (went,) = accepted(systems, DESK)
    assert went == letter(case, "hand_over_segment_to_desk")["Message-ID"]
    assert went.startswith("<jkt-0000001.hand_over_segment_to_desk.1.")
    (box,) = (systems.settings.home.parent / "simulator" / "mail").glob("00002.eml")
    raw = box.read_bytes()
    said = message_from_bytes(raw, policy=policy.default)
    assert said["From"].addresses[0].addr_spec == OURS
    assert str(said["To"]) == f"Enterprise Care <{DESK}>"
    assert said["Auto-Submitted"] == "auto-generated"
    assert said["Content-Transfer-Encoding"] == "8bit"
    assert not {"Reply-To", "In-Reply-To", "References"} & set(said.keys())
    kinds = [part.get_content_type() for part in said.iter_parts()]
    assert kinds == ["multipart/alternative", "message/rfc822", "message/rfc822"]
    between = f"--{said.get_boundary()}".encode()
    parts = [part.removesuffix(b"\r\n").partition(b"\r\n\r\n")[2] for part in raw.split(between)[2:-1]]
    assert parts == [first, second]
    words = text(case, "hand_over_segment_to_desk")
    assert words.startswith("Yth. Tim Enterprise Care,")
    assert all(word in words for word in (BANK, "DES", case.reference))


def test_a_mail_that_smtp_cannot_carry_goes_encoded(systems: Systems) -> None:
    case = opened(systems, BANK)
    odd = [mail(BANK).replace(b"\n", b"\r\n") + end for end in (b"baris\nlain", b"\r\n" + b"x" * 999, b"\0nol")]
    for raw in odd:
        assert take_in(systems, received(raw)).outcome == "joined"
    done(hand_over_segment, case, need(**BANKS))
    attached = [part.get_content() for part in letter(case, "hand_over_segment_to_desk").iter_attachments()]
    assert attached[1:] == odd
    assert b"\n" not in systems.store.kept(rows(systems, Letter)[-1].sha256).replace(b"\r\n", b"")


def test_no_answer_of_the_desk_is_a_customers(systems: Systems) -> None:
    case = opened(systems, BANK)
    done(hand_over_segment, case, need(**BANKS))
    ours = letter(case, "hand_over_segment_to_desk")["Message-ID"]
    for sender in (DESK.upper(), "siti@telkom.example"):
        assert arrives(systems, sender, "Sudah kami terima.", "Re: Link", In_Reply_To=ours) == TakenIn("automatic", 1)
    assert arrives(systems, DESK, "Mohon info.", f"[{case.reference}]") == TakenIn("automatic")
    assert {row.reasons[0][0] for row in rows(systems, Message)[1:]} == {"desk"}
    assert (len(rows(systems, Case)), rows(systems, Signal)) == (1, [])
    # and no letter to the customer answers the desk
    done(inform_status, case, ticket(case))
    assert letter(case, "inform_status")["In-Reply-To"] == rows(systems, Message)[0].message_id
    # the customer, to whom the desk has passed the letter on, is still one
    assert arrives(systems, BANK, "Masih mati.", "Re: Link", In_Reply_To=ours) == TakenIn("joined", 1)


def test_a_bounce_of_the_desk_is_shown_with_the_case(systems: Systems) -> None:
    case = opened(systems, BANK)
    done(hand_over_segment, case, need(**BANKS))
    went = rows(systems, Letter, kind="hand_over_segment_to_desk")[0]
    report = BOUNCE.partition(b"--b\nContent-Type: text/rfc822-headers")[0]
    raw = report + b"--b\nContent-Type: message/rfc822\n\n" + systems.store.kept(went.sha256) + b"\n--b--\n"
    assert take_in(systems, received(raw)) == TakenIn("automatic", 1)
    assert rows(systems, Message)[-1].automatic == "bounce"


def test_a_bounce_names_a_desk_however_the_settings_write_its_address(systems: Systems) -> None:
    systems.settings.policy.segment_desks = {"DES": f"Enterprise Care <{DESK.title()}>"}
    done(hand_over_segment, opened(systems, BANK), need(**BANKS))
    subject = rows(systems, Letter, kind="hand_over_segment_to_desk")[0].subject
    report = f"From: MAILER-DAEMON@mx.example\nSubject: Undeliverable: {subject}\n\n<{DESK.title()}>: no such user\n"
    assert take_in(systems, received(report.encode())) == TakenIn("automatic", 1)


@pytest.mark.parametrize("desk", ["Bank", "Bank <bank>"])
def test_a_desk_without_a_usable_address_is_a_missing_fact(systems: Systems, desk: str) -> None:
    systems.settings.policy.segment_desks = {"DES": desk}
    case = opened(systems, BANK)
    do_now(hand_over_segment, case, need(**BANKS))
    record = latest(case, "hand_over_segment")
    assert (record.state, record.output["fact"]) == ("failed", "segment_desk")
    assert [row.kind for row in rows(systems, Letter)] == ["first_response"]


def test_a_segment_without_a_desk_is_a_missing_fact(systems: Systems) -> None:
    systems.settings.policy.segment_desks = {"DGS": "Government Care <government.care@telkom.example>"}
    case = opened(systems, BANK)
    do_now(hand_over_segment, case, need(**BANKS))
    record = latest(case, "hand_over_segment")
    assert (record.state, record.output["fact"]) == ("failed", "segment_desk")
    assert rows(systems, Message)[0].outcome == "opened"


def test_a_desk_may_get_more_letters_a_day_than_a_customer(systems: Systems) -> None:
    systems.settings.limits.letters_a_day = 3
    senders = [f"bagian{number}@bank.example" for number in range(5)]
    for number, sender in enumerate(senders):
        done(hand_over_segment, opened(systems, sender, f"Link cabang {number} mati.", f"Link {number}"), need(**BANKS))
    assert len(rows(systems, Letter, recipient=DESK)) == 5


def kinds(systems: Systems, recipient: str) -> list[str]:
    return [one.kind for one in rows(systems, Letter, recipient=recipient)]


@pytest.mark.parametrize("systems", BOTH, indirect=True)
def test_the_customer_gets_one_letter_and_at_once(systems: Systems) -> None:
    case = opened(systems, BANK)
    assert kinds(systems, BANK) == ["hand_over_segment"], "before any run of the engine"
    told = text(case, "hand_over_segment")
    assert all(word in told for word in (case.reference, "kami terima pada", DESK, "Enterprise Care"))
    handed = done(hand_over_segment, case, need(**BANKS))
    assert handed.letter == rows(systems, Letter)[0].message_id
    assert done(closing, case, handed_over=True).letter == ""
    assert (kinds(systems, BANK), kinds(systems, DESK)) == (["hand_over_segment"], ["hand_over_segment_to_desk"])
    assert deadlines(case).keys() == {"closing"}


def test_where_siska_is_away_the_first_response_does_not_wait(systems: Systems) -> None:
    fault(systems, "siska", "down", 3)
    senders = [BANK, "bagian@bank.example"]
    taken = take_in_batch(systems, [received(mail(sender, f"Link {sender} mati.", sender)) for sender in senders])
    assert [one.outcome for one in taken.values()] == ["opened", "opened"]
    assert [one.kind for one in rows(systems, Letter)] == ["first_response", "first_response"]
    case = CaseRun.open(1, systems)
    done(hand_over_segment, case, need(**BANKS))
    done(closing, case, handed_over=True)
    assert kinds(systems, BANK) == ["first_response", "hand_over_segment"], "one more, and none that contradicts it"


def test_a_siska_that_is_slow_is_asked_for_few_of_a_batch(systems: Systems, tmp_path: Path) -> None:
    systems.machine_clock = clock = StandingClock(tmp_path / "machine")
    asked: list[str] = []

    def slow(address: str, lines: Iterable[str] = ()) -> None:
        asked.append(address)
        clock.advance(6 / 3600)

    systems.siska = with_methods(systems.siska, customer_by_address=slow)
    senders = [f"pelanggan{number}@example.com" for number in range(5)]
    take_in_batch(systems, [received(mail(sender, f"Internet {sender} mati.", sender)) for sender in senders])
    assert asked == senders[:2]
    assert [one.kind for one in rows(systems, Letter)] == ["first_response"] * 5


def test_our_own_customers_and_strangers_get_the_first_response(systems: Systems) -> None:
    for sender in (BUDI, STRANGER):
        opened(systems, sender)
        assert kinds(systems, sender) == ["first_response"]


@pytest.mark.parametrize("answer", ["Terima kasih.", "Masih mati, tolong segera.", "Nomornya 122345678905."])
def test_what_the_customer_answers_goes_to_the_desk_and_gets_no_letter(answer: str, runs: Runs) -> None:
    played = Played(runs, BANK, "Internet kantor kami 122345678905 mati total.", "Link mati")
    assert "answers" in played.comes_to("ClosingPeriod")
    played.mail(answer)
    played.comes_to("ClosingPeriod")
    assert kinds(runs.systems, BANK) == ["hand_over_segment"]
    assert kinds(runs.systems, DESK) == ["hand_over_segment_to_desk"] * 2
    forwarded = letter(played.case, "hand_over_segment_to_desk")
    (attached,) = [part.get_content() for part in forwarded.iter_attachments()]
    assert answer in str(attached)
    assert {row.outcome for row in rows(runs.systems, Message)} == {"other_segment"}
    post(runs.systems)
    played.time_passes(48.1)
    assert played.goes_on() == "Completed"
    assert played.path == [1, 12]
    assert (snapshot(played.case).outcome, kinds(runs.systems, BANK)) == ("other segment", ["hand_over_segment"])


def test_a_mail_that_is_not_sure_asks_no_agent_but_the_desk(runs: Runs) -> None:
    played = Played(runs, BANK, "Halo, mohon bantuannya ya.", "Halo")
    played.comes_to("ClosingPeriod")
    assert kinds(runs.systems, DESK) == ["hand_over_segment_to_desk"]
