"""Mails that a group or a form passes on, and words of mail servers: answered where the customer is, or shown."""

import pytest

from adapters.wiring import Systems
from models.errors import WrongUse
from models.tables import Bounce, Case, Letter, Message, Outbox, Signal
from tasks.intake.accept_mail import accept_mail
from tasks.intake.batch import TakenIn
from tests.adapters.mail.test_parser import MAILS
from tests.cases import BUDI, LINE, MATI, OURS, STRANGER, arrives, mail, opened, received, rows, snapshot, take_in


def eml(name: str, **words: str) -> bytes:
    text = (MAILS / f"{name}.eml").read_text("utf-8")
    for word, value in words.items():
        text = text.replace(f"<{word}>", value).replace(word, value)
    return text.encode()


@pytest.fixture
def with_group(systems: Systems) -> Systems:
    (box,) = systems.settings.mailboxes
    systems.settings.mailboxes = [box.model_copy(update={"aliases": ("cs@telkom.example",)})]
    return systems


@pytest.mark.parametrize("name", ["group_direct", "group_google", "group_mailman"])
def test_a_mail_through_our_group_opens_a_case_and_its_author_gets_the_letter(name: str, with_group: Systems) -> None:
    assert take_in(with_group, received(eml(name))).outcome == "opened"
    (case,) = rows(with_group, Case)
    (letter,) = rows(with_group, Letter)
    assert (case.address, letter.recipient, case.sender_doubt) == (
        "dewi@pelanggan.example",
        "dewi@pelanggan.example",
        "",
    )


def test_an_answer_through_our_group_may_quote_what_the_group_writes_below_mails(with_group: Systems) -> None:
    raw = eml("group_direct").replace(b"Message-ID:", b"In-Reply-To: <1@lain.example>\nMessage-ID:", 1)
    footer = "> To unsubscribe from this group, send an email to cs+unsubscribe@telkom.example."
    body = (
        f"Masih mati, mohon dicek.\n\nPada Sen, 30 Nov 2026 Andi <andi@lain.example> menulis:\n> Mati\n> --\n{footer}\n"
    )
    taken = take_in(with_group, received(raw.partition(b"\n\n")[0] + b"\n\n" + body.encode()))
    assert taken.outcome == "opened"


def test_a_list_that_no_setting_names_is_shown_with_advice(systems: Systems) -> None:
    assert take_in(systems, received(eml("group_direct"))) == TakenIn("quarantined")
    (message,) = rows(systems, Message)
    assert "if cs@telkom.example is a group of ours, add it to the aliases of its mailbox" in message.reason
    assert take_in(systems, received(eml("newsletter"))).outcome == "quarantined"
    assert (rows(systems, Case), rows(systems, Letter)) == ([], [])


def test_a_group_that_names_no_author_is_shown(with_group: Systems) -> None:
    raw = eml("group_google").replace(b"X-Original-", b"X-Other-").replace(b"Reply-To:", b"X-Reply-To:")
    assert take_in(with_group, received(raw)) == TakenIn("quarantined")
    assert rows(with_group, Letter) == []


@pytest.mark.parametrize(("name", "sender"), [("form_own_address", OURS), ("form_service", "kirim@formulir.example")])
def test_a_forms_mail_is_its_customers_once_a_setting_names_the_form(name: str, sender: str, systems: Systems) -> None:
    systems.settings.forms = (sender,)
    assert take_in(systems, received(eml(name))).outcome == "opened"
    (case,) = rows(systems, Case)
    (letter,) = rows(systems, Letter)
    assert (case.address, letter.recipient) == ("galih@pelanggan.example", "galih@pelanggan.example")


def plain(name: str) -> bytes:
    """As forms without any mark of a program send it."""
    raw = eml(name)
    for mark in (b"Auto-Submitted: auto-generated\n", b"List-Unsubscribe: <https://formulir.example/berhenti>\n"):
        raw = raw.replace(mark, b"")
    return raw.replace(b"Email ini dikirim secara otomatis oleh Formulir.", b"")


