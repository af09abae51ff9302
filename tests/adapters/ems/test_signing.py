"""Letters are signed so that others can check it after Postfix has carried them; keys that are no use are named."""

import base64
import subprocess
from pathlib import Path
from typing import Any

import dkim
import pytest

from adapters.ems import NotLetIn
from adapters.ems.signing import signed
from models.settings import Dkim
from tests.adapters.ems.world import BUDI, OURS, World, letter
from tests.contracts import Private
from tests.servers import eventually

KEYS = (
    "signing._key gives dkim.sign an RSA key as PEM and an Ed25519 key as 32 bytes in Base64, which is not documented."
)
PARTS = [
    Private("dkim", "sign", KEYS, mentions=("privkey", "signature_algorithm=b'rsa-sha256'", "include_headers=None")),
    Private(
        "dkim",
        "DKIM.sign",
        KEYS,
        mentions=("parse_pem_private_key(privkey)", "SigningKey(privkey, encoder=nacl.encoding.Base64Encoder)"),
    ),
]


@pytest.mark.parametrize("part", PARTS, ids=str)
def test_dkimpy_is_as_we_use_it(part: Private) -> None:
    part.hold()


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("dkim") / "key.pem"
    subprocess.run(["openssl", "genrsa", "-out", file, "2048"], check=True, capture_output=True)
    return file


@pytest.fixture(scope="module")
def record(key: Path) -> bytes:
    """What the domain's DNS says."""
    command = ["openssl", "rsa", "-in", str(key), "-pubout", "-outform", "PEM"]
    pem = subprocess.run(command, check=True, capture_output=True).stdout
    return b"v=DKIM1; k=rsa; p=" + b"".join(pem.splitlines()[1:-1])


def verified(raw: bytes, record: bytes, name: bytes) -> bool:
    def dns(asked: bytes, timeout: int = 5) -> bytes:
        assert asked == name
        return record

    verify: Any = dkim.verify
    return bool(verify(raw, dnsfunc=dns))


@pytest.mark.parametrize(
    ("domain", "name"),
    [("", b"s1._domainkey.telkom.example."), ("surat.telkom.example", b"s1._domainkey.surat.telkom.example.")],
)
def test_a_signed_letter_is_verified_where_it_arrives(
    domain: str, name: bytes, genuine: World, key: Path, record: bytes
) -> None:
    raw = letter(1).replace(b"Salam", "Salam – tim".encode())
    with genuine.ems(dkim=Dkim(selector="s1", domain=domain, key_file=key)) as ems:
        ems.reach_smtp()
        ems.send(raw, OURS, [BUDI])
    (mail,) = eventually(lambda: genuine.mails(BUDI))
    assert mail.endswith(raw)
    assert verified(mail, record, name)
    assert not verified(mail.replace(b"Subject: Surat 1", b"Subject: Surat 2"), record, name)
    assert not verified(mail.replace(b"Yth.", b"Hai"), record, name)


def test_ed25519(tmp_path: Path) -> None:
    file = tmp_path / "key.pem"
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", file], check=True, capture_output=True)
    public = ["openssl", "pkey", "-in", str(file), "-pubout", "-outform", "DER"]
    der = subprocess.run(public, check=True, capture_output=True).stdout
    raw = signed(letter(1), OURS, Dkim(selector="s1", key_file=file))
    record = b"v=DKIM1; k=ed25519; p=" + base64.b64encode(der[-32:])
    assert verified(raw, record, b"s1._domainkey.telkom.example.")
    assert not verified(raw.replace(b"Subject: Surat 1", b"Subject: Surat 2"), record, b"s1._domainkey.telkom.example.")
    lines = file.read_text().splitlines()
    for broken in (lines[1][:-8], lines[1] + "AAAA", "A"):
        file.write_text("\n".join([lines[0], broken, lines[2]]))
        with pytest.raises(NotLetIn, match="KEY_FILE"):
            signed(letter(1), OURS, Dkim(selector="s1", key_file=file))


def test_a_letter_is_not_signed_unless_the_settings_say_so(genuine: World) -> None:
    with genuine.ems() as ems:
        ems.send(letter(1), OURS, [BUDI])
    assert b"DKIM-Signature" not in eventually(lambda: genuine.mails(BUDI))[0]


@pytest.mark.parametrize("text", [None, "no key"])
def test_a_key_that_is_no_use_is_no_letters_fault(text: str | None, genuine: World, tmp_path: Path) -> None:
    file = tmp_path / "key.pem"
    if text is not None:
        file.write_text(text)
    with genuine.ems(dkim=Dkim(selector="s1", key_file=file)) as ems:
        with pytest.raises(NotLetIn, match=r"dkim: \w+: check LAYANAN_SMTP__DKIM__KEY_FILE"):
            ems.send(letter(1), OURS, [BUDI])
        with pytest.raises(NotLetIn):
            ems.reach_smtp()
