"""Corrections of 5.3: merge, split, parties, each undone; and mails that find their way afterwards."""

import re
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from sqlalchemy import update
from sqlmodel import Session, col

from adapters.wiring import Systems
from flows.handle_case import handle_case
from models.audit import AuditRow
from models.errors import NotWaiting, Unavailable, WrongUse
from models.tables import ActivityRecord, Case, Letter, Message, Party, TicketRow
from tasks.find_case import Match, find_case
from tasks.intake.batch import TakenIn
from tasks.run.case_run import CaseRun
from tasks.run.lifetime import finish
from tasks.run.resume import show_news
from tasks.run.start_case import cases_without_run
from tasks.run.undelivered import undelivered
from tasks.upkeep.merge_case import add_party, merge, merge_rows, remove_party, split, unmerge
from tasks.upkeep.monitor import deliver_signals, follow_tickets
from tests.cases import (
    BUDI,
    LINE,
    MAJU,
    PRICE,
    STRANGER,
    arrives,
    change_ticket,
    deadlines,
    keep_signal,
    opened,
    pending,
    received,
    rows,
    snapshot,
    take_in,
    told,
)
from tests.fakes import fake, with_methods
from tests.runs import Played, Runs
from tests.tasks.intake.test_batch import BOUNCE

SLOW = f"Internet {LINE} saya lambat sekali sejak kemarin sore, tolong diperiksa."


@pytest.fixture
def two(runs: Runs) -> tuple[Played, Played]:
    """Two cases of Budi's: one waits for the agent, one for the customer."""
    first = Played(runs, BUDI, SLOW, "Internet lambat")
    first.comes_to("ApproveSolution")
    second = Played(runs, BUDI, PRICE, "Harga paket")
    second.comes_to("ClosingPeriod")
    return first, second


def writes(systems: Systems, case: CaseRun, text: str) -> int | None:
    return arrives(systems, BUDI, text, f"Re: [{case.reference}]").case_id


def test_one_ends_as_merged_and_later_mails_to_either_reach_the_other(two: tuple[Played, Played]) -> None:
    first, second = two
    systems = first.runs.systems
    merge(systems, second.case.case_id, first.case.case_id, "Rina")
    ended = second.runs.go(handle_case, second.run)
    assert (ended.name, ended.result()) == ("Completed", "merged")
    row = snapshot(second.case)
    assert (row.status, row.outcome, row.merged_into) == ("merged", "merged", first.case.case_id)
    assert deadlines(second.case) == {}
    description = first.comes_to("ApproveSolution")
    assert "Berapa harga paket" in description, "the other's mail is read where the case goes on"
    for number, case in enumerate((first.case, second.case)):
        assert writes(systems, case, f"Tambahan {number}") == first.case.case_id
    assert first.runs.wait(second.case) is None
    assert 11 in second.path, "its history stays"


def test_who_decides_where_the_case_goes_on_reads_the_other_ones_mail(runs: Runs) -> None:
    first = Played(runs, BUDI, "Selamat siang. Demikian dari kami.", "Halo")
    first.comes_to("ConfirmAnalysis")
    second = Played(runs, MAJU, PRICE, "Harga paket")
    second.comes_to("ClosingPeriod")
    merge(runs.systems, second.case.case_id, first.case.case_id, "Rina")
    wait = runs.wait(first.case)
    assert wait is not None
    assert "Berapa harga paket" in wait.description
    assert "from noc\\@maju\\.example, " in wait.description, "it is none of the customer whom the letters go to"