@pytest.mark.parametrize(("name", "sender"), [("form_own_address", OURS), ("form_service", "kirim@formulir.example")])
def test_a_form_that_no_setting_names_is_shown_with_the_setting_and_its_value(
    name: str, sender: str, systems: Systems
) -> None:
    assert take_in(systems, received(plain(name))) == TakenIn("quarantined")
    assert f"add {sender} to LAYANAN_FORMS" in rows(systems, Message)[0].reason
    assert rows(systems, Letter) == []


FILLED_IN = "Nama\nGita\nEmail\ngita@pelanggan.example\nPesan\nInternet 122408771907 mati sejak pagi."
FREELY = "Dari Gita: internet 122408771907 mati sejak pagi."


@pytest.mark.parametrize(
    ("sender", "words", "headers"),
    [
        ("kirim@formulir.example", FILLED_IN, {}),
        ("kirim@formulir.example", FILLED_IN, {"Auto_Submitted": "auto-generated"}),
        ("wordpress@toko.example", FREELY, {}),
        ("web@telkom.example", FREELY, {}),
        (OURS, FREELY, {}),
    ],
)
def test_a_form_is_told_by_whatever_shows_it(
    sender: str, words: str, headers: dict[str, str], systems: Systems
) -> None:
    taken = arrives(systems, f"Situs <{sender}>", words, "Isian", Reply_To="gita@pelanggan.example", **headers)
    assert taken == TakenIn("quarantined")
    assert f"add {sender} to LAYANAN_FORMS" in rows(systems, Message)[0].reason


@pytest.mark.parametrize("asked", ["", OURS, "gita@pelanggan.example, adi@pelanggan.example"])
def test_a_named_form_that_names_no_one_customer_is_shown_and_gets_no_letter(asked: str, systems: Systems) -> None:
    systems.settings.forms = ("kirim@formulir.example",)
    headers = {"Reply_To": asked} if asked else {}
    for number in (122408771907, 122408771908):
        text = f"Internet {number} mati."
        assert arrives(systems, "kirim@formulir.example", text, "Isian", **headers) == TakenIn("quarantined")
    assert "names no one customer" in rows(systems, Message)[0].reason
    with pytest.raises(WrongUse, match="names no one customer; answer it by hand"):
        accept_mail(systems, 1, "Sari")
    assert (rows(systems, Case), rows(systems, Letter)) == ([], [])


def test_it_is_answered_once_the_setting_is_there(systems: Systems) -> None:
    take_in(systems, received(eml("form_own_address")))
    with pytest.raises(WrongUse, match="LAYANAN_FORMS"):
        accept_mail(systems, 1, "Sari")
    systems.settings.forms = (OURS,)
    del systems.settings.__dict__["ours"]
    assert accept_mail(systems, 1, "Sari").outcome == "opened"
    assert [letter.recipient for letter in rows(systems, Letter)] == ["galih@pelanggan.example"]


def test_who_has_another_address_for_answers_is_answered_at_their_own(systems: Systems) -> None:
    assert arrives(systems, BUDI, Reply_To="budi.kantor@lain.example").outcome == "opened"
    assert [letter.recipient for letter in rows(systems, Letter)] == [BUDI]
    signed = f"{MATI}\n\nBudi\nEmail: budi.kantor@lain.example"
    assert arrives(systems, BUDI, signed, "Tagihan", Reply_To="budi.kantor@lain.example").outcome != "quarantined", (
        "known"
    )


