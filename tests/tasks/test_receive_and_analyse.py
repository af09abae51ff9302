"""Activity 1: what a mail wants, and whose it is (SOP 7.1)."""

import pytest

from adapters.analyser.rules import RuleAnalyser
from adapters.wiring import Systems
from models.analysis import Analysis, Kind
from models.facts import Segment, Tier
from models.need import Path
from models.tables import Letter
from tasks.inform_status import inform_status
from tasks.receive_and_analyse import receive_and_analyse
from tasks.run.case_run import CaseRun
from tasks.run.lifetime import finish
from tests.cases import BANK, BUDI, LINE, MATI, PRICE, STRANGER, arrives, done, need, opened, rows, snapshot, ticket


def test_of_somebody_elses_line_nothing_is_told(systems: Systems) -> None:
    need = done(
        receive_and_analyse,
        opened(
            systems,
            BUDI,
            "Berapa jumlah tagihan internet saya nomor 122408771902? Mohon rinciannya.",
            "Tagihan bulan ini",
        ),
        0,
    )
    assert (need.customer_id, need.service_number, need.missing) == ("C-1", "", ("service_number",))


def test_a_customers_complaint(systems: Systems) -> None:
    case = opened(systems)
    found = done(receive_and_analyse, case, 0)
    assert (found.kind, found.topic, found.service_number) == (Kind.COMPLAINT, "no_service", LINE)
    assert (found.customer_id, found.segment, found.tier) == ("C-1", Segment.CONSUMER, Tier.GOLD)
    assert (found.path, found.missing) == (Path.COMPLAINT, ())
    row = snapshot(case)
    assert (row.kind, row.topic, row.service_number) == ("complaint", "no_service", LINE)
    assert (row.customer_id, row.segment, row.tier, row.name) == ("C-1", "DCS", "HVC_GOLD", "Budi Santoso")


def test_the_language_of_letters_is_decided_at_intake_and_stays(systems: Systems) -> None:
    case = opened(systems, BUDI, "link down please check, no internet access", "Follow up")
    before = snapshot(case).language
    done(receive_and_analyse, case, 0)
    assert (before, snapshot(case).language) == ("id", "id"), "not English for the first letter alone"


def test_a_stranger_who_names_a_customers_line_opens_no_data(systems: Systems) -> None:
    case = opened(systems, STRANGER)
    found = done(receive_and_analyse, case, 0)
    assert (found.customer_id, found.service_number, found.tier) == ("", "", Tier.REGULAR)
    assert found.missing == ("customer", "service_number")
    row = snapshot(case)
    assert (row.customer_id, row.service_number, row.tier, row.name) == ("", "", "", "")


def test_an_address_that_two_customers_share_is_nobodys(systems: Systems) -> None:
    found = done(receive_and_analyse, opened(systems, "keluarga@example.com"), 0)
    assert found.missing == ("customer", "service_number")


def test_a_customer_of_another_segment_is_not_ours(systems: Systems) -> None:
    found = done(receive_and_analyse, opened(systems, BANK), 0)
    assert found.path is Path.OTHER_SEGMENT


def test_an_answer_adds_what_was_missing_and_leaves_the_rest(systems: Systems) -> None:
    case = opened(systems, BUDI, "Internet saya lambat sekali sejak kemarin.", "Internet lambat")
    earlier = need(topic="slow", service_number="")
    reply = arrives(systems, BUDI, f"Nomornya {LINE}.", f"Re: [{case.reference}] Internet lambat")
    assert reply.outcome == "joined"
    found = done(receive_and_analyse, case, 2, earlier)
    assert (found.message_id, found.kind, found.topic, found.service_number) == (2, Kind.COMPLAINT, "slow", LINE)


def test_what_is_not_clear_is_the_agents(systems: Systems) -> None:
    assert done(receive_and_analyse, opened(systems), 0).sure
    found = done(receive_and_analyse, opened(systems, STRANGER, "Halo, mohon bantuannya ya.", "Halo"), 0)
    assert not found.sure
    assert found.confidence < systems.settings.policy.analysis_threshold


def test_what_was_not_read_is_the_agents_and_so_is_an_answer(systems: Systems) -> None:
    secret = "-----BEGIN PGP MESSAGE-----\n\nhQEM\n-----END PGP MESSAGE-----"
    case = opened(systems, BUDI, secret, f"Internet {LINE} mati total")
    found = done(receive_and_analyse, case, 0)
    assert (found.sure, found.unread) == (False, "terenkripsi / encrypted")
    confirmed = found.confirmed(Kind.COMPLAINT, "no_service", "")
    assert (confirmed.sure, confirmed.unread) == (True, "")
    assert arrives(systems, BUDI, secret, f"Re: [{case.reference}]").outcome == "joined"
    assert done(receive_and_analyse, case, 2, confirmed).unread == "terenkripsi / encrypted"


