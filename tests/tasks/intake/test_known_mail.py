"""A duplicate is the same mail, and not the same sentence: whatever sets two mails apart, each has its outcome."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import NamedTuple

import pytest
from sqlmodel import select

from adapters.mail.body import TEXT_LIMIT
from adapters.mail.parser import parse
from adapters.wiring import Systems
from flows.receive_mail import set_going
from models.tables import Case, Message
from tasks.intake.batch import TakenIn
from tasks.run.case_run import CaseRun
from tasks.run.lifetime import finish
from tests.cases import BUDI, LINE, LINK, MATI, STRANGER, arrives, mail, opened, pending, received, rows, take_in
from tests.conftest import BOTH
from tests.runs import Played, Runs

DOWN = "Mohon segera dicek, link kami mati."
DEAD = "Internet saya mati total."
LATER = "4700001-0021497502"


class Pair(NamedTuple):
    """Two mails of one sender, one after the other: Subject and text of each; ``{}`` in a text is what differs."""

    subjects: tuple[str, str]
    texts: tuple[str, str] = (DOWN, DOWN)
    names: tuple[str, str] = ("", "")


def in_subjects(one: str, other: str) -> Pair:
    return Pair((one, other))


def in_texts(text: str, *words: str) -> Pair:
    return Pair(("Gangguan", "Gangguan"), (text.format(words[0]), text.format(words[1])))


SAME = [
    in_subjects("Internet mati", subject)
    for subject in (
        *("Internet mati", " Internet   mati ", "Re: Internet mati", "RE[2]: Internet mati", "Fwd: Internet mati"),
        *("Bls: Re: Internet mati", "TRS: Internet mati", "Kirim ulang: Internet mati", "FW：Internet mati"),
        *("[EXTERNAL] Internet mati", "Re: [EXT] Re: Internet mati", "External: Internet mati"),
    )
]
COMPARED = [
    in_subjects("Link …501 Surabaya down", "Link …502 Medan down"),
    in_subjects("Link 501 down", "Link 502 down"),
    in_subjects("Re: Link Surabaya down", "Link Medan down"),
    in_subjects("Internet mati Jl. Mawar 5", "Internet mati Jl. Melati 7"),
    in_subjects("Gangguan 29/11/2026", "Gangguan 30/11/2026"),
    in_subjects("Link A mati", "Link B mati"),
    in_subjects("Link mati", "Link mati 2"),
    in_subjects("Internet gudang mati", "Internet kantor mati"),
    in_subjects("Gangguan Senin", "Gangguan Selasa"),
    in_texts("Internet lantai {} mati total.", "tiga", "lima"),
    in_texts("Internet rumah {} mati total.", "kedua", "ketiga"),
    in_texts("Internet kantor {} mati total.", "Surabaya", "Medan"),
    in_texts("internet kantor {} mati total", "surabaya", "medan"),
    in_texts("Link {} mati, mohon dicek.", "501", "502"),
    in_texts("Internet mati total sejak tanggal {}.", "29", "30"),
    in_texts(f"Internet pelanggan {LINE} mati total, link {{}}.", "501", "502"),
    Pair((f"{LINE} Surabaya mati", f"{LINE} Medan mati")),
    Pair((f"Link {LINK} mati", f"Link {LINK} dan {LATER} mati")),
    Pair(("Link mati", "Link mati"), names=("NOC Link 501", "NOC Link 502")),
]
"""Of one topic: in doubt, an agent compares."""
APART = [
    in_subjects(f"Link {LINK} down", f"Link {LATER} down"),
    in_subjects("122345678911", "122345678912"),
    in_texts("Internet {} mati total.", "122345678911", "122345678912"),
]
"""Of two lines."""
FOLLOWING = [
    Pair(("Internet mati", "Lagi"), (DEAD, "Internet masih mati sampai sekarang, tolong segera diperbaiki.")),
    Pair((f"Link {LINK} mati", f"Re: Link {LINK} mati"), (DOWN, "Belum ada kabar, masih mati.")),
    Pair(("Link 501 Surabaya mati", "Link 501 Surabaya mati"), (DOWN, "Masih mati, mohon dicek.")),
    Pair(("Internet mati", "Internet mati"), (DEAD, f"{DEAD} Terima kasih, Budi."), names=("Budi", "Budi")),
]
"""Which say nothing that is not known."""


def come(systems: Systems, number: int, pair: Pair) -> tuple[str, str, Case | None]:
    """Both of them come; the second one's outcome, its reason, and the case that it is perhaps of."""
    address = f"pelanggan{number}@example.com"
    for subject, text, name in zip(*pair, strict=True):
        taken = arrives(systems, f"{name} <{address}>", text, subject)
    with systems.store.read() as session:
        case = session.get(Case, taken.case_id) if taken.outcome == "opened" else None
        perhaps = session.get(Case, case.perhaps_id) if case and case.perhaps_id else None
    return taken.outcome, rows(systems, Message)[-1].reason, perhaps