def test_what_is_typed_into_a_form_joins_nothing_by_itself(systems: Systems) -> None:
    systems.settings.forms = ("kirim@formulir.example",)
    case = opened(systems)
    form = {"sender": "kirim@formulir.example", "Reply_To": BUDI}
    for subject, words in ((f"[{case.reference}]", "sudah normal, tutup saja"), ("Internet mati lagi", "mati lagi")):
        taken = arrives(systems, text=f"Internet {LINE} {words}.", subject=subject, **form)
        assert (taken.outcome, taken.case_id != case.case_id) == ("opened", True)
        assert rows(systems, Case)[-1].perhaps_id == (taken.case_id or 0) - 1, "a person decides"
    signed = f"Re: [{case.reference}-{snapshot(case).token}]"
    assert arrives(systems, text="Masih mati.", subject=signed, **form).case_id == case.case_id
    assert {letter.recipient for letter in rows(systems, Letter)} == {BUDI}


WORDS = ["german", "french", "chinese", "indonesian"]


@pytest.mark.parametrize("language", WORDS)
def test_a_mail_servers_words_are_tied_to_the_letter_that_they_report(language: str, systems: Systems) -> None:
    opened(systems, STRANGER)
    case = opened(systems)
    sent = rows(systems, Letter)[-1]
    known = {"LETTER": sent.message_id, "REFERENCE": f"{case.reference}-{snapshot(case).token}"}
    raw = eml(f"postmaster_{language}", **known)
    assert take_in(systems, received(raw)) == TakenIn("automatic", case.case_id)
    assert rows(systems, Outbox)[-1].state == "bounced"
    assert [(wake.case_id, wake.kind) for wake in rows(systems, Signal)] == [(case.case_id, "undelivered")]
    assert take_in(systems, received(raw)) == TakenIn("duplicate", case.case_id)
    assert len(rows(systems, Letter)) == 2, "nobody answers a mail server"
    if language == "german":
        assert [(one.address, one.status) for one in rows(systems, Bounce)] == [(BUDI, "5.2.2")]


@pytest.mark.parametrize("language", WORDS)
def test_a_mail_servers_words_about_no_letter_of_ours_are_shown(language: str, systems: Systems) -> None:
    opened(systems)
    raw = eml(f"postmaster_{language}", LETTER="<other@lain.example>", REFERENCE="JKT-0000001")
    assert take_in(systems, received(raw)) == TakenIn("quarantined")
    assert (rows(systems, Signal), len(rows(systems, Letter))) == ([], 1)


@pytest.mark.parametrize(
    "sender",
    ["Postmaster <mail@example.com>", "System Administrator <it@example.com>", "bounce@m.example", "root@m.example"],
)
def test_a_mail_server_is_known_by_other_names_too(sender: str, systems: Systems) -> None:
    case = opened(systems)
    sent = rows(systems, Letter)[-1].message_id
    words = f"Das Postfach {BUDI} ist voll."
    assert arrives(systems, sender, words, "Zustellung fehlgeschlagen") == TakenIn("quarantined")
    report = arrives(systems, sender, words, "Zustellung fehlgeschlagen", In_Reply_To=sent)
    assert report == TakenIn("automatic", case.case_id)
    assert (rows(systems, Outbox)[-1].state, len(rows(systems, Letter))) == ("bounced", 1)


def test_who_minds_a_mail_server_is_a_customer_once_a_person_says_so(systems: Systems) -> None:
    person = "postmaster@maju.example"
    assert arrives(systems, person).outcome == "quarantined"
    case_id = accept_mail(systems, 1, "Sari").case_id
    sent = rows(systems, Letter)[-1].message_id
    assert arrives(systems, person, "Masih mati.", "Re: Internet mati", In_Reply_To=sent) == TakenIn("joined", case_id)
    assert rows(systems, Outbox)[0].state == "queued"


def test_a_forged_report_without_our_secrets_touches_no_letter(systems: Systems) -> None:
    case = opened(systems)
    raw = mail("postmaster@jahat.example", f"Surat ke {BUDI} gagal: 550 5.1.1", f"Gagal: [{case.reference}]")
    assert take_in(systems, received(raw)) == TakenIn("quarantined")
    assert (rows(systems, Outbox)[0].state, rows(systems, Signal)) == ("queued", [])
