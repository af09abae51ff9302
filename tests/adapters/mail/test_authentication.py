"""What our own server found out of a sender, and what misleads."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.mail.parser import parse
from models.mail import Authentication, Caution, Doubt
from models.reasons import warnings_said

OURS = "mx.telkom.example"


def mail(*headers: str, sender: str = "Budi <budi@example.com>") -> bytes:
    return "\n".join([*headers, f"From: {sender}", "Subject: x", "", "halo"]).encode()


def results(*headers: str) -> Authentication:
    return parse(mail(*(f"Authentication-Results: {header}" for header in headers)), authserv_id=OURS).authentication


def test_results_of_our_own_server() -> None:
    found = results(
        f"{OURS}; spf=pass smtp.mailfrom=x; dkim=none (a (nested) note); dmarc=fail (p=reject) header.from=y"
    )
    assert found == Authentication(spf="pass", dkim="none", dmarc="fail")


@pytest.mark.parametrize(
    "header", ["mx.other.example; dmarc=fail", "", ";;;", f"{OURS}", f"{OURS}; =; dmarc", f"{OURS}; ((((dmarc=fail"]
)
def test_nobody_elses_and_nothing_broken(header: str) -> None:
    assert results(header) == Authentication()


def test_of_each_method_the_topmost_counts() -> None:
    assert results(f"{OURS} 1; dmarc=fail", f"{OURS}; dmarc=pass; spf=PASS").model_dump() == {
        "spf": "pass", "dkim": "", "dmarc": "fail", "disowned_by": "",
    }  # fmt: skip


@pytest.mark.parametrize(
    "before",
    [
        'spf=none smtp.mailfrom="x; dmarc=pass"@evil.example',
        'spf=none smtp.mailfrom="("@evil.example',
        r'spf=none smtp.mailfrom="\"("@evil.example',
        r"spf=none (a \) note; dmarc=pass; ) smtp.mailfrom=x",
        "spf=none smtp.helo=(",
        "; ".join(f"dkim=fail header.d=evil{number}.example header.s=a" for number in range(200)),
    ],
)
def test_nothing_that_a_sender_chooses_hides_the_verdict(before: str) -> None:
    assert results(f"{OURS}; {before}; dmarc=fail header.from=example.com").dmarc == "fail"


@pytest.mark.parametrize(
    ("sender", "judged", "forged"),
    [
        ("Budi <budi@example.com>", "example.com", False),
        ("Budi <budi@mail.example.com>", '"Example.com"', False),
        ("Budi <budi@münchen.example>", "xn--mnchen-3ya.example", False),
        ("budi@example.com, x@evil.example", "evil.example", True),
        ("<budi@example.com> <x@evil.example>", "evil.example", True),
        ("budi@example.com", "anexample.com", True),
    ],
)
def test_a_verdict_on_another_address_is_none_on_the_sender(sender: str, judged: str, forged: bool) -> None:
    verdict = f"Authentication-Results: {OURS}; dmarc=pass header.from={judged}"
    assert parse(mail(verdict, sender=sender), authserv_id=OURS).forged is forged


@pytest.mark.parametrize(
    ("verdict", "forged"),
    [
        ("spf=fail smtp.mailfrom=example.com; dkim=none; dmarc=none", True),
        ("spf=fail smtp.mailfrom=x@bounce.example.com", True),
        ("spf=fail (not permitted); dmarc=temperror header.from=example.com", True),
        ("spf=fail smtp.mailfrom=example.com; dkim=pass header.d=evil.example; dmarc=none", True),
        ("spf=fail smtp.mailfrom=example.com; dkim=fail header.d=example.com", True),
        ("spf=fail smtp.mailfrom=example.com; dkim=pass", True),
        ("spf=fail smtp.helo=mx.evil.example smtp.mailfrom=<example.com>", True),
        (f"spf=fail smtp.mailfrom={'a' * 99}@example.com", True),
        ("spf=softfail smtp.mailfrom=example.com; dmarc=none", False),
        ("spf=fail smtp.mailfrom=list.example; dmarc=none", False),
        ("spf=fail smtp.helo=example.com smtp.mailfrom=list.example", False),
        ("spf=fail smtp.mailfrom=example.com; dmarc=pass header.from=example.com", False),
        ("spf=fail smtp.mailfrom=example.com; dkim=pass header.d=esp.example; dkim=pass header.d=example.com", False),
        ("spf=fail smtp.mailfrom=example.com; dkim=fail header.d=x.example; dkim=pass header.i=@example.com", False),
    ],
)
def test_where_no_dmarc_says_more_spf_disowns_a_mail_of_the_same_domain(verdict: str, forged: bool) -> None:
    assert parse(mail(f"Authentication-Results: {OURS}; {verdict}"), authserv_id=OURS).forged is forged


def test_results_may_stand_in_several_headers() -> None:
    headers = [f"Authentication-Results: {OURS}; {one}" for one in ("dkim=pass header.d=example.com", "spf=fail")]
    assert not parse(mail(*headers), authserv_id=OURS).forged
    assert not parse(mail(*reversed(headers)), authserv_id=OURS).forged
    below = [*headers[1:], f"Authentication-Results: {OURS}; dkim=none", headers[0]]
    assert parse(mail(*below), authserv_id=OURS).forged


def test_no_result_is_believed_where_we_have_no_server() -> None:
    assert parse(mail(f"Authentication-Results: {OURS}; dmarc=fail")).authentication == Authentication()


@pytest.mark.parametrize(
    ("raw", "warning"),
    [
        (mail(sender='"CS Telkom <cs@telkom.co.id>" <a@example.com>'), "another address"),
        (mail(sender="CS cs@telkom.co.id <a@example.com>"), "another address"),
        (mail(sender="budi@example.com, ani@toko.example"), "another address"),
        (mail("From: budi@example.com", sender="ani@toko.example"), "another address"),
        (mail("Reply-To: x@elsewhere.example"), "another domain"),
        (mail(sender="Budi <budi@xn--tlkom-4ve.example>"), "alphabets"),
        (mail(sender="Apel <a@xn--80ak6aa92e.example>"), "only look like Latin"),
        (mail(sender="Budi <budi@e\u0332xample.com>"), "alphabets"),
        (mail(f"Authentication-Results: {OURS}; spf=softfail"), "SPF: softfail"),
    ],
)
def test_warnings(raw: bytes, warning: str) -> None:
    parsed = parse(raw, authserv_id=OURS)
    found = warnings_said((), parsed.cautions, parsed.authentication.model_dump())
    assert [warning in words for words in found] == [True]


@pytest.mark.parametrize(
    "sender",
    [
        "Budi <budi@example.com>",
        "b@xn--mnchen-3ya.example",
        "b@xn--e1afmkfd.xn--p1ai",
        "b@xn--80a1acny.xn--p1ai",
        "b@123.example",
        '"budi@example.com" <budi@example.com>',
        "budi@example.com <Budi@Example.com>",
    ],
)
def test_nothing_odd_nothing_said(sender: str) -> None:
    assert parse(mail(f"Reply-To: {sender}", sender=sender)).cautions == ()


@given(st.text(max_size=300))
def test_any_header_is_read(text: str) -> None:
    parse(mail("Authentication-Results: " + text.replace("\n", " ").replace("\r", " ")), authserv_id=OURS)


@pytest.mark.parametrize(
    "mailfrom",
    ['"x; dmarc=pass"@evil.example', '"("@evil.example', r'"\"; dmarc=pass;("@evil.example', r"(\( \) ; dmarc=pass) x"],
)
def test_what_a_sender_writes_is_no_result_of_ours(mailfrom: str) -> None:
    found = results(f"{OURS}; spf=pass smtp.mailfrom={mailfrom}; dmarc=fail header.from=example.com")
    assert found == Authentication(spf="pass", dmarc="fail")


@pytest.mark.parametrize("name", ["MX.Telkom.example 1", f'"{OURS}"', f"(a note) {OURS}", f"{OURS}/1"])
def test_our_server_is_known_however_it_writes_its_name(name: str) -> None:
    assert results(f"{name}; dmarc=fail").dmarc == ("" if name.endswith("/1") else "fail")


@pytest.mark.parametrize(
    "senders",
    [
        ["From: korban@example.com", "From: me@evil.example"],
        ["From: Korban <korban@example.com>, me@evil.example"],
    ],
)
def test_of_senders_of_several_domains_none_is_believed(senders: list[str]) -> None:
    raw = "\n".join([f"Authentication-Results: {OURS}; dmarc=pass", *senders, "Subject: x", "", "halo"]).encode()
    found = parse(raw, authserv_id=OURS)
    assert found.sender == "korban@example.com"
    assert found.forged
    assert found.doubts == (Doubt.SEVERAL_SENDERS,)


@pytest.mark.parametrize(
    "senders",
    [
        ["budi@example.com", "budi@example.com"],
        ["budi@example.com", "Ani"],
        ["budi@example.com, Ani <ani@example.com>"],
        ["ani@example.com <budi@example.com>"],
        ["budi@example.com@evil.example"],
        ['"budi@example.com"@evil.example'],
        ["<@evil.example:budi@example.com>"],
        ["budi@example.com (x@evil.example)"],
        ["=?utf-8?q?budi=40example.com?="],
        ["Budi <budi@example.com> x@example.com"],
        ["budi @example.com"],
        ["budi@example.com\\@evil.example"],
    ],
)
def test_a_from_that_is_read_in_two_ways_is_not_believed(senders: list[str]) -> None:
    """Our mail server, or a person's program, may take another one for the sender."""
    raw = "\n".join([f"Authentication-Results: {OURS}; dmarc=pass", *(f"From: {one}" for one in senders), "", "halo"])
    found = parse(raw.encode(), authserv_id=OURS)
    assert found.forged
    assert Doubt.TWO_READINGS in found.doubts


