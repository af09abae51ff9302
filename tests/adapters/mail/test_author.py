"""Who wrote a mail that a group of ours or a form has passed on, and when nobody but From is believed."""

import pytest

from adapters.mail.parser import parse
from models.mail import Automatic, Caution, Ours, ParsedMail
from tests.adapters.mail.test_parser import MAILS

OURS = Ours(frozenset({"layanan@telkom.example", "cs@telkom.example"}), frozenset({"kirim@formulir.example"}))
GROUP = "List-Id: <cs.telkom.example>\nList-Post: <mailto:cs@telkom.example>\nPrecedence: list\n"
REWRITTEN = f"From: Ani via CS <cs@telkom.example>\n{GROUP}"


def read(raw: str, ours: Ours = OURS, authserv_id: str = "") -> ParsedMail:
    return parse(f"{raw}Subject: Internet mati\n\nInternet mati.\n".encode(), ours=ours, authserv_id=authserv_id)


def of(name: str) -> ParsedMail:
    return parse((MAILS / f"{name}.eml").read_bytes(), ours=OURS)


@pytest.mark.parametrize(
    ("name", "passed_on", "told"),
    [
        ("group_direct", "", "Dewi Anggraini"),
        ("group_google", "group", "Dewi Anggraini"),
        ("group_mailman", "group", "Dewi Anggraini"),
    ],
)
def test_what_a_group_of_ours_passes_on_is_its_authors(name: str, passed_on: str, told: str) -> None:
    mail = of(name)
    assert (mail.sender, mail.sender_name, mail.passed_on) == ("dewi@pelanggan.example", told, passed_on)
    assert (mail.automatic, mail.list_name, mail.forged) == (None, "", False)
    assert "nsubscribe" not in mail.new_text, "the group's footer is no customer's word"


def test_a_form_that_the_settings_name_gives_its_customer() -> None:
    mail = of("form_service")
    assert (mail.sender, mail.sender_name, mail.passed_on) == ("galih@pelanggan.example", "", "form")
    assert (mail.automatic, mail.cautions) == (None, (Caution.TYPED_SENDER,))
    own = Ours(OURS.addresses, frozenset({"layanan@telkom.example"}))
    mail = parse((MAILS / "form_own_address.eml").read_bytes(), ours=own)
    assert (mail.sender, mail.sender_name, mail.passed_on) == ("galih@pelanggan.example", "Galih Pratama", "form")


def test_a_form_that_no_setting_names_is_who_it_says() -> None:
    assert of("form_own_address").sender == "layanan@telkom.example"
    raw = (MAILS / "form_service.eml").read_bytes()
    mail = parse(raw, ours=Ours(OURS.addresses))
    assert (mail.sender, mail.passed_on, mail.automatic) == ("kirim@formulir.example", "", Automatic.AUTO_REPLY)


@pytest.mark.parametrize(
    "raw",
    [
        "From: asing@lain.example\nReply-To: budi@example.com\n",
        "From: asing@lain.example\nX-Original-Sender: budi@example.com\nX-Original-From: budi@example.com\n",
        f"From: asing@lain.example\n{GROUP}X-Original-Sender: budi@example.com\nReply-To: budi@example.com\n",
        "From: asing@lain.example\nSender: cs@telkom.example\nReply-To: budi@example.com\n",
    ],
)
def test_headers_that_anybody_can_write_change_no_sender(raw: str) -> None:
    assert (read(raw).sender, read(raw).passed_on) == ("asing@lain.example", "")


@pytest.mark.parametrize(
    ("raw", "sender"),
    [
        ("X-Original-From: ani@a.example\nX-Original-Sender: budi@b.example\nReply-To: c@c.example\n", "ani@a.example"),
        ("X-Original-Sender: budi@b.example\nReply-To: c@c.example\n", "budi@b.example"),
        ("Reply-To: cs@telkom.example, c@c.example\n", "c@c.example"),
        ("X-Original-From: Ani <ani@Exämple.example>\n", "ani@xn--exmple-cua.example"),
        # nobody, or more than one
        ("", "cs@telkom.example"),
        ("Reply-To: ani@a.example, budi@b.example\n", "cs@telkom.example"),
        ("X-Original-Sender: ani@a.example, budi@b.example\nReply-To: c@c.example\n", "cs@telkom.example"),
        # our own form by way of the group, which no setting names
        ("X-Original-Sender: layanan@telkom.example\nReply-To: c@c.example\n", "cs@telkom.example"),
    ],
)
def test_behind_a_group_in_from_the_one_author_that_it_names(raw: str, sender: str) -> None:
    assert read(REWRITTEN + raw).sender == sender


def test_our_address_in_from_without_a_list_of_ours_is_no_group() -> None:
    raw = "From: cs@telkom.example\nX-Original-Sender: ani@a.example\nReply-To: ani@a.example\n"
    assert read(raw).sender == "cs@telkom.example"
    assert read(f"{raw}List-Id: <promo.lain.example>\n").sender == "cs@telkom.example"


def test_a_form_with_nobody_to_answer_is_the_forms() -> None:
    for reply_to in ("", "Reply-To: cs@telkom.example\n", "Reply-To: a@a.example, b@b.example\n"):
        mail = read(f"From: kirim@formulir.example\n{reply_to}")
        assert (mail.sender, mail.passed_on) == ("kirim@formulir.example", "")


