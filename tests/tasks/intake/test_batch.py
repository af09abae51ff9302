"""Intake: every mail gets one outcome, once, whatever it is and whoever takes it."""

import random
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from email import message_from_bytes, policy
from email.message import EmailMessage
from functools import partial
from typing import Any

import pytest
from sqlalchemy import delete
from sqlmodel import select

import tasks.intake.batch
import tasks.intake.read_mail
import tasks.intake.store_mail
from adapters.ems import Received
from adapters.mail.body import Keep
from adapters.mail.parser import parse
from adapters.wiring import Systems
from models.errors import Defect
from models.mail import ParsedMail
from models.tables import ActivityRecord, Bounce, Case, Kept, Letter, Message, Outbox, Signal
from tasks.intake.batch import TakenIn, take_in_batch
from tasks.intake.place_mail import Look, Placed, place
from tasks.run.case_run import CaseRun
from tasks.run.lifetime import finish
from tests.cases import BUDI, MATI, OURS, STRANGER, arrives, letter, mail, opened, received, rows, snapshot, take_in
from tests.conftest import BOTH
from tests.fakes import fake

BOUNCE = b"""From: Mail Delivery System <MAILER-DAEMON@example.com>
To: layanan@telkom.example
Subject: Undelivered Mail Returned to Sender
Message-ID: <bounce@example.com>
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain

I'm sorry to have to inform you that your message could not be delivered.
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.com

Final-Recipient: rfc822; budi@example.com
Action: failed
Status: 5.1.1

--b
Content-Type: text/rfc822-headers

Message-ID: %s
Subject: x

--b--
"""


def test_a_new_mail_opens_a_case_and_is_answered(systems: Systems) -> None:
    raw = mail(f"Budi Santoso <{BUDI}>", MATI, "Internet mati")
    taken = take_in(systems, received(raw, uid=7))
    (letter_id,) = taken.letters
    assert taken == TakenIn("opened", 1, (letter_id,))
    (case,) = rows(systems, Case)
    assert (case.address, case.name, case.subject, case.language) == (BUDI, "Budi Santoso", "Internet mati", "id")
    assert (case.site, case.mailbox, case.status, case.run_id) == ("JKT", OURS, "open", None)
    (message,) = rows(systems, Message)
    assert (message.uid, message.outcome, message.reasons, message.case_id) == (7, "opened", [["new", ""]], 1)
    assert message.text.strip() == MATI
    assert systems.store.kept(message.sha256) == raw
    assert [(row.letter_id, row.state) for row in rows(systems, Outbox)] == [(letter_id, "queued")]


def test_a_reply_joins_its_case_and_is_kept_for_it(systems: Systems) -> None:
    case = opened(systems)
    taken = arrives(systems, BUDI, "Sudah ada kabar?", f"Re: [{case.reference}]")
    assert taken == TakenIn("joined", 1)
    (wake,) = rows(systems, Signal)
    assert (wake.kind, wake.case_id, wake.source, wake.answers) == ("mail", 1, "mail:2", {"message": 2})
    assert len(rows(systems, Letter)) == 1, "only the first mail has a first response"


@pytest.mark.parametrize(
    ("headers", "outcome"),
    [
        ({"Auto_Submitted": "auto-replied"}, "automatic"),
        ({"List_Id": "<promo.example.com>", "Precedence": "bulk"}, "quarantined"),
    ],
)
def test_automatic_mail_is_recorded_and_not_answered(headers: dict[str, str], outcome: str, systems: Systems) -> None:
    taken = arrives(systems, "robot@example.com", "Saya sedang cuti.", "Otomatis", **headers)
    assert taken == TakenIn(outcome)
    assert rows(systems, Message)[0].reason
    assert rows(systems, Case) == []
    assert rows(systems, Letter) == []


