"""One case: its thread, its history, and who may decide what it asks."""

import pytest

from adapters.wiring import Systems
from models.errors import UnknownCase
from models.forms.analysis import ConfirmAnalysis
from models.forms.complaint import Escalation
from models.rights import Denied
from models.staff import Note, NoteKind, StaffRole
from models.tables import Decision
from tasks.desk.case_view import Wrote, case_view
from tasks.desk.claims import claim
from tests.cases import BUDI, LINE, arrives, opened
from tests.desk import asks, member

ANSWER = (
    f"Masih mati, lampu LOS hijau {LINE}\n\nPada 30 November layanan@telkom.example menulis:\n> Email Anda kami terima."
)


def test_the_thread_has_mails_letters_and_notes_in_their_order(systems: Systems) -> None:
    sari, case = member(systems, "Sari"), opened(systems, BUDI)
    arrives(systems, BUDI, ANSWER, "Re: Internet mati")
    with systems.store.write() as session:
        session.add(
            Note(
                case_id=case.case_id,
                staff_id=sari.key,
                kind=NoteKind.PHONE,
                text="Ditelepon",
                written_at=systems.clock.now(),
            )
        )
    thread = case_view(systems, sari, case.case_id).thread
    assert sorted(entry.wrote for entry in thread) == sorted([Wrote.CUSTOMER, Wrote.US, Wrote.CUSTOMER, Wrote.STAFF])
    assert [entry.at for entry in thread] == sorted(entry.at for entry in thread)
    ours = next(entry for entry in thread if entry.wrote is Wrote.US)
    assert "JKT-0000001" in ours.text
    answer = [entry for entry in thread if entry.wrote is Wrote.CUSTOMER][-1]
    assert answer.text.startswith("Masih mati")
    assert "Email Anda kami terima" in answer.quoted
    assert "Email Anda kami terima" not in answer.text
    assert (thread[-1].who, thread[-1].text) == ("Sari", "Ditelepon")


def test_history_names_who_decided_what(systems: Systems) -> None:
    sari, case = member(systems, "Sari"), opened(systems)
    with systems.store.write() as session:
        session.add(
            Decision(
                case_id=case.case_id,
                wait_key="k",
                form="HandlingStuck",
                role="Agent Email",
                by="Sari",
                answers={"by": "Sari", "choice": "ESCALATE", "note": "Sudah 2 jam"},
                decided_at=systems.clock.now(),
            )
        )
    last = case_view(systems, sari, case.case_id).history[-1]
    assert last.who == "Agent Email: Sari"
    assert last.detail == "Eskalasi ke team leader / Escalate to team leader · Sudah 2 jam"


def test_who_may_not_decide_sees_why_and_who_has_it(systems: Systems) -> None:
    sari, rina = member(systems, "Sari"), member(systems, "Rina", StaffRole.TEAM_LEADER)
    case = opened(systems)
    assert case_view(systems, sari, case.case_id).wait is None
    asks(case, Escalation)
    claim(systems, rina, case.case_id)
    view = case_view(systems, sari, case.case_id)
    assert (view.refused, view.holder) == (Denied.ROLE, rina)
    assert case_view(systems, rina, case.case_id).refused is None


def test_another_sites_case_is_none(systems: Systems) -> None:
    case = opened(systems)
    asks(case, ConfirmAnalysis)
    with pytest.raises(UnknownCase):
        case_view(systems, member(systems, "Jauh", site="BDG"), case.case_id)