@pytest.mark.parametrize(
    "sender",
    [
        "budi@example.com",
        "<BUDI@example.com>",
        "Budi, Santoso <budi@example.com>",
        '"ani@other.example" <budi@example.com>',
        "=?utf-8?q?ani=40other.example?= <budi@example.com>",
        "budi@example.com (Budi Santoso)",
        "budi@example.com <budi@example.com>",
        "Toko: budi@example.com;",
        "Budi\n <budi@example.com>",
        "Müller <m@xn--mller-kva.example>",
        "m@müller.example",
        "",
    ],
)
def test_a_from_that_names_one_address_is_read_in_one_way(sender: str) -> None:
    assert not parse(mail(sender=sender)).forged


@pytest.mark.parametrize(
    "domain",
    [
        *("ｅｘａｍｐｌｅ.com", "example．com", "example。com", "example｡com", "exam\u00adple.com", "example.com."),
        *("ⓔxample.com", "exa\u200bmple.com", "example..com", ".example.com", "𝐞𝐱𝐚𝐦𝐩𝐥𝐞.com", "example.ⅽom"),
        *("ＥＸＡＭＰＬＥ.com", "xn--ex-ample-.com", "exa\ufe0fmple.com"),
    ],
)
def test_a_domain_that_only_becomes_another_one_is_not_that_one(domain: str) -> None:
    found = parse(mail(f"Authentication-Results: {OURS}; dmarc=pass", sender=f"<budi@{domain}>"), authserv_id=OURS)
    assert found.sender != "budi@example.com"
    assert found.forged
    assert Doubt.ODD_DOMAIN in found.doubts


@pytest.mark.parametrize("address", ["budi@ban\u212a.example", "\u212aadir@bank.example"])
def test_no_letter_becomes_one_of_ascii(address: str) -> None:
    """As the Kelvin sign does, whose small letter is a k."""
    assert parse(mail(sender=f"<{address}>")).sender == address


@pytest.mark.parametrize("domain", ["EXAMPLE.com", "münchen.example", "MÜNCHEN.example", "xn--mnchen-3ya.example"])
def test_a_domain_in_its_own_letters_is_believed(domain: str) -> None:
    assert parse(mail(sender=f"<budi@{domain}>")).doubts == ()


def test_replies_to_a_domain_that_only_resembles_the_senders_are_told() -> None:
    found = parse(mail("Reply-To: budi@ｅｘａｍｐｌｅ.com"))
    assert Caution.REPLIES_ELSEWHERE in found.cautions