def test_who_perhaps_is_a_person_is_looked_at_by_one(systems: Systems) -> None:
    dns = mail("postmaster@maju.example", "Email kami gagal terkirim ke ani@toko.example.", "Email gagal")
    assert take_in(systems, received(dns)) == TakenIn("quarantined")
    assert rows(systems, Message)[-1].reasons == [
        ["program", "bounce: sent by a mail server"],
        ["no_letter_of_ours", ""],
    ]
    promo = {"text": "Diskon!\n\nUnsubscribe", "List_Unsubscribe": "<https://toko.example>"}
    assert arrives(systems, STRANGER, **promo) == TakenIn("quarantined"), "no list is thrown away unseen"
    opened(systems)
    systems.settings.spam_headers = ("X-Spam-Flag",)
    assert arrives(systems, BUDI, "Masih mati.", X_Spam_Flag="YES") == TakenIn("quarantined")
    assert arrives(systems, STRANGER, "Menang undian!", X_Spam_Flag="YES") == TakenIn("automatic")


def test_a_bounce_is_shown_with_the_case_of_its_letter(systems: Systems) -> None:
    opened(systems)
    (sent,) = rows(systems, Letter)
    taken = take_in(systems, received(BOUNCE % sent.message_id.encode()))
    assert taken == TakenIn("automatic", 1)
    assert rows(systems, Message)[-1].automatic == "bounce"
    assert [(bounce.letter_id, bounce.address, bounce.hard) for bounce in rows(systems, Bounce)] == [(1, BUDI, True)]
    assert take_in(systems, received(BOUNCE % b"<other@example.com>")) == TakenIn("automatic")


def test_a_bounce_that_names_nobody_is_seen(systems: Systems) -> None:
    opened(systems)
    (sent,) = rows(systems, Letter)
    nameless = (BOUNCE % sent.message_id.encode()).replace(BUDI.encode(), b"budi")
    assert take_in(systems, received(nameless.replace(b"Undelivered", b"Warning: delayed"))) == TakenIn("automatic", 1)
    assert rows(systems, Outbox)[0].state == "queued"
    take_in(systems, received(nameless.replace(b"<bounce@", b"<final@")))
    assert (rows(systems, Outbox)[0].state, [wake.kind for wake in rows(systems, Signal)]) == (
        "bounced",
        ["undelivered"],
    )


@pytest.mark.parametrize(
    "report",
    [
        "From: MAILER-DAEMON@mx.example\nSubject: failure notice\n\nSorry.\n\nMessage-ID: {letter}\n",
        "From: postmaster@mx.example\nSubject: Undeliverable: {subject}\n\nDelivery has failed to {recipient}\n",
        "From: MAILER-DAEMON@mx.example\nSubject: failed\n\n<{recipient}>:\nno such user\n\nSubject: {subject}\n",
        "From: mx@mx.example\nX-Failed-Recipients: {recipient}\nIn-Reply-To: {letter}\nSubject: Failure\n\nSorry.\n",
        "From: a@mx.example\nX-Failed-Recipients: {recipient}\nReferences: <a@b.c> {letter}\nSubject: x\n\nSorry.\n",
    ],
    ids=["by nobody", "by its subject", "by its subject in the text", "as an answer", "as one of a thread"],
)
def test_a_bounce_that_names_its_letter_in_another_way_is_seen(report: str, systems: Systems) -> None:
    opened(systems, STRANGER)
    case = opened(systems)
    _, sent = rows(systems, Letter)
    known = {"letter": sent.message_id, "subject": sent.subject, "recipient": sent.recipient}
    assert take_in(systems, received(report.format(**known).encode())) == TakenIn("automatic", case.case_id)
    assert [wake.answers for wake in rows(systems, Signal)] == [{"letter": sent.id}]
    other = report.format(**known).replace(sent.message_id, "<a@b>").replace(snapshot(case).token, "bcdfghjk")
    # what a server says in plain words may be of a letter of ours, or a person's who minds it
    untied = "automatic" if "X-Failed-Recipients" in report else "quarantined"
    assert take_in(systems, received(other.encode())) == TakenIn(untied)