def test_a_follow_up_without_a_case_is_the_agents(systems: Systems) -> None:
    text = f"Bagaimana kelanjutan laporan saya minggu lalu? Sampai sekarang belum ada kabar. {MATI}"
    found = done(receive_and_analyse, opened(systems, BUDI, text, "Menanyakan status laporan"), 0)
    assert found.kind is not Kind.FOLLOW_UP or not found.sure


def test_the_first_mail_is_read_even_if_another_has_come_since(systems: Systems) -> None:
    case = opened(systems)
    assert arrives(systems, BUDI, "Mohon segera ya.", f"Re: [{case.reference}]").outcome == "joined"
    found = done(receive_and_analyse, case)
    assert (found.message_id, found.kind, found.topic) == (1, Kind.COMPLAINT, "no_service")


def test_an_answer_to_the_closing_letter_leaves_the_case_as_it_is(systems: Systems) -> None:
    case = opened(systems)
    done(receive_and_analyse, case)
    arrives(systems, BUDI, "Thank you very much, it works fine again.", f"Re: [{case.reference}]")
    reply = done(receive_and_analyse, case, 2, after_closing=True)
    assert reply.message_id == 2
    row = snapshot(case)
    assert (row.kind, row.topic, row.language, row.service_number) == ("complaint", "no_service", "id", LINE)


def test_a_line_that_a_person_found_out_tells_the_customer_but_not_their_data(systems: Systems) -> None:
    case = opened(systems, STRANGER, "Internet saya mati total sejak pagi.", "Internet mati")
    found = done(receive_and_analyse, case)
    assert found.missing == ("customer", "service_number")
    told = done(receive_and_analyse, case, 0, found, told_number=LINE)
    assert (told.customer_id, told.service_number, told.tier, told.verified) == ("C-1", LINE, Tier.GOLD, False)
    assert told.missing == ()
    assert told.model_copy(update={"kind": Kind.INFORMATION, "topic": "bill_copy"}).missing != ()
    assert snapshot(case).name == "", "a stranger is not greeted by the customer's name"


def test_the_same_matter_from_the_customers_other_address_is_for_a_person_to_compare(systems: Systems) -> None:
    first = opened(systems)
    done(receive_and_analyse, first, 0)
    second = opened(systems, "santoso@example.org", f"Nomor {LINE} internetnya mati total, tolong.", "Mati")
    found = done(receive_and_analyse, second, 0)
    assert found.perhaps_id == first.case_id
    assert first.reference in found.perhaps
    third = opened(systems, "santoso@example.org", PRICE, "Harga")
    assert done(receive_and_analyse, third, 0).perhaps_id == 0
    # who only says to be the customer is shown nothing
    stranger = opened(systems, STRANGER)
    assert done(receive_and_analyse, stranger, 0, told_number=LINE).perhaps_id == 0


class _Listening(RuleAnalyser):
    """An analyser that keeps the Subjects that it is given."""

    def __init__(self, systems: Systems) -> None:
        super().__init__()
        self.subjects: list[str] = []
        systems.analyser = self

    def analyse(self, subject: str, text: str, *, sender_name: str = "") -> Analysis:
        self.subjects.append(subject)
        return super().analyse(subject, text, sender_name=sender_name)


@pytest.mark.parametrize(
    ("form", "counts"),
    [
        ("{ours}", "Re:"),
        ("RE: {ours}", "Re:"),
        ("Bls: Re: {ours}", "Re:"),
        ("[EXTERNAL] {ours}", "Re:"),
        ("Re: Internet mati", "Re:"),
        ("Mau pindah alamat [{reference}]", "Mau pindah alamat []"),
        ("Re: Tagihan salah [{reference}]", "Re: Tagihan salah []"),
    ],
)
def test_a_replys_subject_that_repeats_ours_says_nothing(form: str, counts: str, systems: Systems) -> None:
    case = opened(systems)
    ours = rows(systems, Letter)[0]
    subject = form.format(ours=ours.subject, reference=f"{case.reference}-{snapshot(case).token}")
    for in_closing in (False, True):
        taken = arrives(systems, BUDI, f"Terima kasih {in_closing}", subject, In_Reply_To=ours.message_id)
        assert taken.outcome == "joined"
    listening = _Listening(systems)
    done(receive_and_analyse, case, 0)
    done(receive_and_analyse, case, 2, need())
    assert done(receive_and_analyse, case, 3, after_closing=True).kind is not None
    done(inform_status, case, ticket(case), 2)
    assert listening.subjects == ["Internet mati", counts, counts, counts]


def test_a_mail_that_follows_a_closed_case_is_not_read_by_the_old_subject(systems: Systems) -> None:
    case = opened(systems)
    ours = rows(systems, Letter)[0]
    with systems.store.write() as session:
        finish(session, case.case_id, "closed", "complaint", systems.clock.now())
    again = arrives(systems, BUDI, "Terima kasih.", ours.subject, In_Reply_To=ours.message_id)
    assert again.outcome == "opened"
    listening = _Listening(systems)
    done(receive_and_analyse, CaseRun.open(again.case_id or 0, systems), 0)
    assert listening.subjects == ["Re:"]