def test_a_mail_that_comes_while_its_case_is_merged_reaches_the_one(
    systems: Systems, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = opened(systems), opened(systems, BUDI, PRICE, "Harga paket")

    def found(session: Session, *args: Any, **kwargs: Any) -> Match:
        match = find_case(session, *args, **kwargs)
        merge_rows(session, systems, first.case_id, second.case_id, "Rina")
        session.flush()
        return match

    monkeypatch.setattr("tasks.intake.place_mail.find_case", found)
    taken = arrives(systems, BUDI, "Masih mati, tolong.", f"Re: [{first.reference}]")
    assert taken == TakenIn("joined", second.case_id)


def test_a_merger_is_taken_back(two: tuple[Played, Played]) -> None:
    first, second = two
    systems = first.runs.systems
    merge(systems, second.case.case_id, first.case.case_id, "Rina")
    second.runs.go(handle_case, second.run)
    unmerge(systems, second.case.case_id, "Rina")
    second.comes_to("ClosingPeriod")
    assert (snapshot(second.case).status, list(deadlines(second.case))) == ("open", ["closing"])
    assert pending(first.case) == []
    path = second.path
    second.mail("Terima kasih banyak infonya.")
    second.comes_to("ClosingPeriod")
    assert second.path == [*path, 1], "nothing is done again"
    with pytest.raises(WrongUse, match="is not merged"):
        unmerge(systems, second.case.case_id, "Rina")


def test_to_undo_a_merger_again_mends_what_was_cut_off(two: tuple[Played, Played]) -> None:
    first, second = two
    systems = first.runs.systems

    def away(*_: object) -> None:
        raise Unavailable("Prefect", "ConnectError")

    with fake(systems, "engine", restart=away):
        for correct in (partial(merge, into_id=first.case.case_id), unmerge):
            with pytest.raises(Unavailable):
                correct(systems, second.case.case_id, by="Rina")
    unmerge(systems, second.case.case_id, "Rina")
    second.comes_to("ClosingPeriod")
    assert len(rows(systems, ActivityRecord, case_id=second.case.case_id, name="unmerged")) == 1


def test_new_mails_of_whoever_opened_the_merged_case_reach_the_one(systems: Systems) -> None:
    ours, theirs = opened(systems, MAJU, SLOW), opened(systems, STRANGER, SLOW)
    with systems.store.write() as session:
        merge_rows(session, systems, theirs.case_id, ours.case_id, "Rina")
    again = f"Nomor {LINE} masih lambat sekali, mohon segera diperiksa."
    assert arrives(systems, STRANGER, again, "Masih lambat") == TakenIn("joined", ours.case_id)


def test_whoever_wrote_in_one_of_two_merged_cases_names_either(systems: Systems) -> None:
    ours, theirs = opened(systems, MAJU, SLOW), opened(systems, STRANGER, SLOW)
    arrives(systems, BUDI, "Saya teknisinya.", f"[{theirs.reference}]")
    add_party(systems, theirs.case_id, rows(systems, Message)[-1].id or 0, "Rina")
    with systems.store.write() as session:
        merge_rows(session, systems, theirs.case_id, ours.case_id, "Rina")
    for sender in (MAJU, STRANGER, BUDI):
        for case in (ours, theirs):
            taken = arrives(systems, sender, f"Ini fotonya, {case.reference}.", f"Re: [{case.reference}]")
            assert taken == TakenIn("joined", ours.case_id), (sender, case.reference)
    with systems.store.write() as session:
        session.execute(update(Case).where(col(Case.id) == theirs.case_id).values(status="open", merged_into=None))
    assert arrives(systems, STRANGER, "Ini juga.", f"Re: [{ours.reference}]").case_id != ours.case_id


def test_what_nobody_has_read_yet_goes_back_with_its_case(two: tuple[Played, Played]) -> None:
    first, second = two
    systems = first.runs.systems
    writes(systems, second.case, "Masih ada satu pertanyaan lagi, mohon dibantu.")
    unread = pending(second.case)
    merge(systems, second.case.case_id, first.case.case_id, "Rina")
    assert writes(systems, second.case, "Dan satu lagi.") == first.case.case_id
    unmerge(systems, second.case.case_id, "Rina")
    assert pending(second.case) == unread != []
    assert len(pending(first.case)) == 1, "what came since stays where it is"


def test_what_cannot_be_merged(two: tuple[Played, Played]) -> None:
    first, second = two
    systems = first.runs.systems
    with pytest.raises(WrongUse, match="cannot be merged into itself"):
        merge(systems, first.case.case_id, first.case.case_id, "Rina")
    busy = opened(systems, STRANGER)
    with pytest.raises(NotWaiting, match="is running"):
        merge(systems, busy.case_id, first.case.case_id, "Rina")
    with systems.store.write() as session:
        session.execute(update(Case).where(Case.id == second.case.case_id).values(status="closed"))  # type: ignore[arg-type]
    with pytest.raises(WrongUse, match=r"\(closed\)"):
        merge(systems, first.case.case_id, second.case.case_id, "Rina")


def test_a_merger_that_was_cut_off_is_mended_by_repeating_it(two: tuple[Played, Played]) -> None:
    first, second = two
    systems = first.runs.systems
    with fake(systems, "engine", restart=_dies), pytest.raises(KeyboardInterrupt):
        merge(systems, second.case.case_id, first.case.case_id, "Rina")
    merge(systems, second.case.case_id, first.case.case_id, "Rina")
    assert second.goes_on() == "Completed"
    assert len([one for one in rows(systems, Message) if one.case_id == second.case.case_id]) == 1


def _dies(*_: object) -> None:
    raise KeyboardInterrupt


def starts_no_run(case_id: int, reference: str, after: str = "") -> str:
    return f"run of {case_id}"


def test_a_mail_gets_a_case_of_its_own(two: tuple[Played, Played]) -> None:
    first, _ = two
    systems = first.runs.systems
    first.mail("Oh ya, bagaimana cara pasang baru di rumah ibu saya?")
    mail = rows(systems, Message)[-1].id or 0
    systems.engine = with_methods(systems.engine, start_case=starts_no_run)
    new = split(systems, first.case.case_id, mail, "Rina")
    case = rows(systems, Case, id=new)[0]
    assert case.run_id == starts_no_run(new, "")
    assert (case.address, case.subject, case.status) == (BUDI, rows(systems, Message)[-1].subject, "open")
    assert (rows(systems, Message)[-1].case_id, rows(systems, Message)[-1].outcome) == (new, "opened")
    with pytest.raises(WrongUse, match="is not a later customer's mail"):
        split(systems, first.case.case_id, 1, "Rina")
    first.comes_to("ApproveSolution")


def test_a_form_shows_no_mail_that_is_no_longer_the_cases(two: tuple[Played, Played]) -> None:
    first, second = two
    systems = first.runs.systems
    first.decides("ApproveSolution", choice="COORDINATE")
    first.comes_to("UnitProgress")

    def shown() -> str:
        show_news(systems, first.case.case_id)
        wait = first.runs.wait(first.case)
        assert wait is not None
        return wait.description

    arrives(systems, BUDI, "Bagaimana cara pasang baru?", f"Re: [{first.case.reference}]")
    assert "pasang baru" in shown()
    split(systems, first.case.case_id, rows(systems, Message)[-1].id or 0, "Rina")
    wait = first.runs.wait(first.case)
    assert wait is not None
    assert "pasang baru" not in wait.description
    with systems.store.write() as session:
        merge_rows(session, systems, second.case.case_id, first.case.case_id, "Rina")
    assert "Berapa harga paket" in shown()
    unmerge(systems, second.case.case_id, "Rina")
    wait = first.runs.wait(first.case)
    assert wait is not None
    assert "Berapa harga paket" not in wait.description


def test_a_split_is_done_and_told_though_the_engine_is_away(systems: Systems, caplog: pytest.LogCaptureFixture) -> None:
    case = opened(systems)
    arrives(systems, BUDI, PRICE, f"Re: [{case.reference}]")
    assert split(systems, case.case_id, 2, "Rina") == 2
    assert rows(systems, Case)[-1].run_id is None
    assert "JKT-0000002" in caplog.text
    assert cases_without_run(systems) == [1, 2], "the monitor starts its run"


def test_a_split_opens_no_case_that_intake_would_not_open(systems: Systems) -> None:
    case = opened(systems)
    arrives(systems, BUDI, PRICE, f"Re: [{case.reference}]")
    with systems.store.write() as session:
        session.execute(update(Message).values(language="xx"))
    with pytest.raises(WrongUse, match="language is missing or wrong"):
        split(systems, case.case_id, 2, "Rina")
    assert len(rows(systems, Case)) == 1


@pytest.mark.parametrize("undo", [None, remove_party])
def test_a_party_writes_in_the_case_and_learns_nothing_by_letter(
    undo: Callable[..., None] | None, systems: Systems
) -> None:
    case = opened(systems)
    own = arrives(systems, STRANGER, "Saya istri Pak Budi, internetnya masih mati.", f"[{case.reference}]")
    assert own.outcome == "opened", "who quotes a reference opens a case of their own"
    assert f"names {case.reference}" in rows(systems, Message)[-1].reason
    add_party(systems, case.case_id, rows(systems, Message)[-1].id or 0, "Rina")
    assert [party.added_by for party in rows(systems, Party)] == ["Rina"]
    if undo:
        undo(systems, case.case_id, rows(systems, Message)[-1].id or 0, "Rina")
    again = arrives(systems, STRANGER, "Masih mati juga sampai sekarang.", f"Re: [{case.reference}]")
    assert again.case_id == (case.case_id if undo is None else own.case_id) or again.outcome == "opened"
    assert (again.case_id == case.case_id) == (undo is None)
    assert snapshot(case).address == BUDI


def test_doubtful_mails_are_compared_by_the_agent(runs: Runs) -> None:
    first = Played(runs, BUDI, SLOW, "Internet lambat")
    first.comes_to("ApproveSolution")
    second = Played(runs, BUDI, "Halo, laporan saya kemarin itu kapan selesainya ya?", "Tanya")
    assert snapshot(second.case).perhaps_id == first.case.case_id
    assert first.case.reference.replace("-", "") in second.comes_to("SameMatter").replace("-", "").replace("\\", "")
    second.decides("SameMatter", choice="JOIN")
    assert second.goes_on() == "Completed"
    assert snapshot(second.case).merged_into == first.case.case_id
    deliver_signals.fn()
    assert "kapan selesainya" in first.comes_to("ApproveSolution")


def test_a_doubtful_mail_may_be_a_new_matter(runs: Runs) -> None:
    Played(runs, BUDI, SLOW, "Internet lambat").comes_to("ApproveSolution")
    second = Played(runs, BUDI, "Halo, laporan saya kemarin itu kapan selesainya ya?", "Tanya")
    second.comes_to("SameMatter")
    second.decides("SameMatter", choice="NEW")
    second.comes_to("ConfirmAnalysis")


def test_what_happens_to_letters_and_tickets_of_a_merged_case_wakes_the_one_that_goes_on(runs: Runs) -> None:
    first = Played(runs, BUDI, SLOW, "Internet lambat")
    first.comes_to("ApproveSolution")
    first.decides("ApproveSolution", choice="COORDINATE")
    first.comes_to("UnitProgress")
    second = Played(runs, MAJU, "Link VPN IP kami 4700001-0021497479 mati total sejak pagi.", "Link mati")
    second.comes_to("UnitProgress")
    systems = runs.systems
    keep_signal(systems, second.case.case_id, "unit", "kept", {"choice": "UPDATE"})
    merge(systems, second.case.case_id, first.case.case_id, "Rina")
    second.runs.go(handle_case, second.run)
    assert (pending(second.case), pending(first.case)) == ([], ["unit", "mail"])
    first.comes_to("UnitProgress")
    lost = rows(systems, Letter, case_id=second.case.case_id)[0]
    with systems.store.write() as session:
        undelivered(session, lost.id or 0, "bounced", "550", systems.clock.now())
    change_ticket(systems, status="resolved", note=told("Kabel putus", "Kabel disambung"))
    follow_tickets.fn()
    assert (pending(second.case), sorted(pending(first.case))) == ([], ["undelivered", "unit"])


def test_tickets_of_merged_cases_are_followed_no_longer_than_the_case_that_goes_on(runs: Runs) -> None:
    first = Played(runs, BUDI, SLOW, "Lambat")
    first.comes_to("ApproveSolution")
    second = Played(runs, BUDI, PRICE, "Harga paket")
    second.comes_to("ClosingPeriod")
    first.decides("ApproveSolution", choice="COORDINATE")
    first.comes_to("UnitProgress")
    systems = runs.systems
    merge(systems, first.case.case_id, second.case.case_id, "Rina")
    assert [row.open for row in rows(systems, TicketRow)] == [True]
    with systems.store.write() as session:
        finish(session, second.case.case_id, "closed", "information", systems.clock.now())
    assert [row.open for row in rows(systems, TicketRow)] == [False]
    unmerge(systems, first.case.case_id, "Rina")
    assert [row.open for row in rows(systems, TicketRow)] == [True], "its own case goes on"


def test_what_no_customer_wrote_gets_no_case(systems: Systems) -> None:
    case = opened(systems)
    sent = rows(systems, Letter)[0].message_id
    assert take_in(systems, received(BOUNCE % sent.encode())).case_id == case.case_id
    with pytest.raises(WrongUse, match="is not a later customer's mail"):
        split(systems, case.case_id, rows(systems, Message)[-1].id or 0, "Rina")
    assert len(rows(systems, Case)) == 1


def test_a_case_that_was_split_off_is_the_senders_and_signs_its_letters(systems: Systems) -> None:
    systems.engine = with_methods(systems.engine, start_case=starts_no_run)
    case = opened(systems)
    arrives(systems, STRANGER, "Saya istri Pak Budi, internetnya masih mati.", f"[{case.reference}]")
    add_party(systems, case.case_id, rows(systems, Message)[-1].id or 0, "Rina")
    arrives(systems, STRANGER, "Could you tell me the price of a second line for my shop?", f"Re: [{case.reference}]")
    with systems.store.write() as session:
        session.execute(update(Case).where(col(Case.id) == case.case_id).values(sender_doubt="dmarc"))
    new = rows(systems, Case, id=split(systems, case.case_id, rows(systems, Message)[-1].id or 0, "Rina"))[0]
    assert (new.address, new.language, new.sender_doubt) == (STRANGER, "en", "dmarc")
    assert re.fullmatch(r"[a-z]{8}", new.token)
    assert new.token != snapshot(case).token


def test_a_forged_mail_that_is_split_off_is_a_doubtful_senders(systems: Systems) -> None:
    """It had joined by what outsiders cannot know, which its own case has no more."""
    systems.engine = with_methods(systems.engine, start_case=starts_no_run)
    systems.settings.authserv_id = "mx.telkom.example"
    (box,) = systems.settings.mailboxes
    systems.settings.mailboxes = [box.model_copy(update={"forwarded": True})]
    case = opened(systems)
    signed = f"Re: [{case.reference}-{snapshot(case).token}]"
    forged = {"Authentication_Results": "mx.telkom.example; dmarc=fail"}
    assert arrives(systems, BUDI, "Berapa tagihan saya?", signed, **forged).outcome == "joined"
    new = split(systems, case.case_id, rows(systems, Message)[-1].id or 0, "Rina")
    assert (rows(systems, Case, id=new)[0].sender_doubt, snapshot(case).sender_doubt) == ("dmarc", "")


def test_who_is_no_party_is_told_so(systems: Systems) -> None:
    case = opened(systems)
    for message_id in (99, 1):
        with pytest.raises(WrongUse, match="not a party"):
            remove_party(systems, case.case_id, message_id, "Rina")
    assert not rows(systems, ActivityRecord, name="no-party")


def test_a_mail_without_a_sender_opens_no_case_when_it_is_split_off(systems: Systems) -> None:
    """No letter could go to its address: a split opens a case as intake does, with the same checks."""
    case = opened(systems)
    arrives(systems, BUDI, "Lampu LOS masih merah.", f"Re: [{case.reference}]")
    message_id = rows(systems, Message)[-1].id or 0
    with systems.store.write() as session:
        session.execute(update(Message).where(col(Message.id) == message_id).values(sender=""))
    with pytest.raises(WrongUse, match="address is missing or wrong"):
        split(systems, case.case_id, message_id, "Rina")
    assert len(rows(systems, Case)) == 1


def test_each_correction_stands_in_the_audit_log_once(systems: Systems) -> None:
    case = opened(systems)
    arrives(systems, BUDI, PRICE, f"Re: [{case.reference}]")
    add_party(systems, case.case_id, 2, "Rina")
    remove_party(systems, case.case_id, 2, "Rina")
    new = split(systems, case.case_id, 2, "Rina")
    for _ in range(2):
        with systems.store.write() as session:
            merge_rows(session, systems, new, case.case_id, "Sari")
    for _ in range(2):
        unmerge(systems, new, "Rina")
    found = [(row.action, row.actor, row.reference, row.subject) for row in rows(systems, AuditRow)]
    assert found == [
        ("party_added", "Rina", "JKT-0000001", "mail 2"),
        ("party_removed", "Rina", "JKT-0000001", "mail 2"),
        ("split", "Rina", "JKT-0000001", "mail 2 → JKT-0000002"),
        ("merged", "Sari", "JKT-0000002", "JKT-0000001"),
        ("unmerged", "Rina", "JKT-0000002", ""),
    ]