def test_who_forges_our_own_address_is_told_apart() -> None:
    raw = f"{REWRITTEN}X-Original-Sender: ani@a.example\nAuthentication-Results: mx.telkom.example; dmarc={{}}\n"
    verdict = "{} header.from=telkom.example"
    assert not read(raw.format(verdict.format("pass")), authserv_id="mx.telkom.example").forged
    assert read(raw.format(verdict.format("fail")), authserv_id="mx.telkom.example").forged
    form = (
        "From: kirim@formulir.example\nReply-To: ani@a.example\nAuthentication-Results: mx.telkom.example; dmarc=fail\n"
    )
    assert read(form, authserv_id="mx.telkom.example").forged


@pytest.mark.parametrize("header", ["X-Original-Authentication-Results", "ARC-Authentication-Results"])
def test_what_the_group_found_forged_stays_forged(header: str) -> None:
    raw = f"{REWRITTEN}X-Original-Sender: ani@a.example\n{header}: i=1; mx.example; dmarc=fail header.from={{}}\n"
    assert read(raw.format("a.example")).forged
    assert not read(raw.format("b.example")).forged
    assert not read(raw.format("a.example").replace("=fail", "=pass")).forged
    assert not read(raw.format("a.example").replace(REWRITTEN, "From: ani@a.example\n")).forged, "no group rewrote it"


@pytest.mark.parametrize(
    "raw",
    [
        "List-Id: CS <cs.telkom.example>\n",
        "List-ID: cs.telkom.example\n",
        "X-BeenThere: cs@telkom.example\nX-Mailman-Version: 2.1.39\n",
        "Mailing-list: list CS@Telkom.example; contact cs+owners@telkom.example\nX-Google-Group-Id: 1\n",
        "List-Post: <https://groups.example/cs>, <mailto:cs@telkom.example>\nList-Unsubscribe: <https://g.example>\n",
        "Delivered-To: mailing list cs@telkom.example\nPrecedence: bulk\n",
    ],
)
def test_lists_of_ours_are_known_by_what_lists_write(raw: str) -> None:
    mail = read(f"From: ani@a.example\n{raw}")
    assert (mail.automatic, mail.sender) == (None, "ani@a.example")
    other = read(f"From: ani@a.example\n{raw}".replace("cs", "warga").replace("CS", "warga"))
    assert other.automatic is Automatic.LIST


def test_another_list_beside_ours_is_a_list() -> None:
    mail = read(f"From: ani@a.example\nX-BeenThere: promo@lain.example\n{GROUP}")
    assert (mail.automatic, mail.list_name) == (Automatic.LIST, "promo@lain.example")


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ("List-Id: <promo.lain.example>", "promo.lain.example"),
        ("List-Id: <cs.lists.lain.example>\nList-Post: <mailto:cs@lists.lain.example>", "cs@lists.lain.example"),
        ("List-Unsubscribe: <https://lain.example>", ""),
    ],
)
def test_the_list_that_an_alias_would_make_ours_is_named(header: str, name: str) -> None:
    mail = read(f"From: ani@a.example\n{header}\n")
    assert (mail.automatic, mail.list_name) == (Automatic.LIST, name)


def test_robots_and_mailings_through_our_group_stay_what_they_are() -> None:
    promo = f"From: toko@toko.example\n{GROUP}Subject: Promo\n\nDiskon!\n\nUnsubscribe: https://toko.example\n"
    found = parse(promo.encode(), ours=OURS)
    assert (found.automatic, found.doubtful) == (Automatic.LIST, False)
    assert read(f"From: ani@a.example\n{GROUP}Auto-Submitted: auto-replied\n").automatic is Automatic.AUTO_REPLY
    bounce = f"From: MAILER-DAEMON@a.example\n{GROUP}Subject: failed\n\n<ani@a.example>: 550 no\n"
    assert parse(bounce.encode(), ours=OURS).automatic is Automatic.BOUNCE


@pytest.mark.parametrize("header", ["X-MS-Exchange-Inbox-Rules-Loop", "Resent-From"])
def test_what_a_rule_of_our_own_mailbox_forwards_is_shown_to_a_person(header: str) -> None:
    """Exchange marks it as generated, whoever wrote it."""
    mail = read(f"From: ani@a.example\nAuto-Submitted: auto-generated\n{header}: CS@telkom.example\n")
    assert (mail.automatic, mail.doubtful) == (Automatic.AUTO_REPLY, True)
    mail = read(f"From: ani@a.example\nAuto-Submitted: auto-generated\n{header}: lain@lain.example\n")
    assert (mail.automatic, mail.doubtful) == (Automatic.AUTO_REPLY, False)


def test_a_customers_own_signature_is_no_footer() -> None:
    raw = f"From: ani@a.example\n{GROUP}Subject: x\n\nHalo\n\n-- \nAni Wijaya, PT Maju\n"
    assert "Ani Wijaya" in parse(raw.encode(), ours=OURS).text
    other = raw.replace("Ani Wijaya", "Tulis ke promo@lain.example")
    assert parse(other.encode(), ours=OURS).automatic is None
