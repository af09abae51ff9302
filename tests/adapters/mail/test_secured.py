"""S/MIME as cryptography and OpenSSL write it."""

import base64
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import pkcs7

from adapters.mail.parser import parse
from adapters.mail.secured import signed_content
from models.mail import Problem

INNER = b"Content-Type: text/plain; charset=utf-8\r\n\r\nInternet saya mati total."
HEAD = b"From: budi@pelanggan.example\r\nMessage-ID: <1@a>\r\nDate: Tue, 3 Mar 2026 10:12:00 +0700\r\n"
OID = bytes.fromhex("06092a864886f70d010702")
Identity = tuple[x509.Certificate, rsa.RSAPrivateKey]


@pytest.fixture(scope="module")
def identity() -> Identity:
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Budi")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(now).not_valid_after(now + timedelta(days=1))
    return builder.sign(key, hashes.SHA256()), key


def signed(identity: Identity, encoding: serialization.Encoding, *options: pkcs7.PKCS7Options) -> bytes:
    builder = pkcs7.PKCS7SignatureBuilder().set_data(INNER).add_signer(*identity, hashes.SHA256())
    return builder.sign(encoding, list(options))


def test_content_with_its_signature_beside_it_is_read(identity: Identity) -> None:
    options = (pkcs7.PKCS7Options.DetachedSignature,)
    mail = parse(HEAD + signed(identity, serialization.Encoding.SMIME, *options))
    assert (mail.text, mail.problems) == ("Internet saya mati total.", ())
    assert [item.name for item in mail.attachments] == ["smime.p7s"]


def test_content_within_its_signature_is_read(identity: Identity) -> None:
    assert signed_content(signed(identity, serialization.Encoding.DER)) == INNER
    head = HEAD + b"Content-Type: application/pkcs7-mime; name=smime.p7m\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    mail = parse(head + base64.encodebytes(signed(identity, serialization.Encoding.DER)))
    assert (mail.text, mail.problems, mail.attachments) == ("Internet saya mati total.", (), ())


def test_open_lengths_and_pieces_are_read() -> None:
    pieces = b"\xa0\x80\x24\x80" + b"\x04\x03hai" + b"\x04\x01!" + b"\0\0\0\0"
    content = b"\x30\x80" + OID[:-1] + b"\x01" + pieces + b"\0\0"
    whole = b"\x30\x80" + OID + b"\xa0\x80\x30\x80" + b"\x02\x01\x01" + b"\x31\x00" + content + b"\0\0\0\0\0\0"
    assert signed_content(whole) == b"hai!"
    for cut in range(len(whole) - 15):
        signed_content(whole[:cut])
    assert signed_content(b"\x30\x80" * 100_000) is None
    assert signed_content(b"\x30\x80" + b"\x04\x00" * 1_000_000) is None


def test_signatures_within_signatures_are_not_opened_without_end() -> None:
    def length(data: bytes) -> bytes:
        return b"\x84" + len(data).to_bytes(4, "big") + data

    mail = INNER
    for _ in range(300):
        octets = b"\xa0" + length(b"\x04" + length(mail))
        content = b"\x30" + length(OID[:-1] + b"\x01" + octets)
        signed_data = b"\x30" + length(b"\x02\x01\x01\x31\x00" + content)
        sealed = b"\x30" + length(OID + b"\xa0" + length(signed_data))
        mail = b"Content-Type: application/pkcs7-mime; smime-type=signed-data\r\n\r\n" + sealed
    parsed = parse(HEAD + mail)
    assert (parsed.text, parsed.problems) == ("", (Problem.OPAQUE,))


def test_encrypted_content_is_a_persons(identity: Identity) -> None:
    builder = pkcs7.PKCS7EnvelopeBuilder().set_data(INNER).add_recipient(identity[0])
    mail = parse(HEAD + builder.encrypt(serialization.Encoding.SMIME, []))
    assert (mail.text, mail.problems) == ("", (Problem.ENCRYPTED,))
    assert [item.name for item in mail.attachments] == ["smime.p7m"]


def test_a_signature_that_cannot_be_opened_is_a_persons() -> None:
    mail = parse(HEAD + b"Content-Type: application/pkcs7-mime; smime-type=signed-data\r\n\r\nrusak")
    assert mail.problems == (Problem.OPAQUE,)