def test_a_bounce_whose_subject_came_in_capitals_is_seen(systems: Systems) -> None:
    case = opened(systems)
    subject = f"UNDELIVERABLE: RE: INTERNET MATI [{case.reference}-{snapshot(case).token}]".upper()
    report = f"From: MAILER-DAEMON@mx.example\nSubject: {subject}\n\n<{BUDI}>: no such user\n"
    assert take_in(systems, received(report.encode())) == TakenIn("automatic", case.case_id)
    assert rows(systems, Outbox)[0].state == "bounced"


def test_a_copy_that_our_own_mailbox_refuses_is_no_letter_that_did_not_arrive(systems: Systems) -> None:
    opened(systems)
    (sent,) = rows(systems, Letter)
    copy = OURS.replace("@", "+Sent@").encode()
    take_in(systems, received((BOUNCE % sent.message_id.encode()).replace(BUDI.encode(), copy)))
    assert [bounce.address for bounce in rows(systems, Bounce)] == [copy.decode().lower()]
    assert (rows(systems, Outbox)[0].state, rows(systems, Signal)) == ("queued", [])


def test_a_copy_of_our_letter_proves_that_it_went_out(systems: Systems) -> None:
    case = opened(systems)
    raw = letter(case, "first_response").as_bytes()
    mail = received(raw)
    for _ in range(2):
        assert take_in(systems, mail) == TakenIn("automatic", 1, copy=True)
    assert rows(systems, Message)[-1].reasons == [["our_letter", ""]]
    (outbox,) = rows(systems, Outbox)
    assert (outbox.state, outbox.sent_at is not None) == ("sent", True)


def test_a_copy_that_a_forwarder_sends_in_its_own_name_is_one(systems: Systems) -> None:
    copy = letter(opened(systems), "first_response")
    copy.replace_header("From", "diteruskan@forwarder.example")
    copy.replace_header("Subject", "Fwd: x")
    assert take_in(systems, received(b"Received: by forwarder\n" + copy.as_bytes())) == TakenIn("automatic", 1)


def test_other_words_under_the_id_of_our_letter_are_read(systems: Systems) -> None:
    """A program that answers under the Message-ID that it answers."""
    sent = letter(opened(systems), "first_response")
    here = {"Message_ID": str(sent["Message-ID"]), "In_Reply_To": str(sent["Message-ID"])}
    assert arrives(systems, BUDI, "Masih mati, tolong.", "Re: x", **here) == TakenIn("joined", 1)
    assert rows(systems, Outbox)[0].state == "queued"


def test_a_letter_whose_bytes_are_lost_stops_no_mail_under_its_id(systems: Systems) -> None:
    opened(systems)
    (sent,) = rows(systems, Letter)
    with systems.store.write() as session:
        session.execute(delete(Kept))
    assert arrives(systems, STRANGER, Message_ID=sent.message_id) == TakenIn("quarantined")
    assert "bytes are missing" in rows(systems, Message)[-1].reason


def test_mail_from_our_own_address_is_no_customers(systems: Systems) -> None:
    assert arrives(systems, OURS.upper(), "Halo", "Uji coba") == TakenIn("quarantined")
    assert rows(systems, Message)[0].reasons[0][0] == "our_address"
    assert arrives(systems, OURS, "Halo", "Otomatis", Auto_Submitted="auto-replied") == TakenIn("automatic")


def test_mail_from_an_alias_of_ours_is_no_customers(systems: Systems) -> None:
    (box,) = systems.settings.mailboxes
    systems.settings.mailboxes = [box.model_copy(update={"aliases": ("CS@telkom.example",)})]
    assert arrives(systems, "cs@telkom.example", "Halo", "Uji coba") == TakenIn("quarantined")