@pytest.mark.parametrize("systems", BOTH, indirect=True)
def test_what_sets_two_mails_apart_makes_two_of_them(systems: Systems) -> None:
    wrong = []
    kinds = [("duplicate", SAME), ("compared", COMPARED), ("opened", APART), ("joined", FOLLOWING)]
    for number, (wanted, pair) in enumerate((kind, pair) for kind, pairs in kinds for pair in pairs):
        outcome, reason, perhaps = come(systems, number, pair)
        found = "compared" if perhaps and perhaps.address == f"pelanggan{number}@example.com" else outcome
        if found != wanted:
            wrong.append((wanted, found, reason, pair))
    assert wrong == []


def attached(name: str) -> bytes:
    message = message_from_bytes(mail(BUDI, DEAD), policy=policy.default)
    assert isinstance(message, EmailMessage)
    message.add_attachment(b"%PDF-1.4", "application", "pdf", filename=name)
    return message.as_bytes()


def alternatives(words: str) -> bytes:
    message = message_from_bytes(mail(BUDI, "Lihat di bawah."), policy=policy.default)
    assert isinstance(message, EmailMessage)
    message.add_alternative(f"<p>Link {words} mati</p>", subtype="html")
    return message.as_bytes()


def long(words: str) -> bytes:
    return mail(BUDI, "mati " * (TEXT_LIMIT // 5) + words)


def answering(letter: str) -> bytes:
    return mail(BUDI, "Ya, benar.", "Re: Gangguan", In_Reply_To=f"<{letter}@telkom.example>")


def addressed(detail: str) -> bytes:
    return mail(BUDI, DEAD, To=f"layanan+{detail}@telkom.example")


@pytest.mark.parametrize("make", [attached, alternatives, long, answering, addressed])
def test_content_tells_apart_what_differs_out_of_sight(make: Callable[[str], bytes]) -> None:
    assert parse(make("501")).content == parse(make("501")).content or make is long
    assert parse(make("501")).content != parse(make("502")).content


@pytest.mark.parametrize("subject", ["Link 502 mati", "Link 501 Medan mati"])
def test_one_message_id_for_all_mails_of_a_program_makes_none_a_duplicate(subject: str, systems: Systems) -> None:
    broken = {"Message_ID": "<1@broken.example>"}
    assert arrives(systems, BUDI, DOWN, "Link 501 mati", **broken).outcome == "opened"
    assert arrives(systems, BUDI, DOWN, subject, **broken).outcome == "opened"
    assert arrives(systems, BUDI, DOWN, "Link 501 mati", **broken) == TakenIn("duplicate", 1)


def test_the_bytes_of_a_mail_are_known_whatever_was_kept_of_its_content(systems: Systems) -> None:
    """As of one that an earlier version took in."""
    raw = mail(BUDI)
    take_in(systems, received(raw))
    with systems.store.write() as session:
        session.exec(select(Message)).one().content = "as another version wrote it"
    assert take_in(systems, received(raw)) == TakenIn("duplicate", 1)


def on_its_way(raw: bytes, by: str) -> bytes:
    """The same mail as another server hands it over."""
    return f"Received: from {by}\n".encode() + raw


@pytest.mark.parametrize("systems", BOTH, indirect=True)
def test_a_copy_of_a_mail_whose_case_is_closed_is_news_where_it_came_after_the_end(systems: Systems) -> None:
    now = systems.clock.now()
    systems.settings.clock = "system"  # whose mail servers tell a time that is believed
    raw = mail(BUDI)
    case = CaseRun.open(take_in(systems, received(raw)).case_id or 0, systems)
    early = replace(received(on_its_way(raw, "slow.example")), arrived_at=now)
    systems.clock.advance(1)  # type: ignore[attr-defined]
    with systems.store.write() as session:
        finish(session, case.case_id, "closed", "unanswered", systems.clock.now())
    assert take_in(systems, early) == TakenIn("duplicate", case.case_id), "it lay in another mailbox meanwhile"
    late = replace(received(on_its_way(raw, "redirect.example")), arrived_at=now + timedelta(hours=2))
    systems.clock.advance(2)  # type: ignore[attr-defined]
    taken = take_in(systems, late)
    assert (taken.outcome, len(taken.letters)) == ("opened", 1)
    assert take_in(systems, received(raw)) == TakenIn("duplicate", 2), "the same bytes are no news"


def test_who_sends_a_mail_again_answers_what_we_ask(runs: Runs) -> None:
    """Else the case would be closed as unanswered, though the customer wrote."""
    played = Played(runs, STRANGER, DEAD, "Internet mati")
    # the rehearsal's mail server knows no such address
    played.comes_to("Unreachable")
    played.decides("Unreachable", choice="TOLD", note="Ditelepon")
    played.comes_to("CustomerAnswer")
    copy = on_its_way(runs.systems.store.kept(rows(runs.systems, Message)[0].sha256), "mx.example")
    assert take_in(runs.systems, received(copy)) == TakenIn("duplicate", played.case.case_id)
    assert pending(played.case) == [], "a copy says nothing"
    again = arrives(runs.systems, STRANGER, DEAD, "Re: Internet mati")
    assert again == TakenIn("duplicate", played.case.case_id)
    assert rows(runs.systems, Message)[-1].reasons == [["sent_again", "1"]]
    assert pending(played.case) == ["mail"]
    set_going(runs.systems, [again])
    assert "Ask the customer" in played.comes_to("Unreachable")
    assert played.path.count(1) == 2


def test_the_agent_sees_that_the_customer_sent_it_again(runs: Runs) -> None:
    played = Played(runs, BUDI, "Halo, mohon bantuannya ya.", "Tagihan")
    assert "Sent again" not in played.comes_to("ConfirmAnalysis")
    taken = arrives(runs.systems, BUDI, "Halo, mohon bantuannya ya.", "Re: Tagihan")
    set_going(runs.systems, [taken])
    assert taken.outcome == "duplicate"
    wait = runs.wait(played.case)
    assert wait is not None
    assert "Dikirim lagi oleh pelanggan / Sent again by the customer" in wait.description
    assert pending(played.case) == []


def test_who_sends_a_mail_again_is_answered_in_the_case_that_goes_on(systems: Systems) -> None:
    first, other = opened(systems, BUDI, MATI), opened(systems, BUDI, "Berapa harga paket 50 Mbps?", "Harga")
    with systems.store.write() as session:
        session.get_one(Case, first.case_id).status = "merged"
        session.get_one(Case, first.case_id).merged_into = other.case_id
    assert arrives(systems, BUDI, MATI) == TakenIn("duplicate", other.case_id)