def test_the_same_words_after_the_case_has_ended_are_no_duplicate(systems: Systems) -> None:
    raw, again = mail(BUDI), mail(BUDI)
    case = CaseRun.open(take_in(systems, received(raw)).case_id or 0, systems)
    assert take_in(systems, received(again)) == TakenIn("duplicate", case.case_id)
    with systems.store.write() as session:
        finish(session, case.case_id, "closed", "informed", systems.clock.now())
    assert take_in(systems, received(raw)) == TakenIn("duplicate", case.case_id)
    assert take_in(systems, received(mail(BUDI))).outcome == "opened"


def test_the_same_mail_in_another_place_is_a_duplicate(systems: Systems) -> None:
    raw = mail(BUDI)
    take_in(systems, received(raw))
    assert take_in(systems, received(raw)) == TakenIn("duplicate", 1)
    assert (len(rows(systems, Case)), len(rows(systems, Letter)), len(rows(systems, Signal))) == (1, 1, 0)


def test_another_mail_under_the_same_id_is_none(systems: Systems) -> None:
    arrives(systems, BUDI, MATI, "Internet mati", Message_ID="<1@broken.example>")
    other = "Berapa harga paket IndiHome 100 Mbps?"
    taken = arrives(systems, BUDI, other, "Harga", Message_ID="<1@broken.example>")
    assert taken.outcome != "duplicate"


def test_another_attachment_under_the_same_id_is_seen(systems: Systems) -> None:
    message = message_from_bytes(mail(BUDI), policy=policy.default)
    assert isinstance(message, EmailMessage)
    assert take_in(systems, received(message.as_bytes())).outcome == "opened"
    message.add_attachment(b"%PDF-1.4", "application", "pdf", filename="bukti.pdf")
    assert take_in(systems, received(message.as_bytes())).outcome == "joined"


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"Subject: tanpa pengirim\n\nHalo\n", ["no_sender", ""]),
        (b"From: undisclosed\nSubject: x\n\nHalo\n", ["no_sender", ""]),
        (b"\n\n", ["unreadable", "empty"]),
        (b"", ["unreadable", "empty"]),
        (bytes(range(256)), ["unreadable", "no header, no text"]),
    ],
)
def test_what_cannot_be_answered_is_quarantined_whole(raw: bytes, reason: list[str], systems: Systems) -> None:
    assert take_in(systems, received(raw)) == TakenIn("quarantined")
    (message,) = rows(systems, Message)
    assert (message.outcome, message.reasons) == ("quarantined", [reason])
    assert systems.store.kept(message.sha256) == raw


@pytest.mark.parametrize(
    "local", ["noreply", "no-reply+b12", "Formulir.Do_Not_Reply", "jangan-balas", "ne-pas-repondre"]
)
def test_an_address_that_nobody_reads_gets_no_letter_and_its_mail_is_shown(local: str, systems: Systems) -> None:
    """It may be a contact form of the customer's, so that a person looks."""
    sender = f"{local}@pelanggan.example"
    assert (
        arrives(systems, sender) == arrives(systems, sender, "Tiket 1", "Re: [JKT-0000001]") == TakenIn("quarantined")
    )
    assert rows(systems, Message)[0].reasons == [["takes_no_answers", ""]]
    assert rows(systems, Letter) == []
    assert arrives(systems, "minoreply@pelanggan.example").outcome == "opened"


def test_a_defect_of_the_parser_stops_no_other_mail(systems: Systems, monkeypatch: pytest.MonkeyPatch) -> None:
    real = parse

    def breaks(raw: bytes, keep: Keep, **trusted: Any) -> ParsedMail:
        return real(raw[:1] * (1 // 0) if b"pecah" in raw else raw, keep, **trusted)

    monkeypatch.setattr(tasks.intake.read_mail, "parse", breaks)
    assert arrives(systems, BUDI, "pecah").outcome == "quarantined"
    assert rows(systems, Message)[0].reasons == [["defect", "ZeroDivisionError"]]
    assert arrives(systems, BUDI).outcome == "opened"


def test_a_defect_behind_the_parser_stops_none_either(systems: Systems) -> None:
    opened(systems)
    with fake(systems, "analyser", analyse=lambda *_, **__: 1 / 0):
        assert arrives(systems, BUDI, "Masih mati, tolong.").outcome == "quarantined"
    assert rows(systems, Message)[-1].reasons == [["defect", "ZeroDivisionError"]]
    assert arrives(systems, STRANGER).outcome == "opened"


def test_attachments_are_kept_once_by_content(systems: Systems) -> None:
    kept = []
    for sender in (BUDI, STRANGER):
        message = message_from_bytes(mail(sender), policy=policy.default)
        assert isinstance(message, EmailMessage)
        message.add_attachment(b"%PDF-1.4", "application", "pdf", filename="bukti.pdf")
        assert take_in(systems, received(message.as_bytes())).outcome == "opened"
        (found,) = parse(message.as_bytes()).attachments
        kept.append(found.sha256)
    assert kept[0] == kept[1]
    assert systems.store.kept(kept[0]) == b"%PDF-1.4"


def test_why_a_mail_was_not_read_is_kept_with_it(systems: Systems) -> None:
    arrives(systems, BUDI, "-----BEGIN PGP MESSAGE-----\n\nhQEM\n-----END PGP MESSAGE-----")
    (message,) = rows(systems, Message)
    assert (message.outcome, message.new_text, message.warnings) == ("opened", "", ["encrypted"])


@pytest.mark.parametrize("systems", BOTH, indirect=True)
def test_another_mail_at_a_known_place_is_taken_in(systems: Systems) -> None:
    """As after a mail server was put back to last night's backup."""
    first, other = received(mail(BUDI), uid=7), received(mail(STRANGER, "Berapa harga paket?", "Harga"), uid=7)
    assert [take_in(systems, one).case_id for one in (first, other, first, other)] == [1, 2, 1, 2]
    assert [(message.uid, message.outcome) for message in rows(systems, Message)] == [(7, "opened"), (7, "opened")]


@pytest.mark.parametrize("systems", BOTH, indirect=True)
def test_places_go_up_to_32_bits_without_a_sign(systems: Systems) -> None:
    """RFC 9051, 2.3.1.1. Dovecot's UIDVALIDITY is a time, others' is any number."""
    highest = 2**32 - 1
    here = Received(OURS, "JKT", highest, highest, mail(BUDI))
    assert take_in(systems, here).case_id == take_in(systems, here).case_id == 1
    (message,) = rows(systems, Message)
    assert (message.uidvalidity, message.uid) == (highest, highest)


def test_a_repeated_intake_changes_nothing(systems: Systems) -> None:
    here = received(mail(BUDI))
    first = take_in(systems, here)
    assert take_in(systems, here) == TakenIn("opened", first.case_id)
    for table in (Case, Message, Letter, ActivityRecord):
        assert len(rows(systems, table)) == 1, table


def test_an_intake_that_was_cut_off_is_taken_up(systems: Systems, monkeypatch: pytest.MonkeyPatch) -> None:
    """The mail was stored without its first response, as what a person takes in is."""
    here = received(mail(BUDI))
    with monkeypatch.context() as cut_off:
        cut_off.setattr(tasks.intake.store_mail, "respond", lambda *_: [])
        take_in(systems, here)
    assert rows(systems, Letter) == []
    assert len(take_in(systems, here).letters) == 1
    assert len(rows(systems, Case)) == len(rows(systems, Letter)) == 1


@pytest.mark.parametrize("systems", BOTH, indirect=True)
def test_two_intakes_at_once_open_one_case(systems: Systems) -> None:
    places = [received(mail(f"{n}@example.com", f"Internet {n} mati total.", "Mati")) for n in range(8)]
    start, taken = threading.Barrier(2), {0: [], 1: []}  # type: ignore[var-annotated]

    def take(number: int) -> None:
        start.wait(60)
        taken[number] = [take_in(systems, place) for place in places]

    threads = [threading.Thread(target=take, args=(number,)) for number in taken]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for one, two in zip(*taken.values(), strict=True):
        assert one.case_id == two.case_id
        assert {one.outcome, two.outcome} == {"opened"}
        assert len(one.letters) + len(two.letters) == 1
    assert len(rows(systems, Case)) == len(rows(systems, Letter)) == len(rows(systems, Message)) == 8


NASTY = (
    b"From: =?utf-8?B?QnVkaQBTYW50b3Nv?= <budi@example.com>\nTo: layanan@telkom.example\n"
    b"Subject: mati\x00 =?utf-8?Q?to=00tal?=\nMessage-ID: <nul\x00@pelanggan.example>\n"
    b"References: <a\x00b@c> <d@e>\nContent-Type: text/plain; charset=utf-8\n\n"
    b"Internet saya \x00 mati \xed\xa0\x80 total \xff sejak tadi.\n"
)


@pytest.mark.parametrize("systems", BOTH, indirect=True)
def test_a_mail_that_comes_while_its_case_ends_opens_another(systems: Systems) -> None:
    case, taken = opened(systems), list[TakenIn]()
    reply = partial(arrives, systems, BUDI, "Masih mati, tolong.", f"Re: [{case.reference}]")
    thread = threading.Thread(target=lambda: taken.append(reply()))
    with systems.store.write() as session:
        session.exec(select(Case).where(Case.id == case.case_id).with_for_update()).one()
        thread.start()
        thread.join(1)
        finish(session, case.case_id, "closed", "complaint", systems.clock.now())
    thread.join(60)
    assert taken[0].outcome == "opened", "nobody would read it in a closed case"


LONG = "".join(map(chr, random.Random(1).sample(range(0x20000, 0x2A000), 890)))
"""No data base can press it into a key."""


@pytest.mark.parametrize("systems", BOTH, indirect=True)
def test_no_message_id_is_too_long_for_a_data_base(systems: Systems) -> None:
    raw = f"Message-ID: <{LONG}@x>\nReferences: <{LONG}>\n".encode() + mail(BUDI)
    assert take_in(systems, received(raw)).outcome == "opened"


@pytest.mark.parametrize("raw", [NASTY, NASTY.replace(b"plain", b"html").replace(b"\x00 mati", b"&#0; mati")])
@pytest.mark.parametrize("systems", BOTH, indirect=True)
def test_no_byte_of_a_mail_breaks_a_data_base(raw: bytes, systems: Systems) -> None:
    assert take_in(systems, received(raw)).outcome == "opened"
    (message,) = rows(systems, Message)
    assert "mati" in message.text
    assert "\x00" not in message.model_dump_json()
    assert systems.store.kept(message.sha256) == raw


def test_a_case_of_another_site_has_its_reference(systems: Systems) -> None:
    take_in(systems, replace(received(mail(BUDI)), site="BDG"))
    assert CaseRun.open(1, systems).reference == "BDG-0000001"


@pytest.mark.parametrize("systems", BOTH, indirect=True)
def test_one_mail_that_comes_twice_at_once_opens_one_case(systems: Systems, monkeypatch: pytest.MonkeyPatch) -> None:
    """By To and Cc, to two mailboxes that two workers read."""
    raw, inside = mail(BUDI), threading.Barrier(2)

    def slowly(look: Look) -> Placed:
        with suppress(threading.BrokenBarrierError):
            inside.wait(1)
        return place(look)

    monkeypatch.setattr(tasks.intake.batch, "place", slowly)
    with ThreadPoolExecutor() as threads:
        taken = list(threads.map(lambda uid: take_in(systems, received(raw, uid)).outcome, (901, 902)))
    assert sorted(taken) == ["duplicate", "opened"]
    assert len(rows(systems, Letter)) == 1


@pytest.mark.parametrize("systems", BOTH, indirect=True)
@pytest.mark.parametrize("letters", [800, 2_000])
def test_a_message_id_that_no_index_holds_stops_no_mail(letters: int, systems: Systems) -> None:
    long = "".join(map(chr, random.Random(1).sample(range(0x10000, 0x1F000), letters)))
    raw = mail(BUDI).replace(b"Message-ID: <", b"Message-ID: <" + long.encode())
    assert take_in(systems, received(raw)).outcome == "opened"
    assert arrives(systems, STRANGER).outcome == "opened"


def test_what_the_data_base_refuses_is_quarantined(systems: Systems, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuses(look: Look) -> Placed:
        raise Defect("case store: DataError")

    with monkeypatch.context() as patch:
        patch.setattr(tasks.intake.batch, "place", refuses)
        assert arrives(systems, BUDI).outcome == "quarantined"
    assert rows(systems, Message)[0].reasons == [["defect", "case store: DataError"]]


@pytest.mark.parametrize("systems", ["postgresql"], indirect=True)
def test_a_value_that_an_index_cannot_hold_is_no_failure_of_the_data_base(systems: Systems) -> None:
    long = "".join(map(chr, random.Random(1).sample(range(0x10000, 0x1F000), 2_000)))
    with pytest.raises(Defect), systems.store.write() as session:
        session.add(
            Message(
                mailbox=OURS,
                uidvalidity=1,
                uid=1,
                sha256="",
                message_id=long,
                outcome="quarantined",
                received_at=systems.clock.now(),
            )
        )


@pytest.mark.parametrize(("sender", "scan"), [(BUDI, b"%PDF-1.4 two"), (STRANGER, b"%PDF-1.4 one")])
def test_what_programs_send_under_one_id_is_told_apart(sender: str, scan: bytes, systems: Systems) -> None:
    def scanned(sender: str, content: bytes) -> bytes:
        message = message_from_bytes(
            mail(sender, "Terlampir.", "Scan", Message_ID="<1@scanner>"), policy=policy.default
        )
        assert isinstance(message, EmailMessage)
        message.add_attachment(content, maintype="application", subtype="pdf", filename="scan.pdf")
        return message.as_bytes()

    first = take_in(systems, received(scanned(BUDI, b"%PDF-1.4 one")))
    taken = take_in(systems, received(scanned(sender, scan)))
    assert taken.outcome in {"opened", "joined"}
    assert take_in(systems, received(scanned(BUDI, b"%PDF-1.4 one"))) == TakenIn("duplicate", first.case_id)


@pytest.mark.parametrize("header", ["In_Reply_To", "References"])
def test_a_report_that_returns_nothing_is_tied_by_what_it_answers(header: str, systems: Systems) -> None:
    opened(systems)
    (sent,) = rows(systems, Letter)
    report = (BOUNCE % b"").replace(
        b"MIME-Version", f"{header.replace('_', '-')}: {sent.message_id}\nMIME-Version".encode()
    )
    assert take_in(systems, received(report)) == TakenIn("automatic", 1)
    assert [outbox.state for outbox in rows(systems, Outbox)] == ["bounced"]


def test_what_was_in_the_way_of_a_batch_is_logged(
    systems: Systems, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fails_together(session: Any, systems: Systems, senders: Any) -> None:
        if len(list(senders)) > 1:
            raise ZeroDivisionError

    monkeypatch.setattr(tasks.intake.batch, "alone_with", fails_together)
    mails = [received(mail(sender), uid) for uid, sender in enumerate((BUDI, STRANGER), 1)]
    assert [taken.outcome for taken in take_in_batch(systems, mails).values()] == ["opened", "opened"]
    (line,) = [line for line in caplog.records if "one by one" in line.message]
    assert line.levelname == "WARNING"
    assert line.exc_info
    assert line.exc_info[0] is ZeroDivisionError
