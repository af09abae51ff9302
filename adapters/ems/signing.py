"""Signs letters (DKIM, RFC 6376), for relays that do not sign them."""

import base64

from adapters.ems.protocol import NotLetIn
from models.settings import Dkim

SIGNED = (
    *(b"from", b"to", b"reply-to", b"subject", b"date", b"message-id", b"in-reply-to", b"references"),
    *(b"mime-version", b"content-type", b"content-transfer-encoding", b"auto-submitted"),
)
"""Headers that the signature covers if the letter has them."""
_ED25519 = bytes.fromhex("302e020100300506032b657004220420")
"""The DER prefix of an Ed25519 key (RFC 8410); the 32 bytes of the key follow."""


def signed(raw: bytes, sender: str, by: Dkim) -> bytes:
    """The letter with its signature.

    Raises:
        NotLetIn: the key cannot be used; the letter waits until a person has fixed that.
    """
    import dkim  # loaded only if letters are signed

    domain = by.domain or sender.rpartition("@")[2]
    try:
        algorithm, key = _key(by.key_file.read_bytes())
        signature: bytes = dkim.sign(
            raw,
            by.selector.encode(),
            domain.encode("idna"),
            key,
            signature_algorithm=algorithm,
            canonicalize=(b"relaxed", b"relaxed"),
            include_headers=SIGNED,
        )
    except (OSError, ValueError, dkim.DKIMException) as error:
        raise NotLetIn("dkim", f"{type(error).__name__}: check LAYANAN_SMTP__DKIM__KEY_FILE and __DOMAIN") from None
    return signature + raw


def _key(pem: bytes) -> tuple[bytes, bytes]:
    """The key's algorithm, and the key in the form that dkimpy expects."""
    der = base64.b64decode(b"".join(line for line in pem.splitlines() if not line.startswith(b"--")))
    if der.startswith(_ED25519):
        return b"ed25519-sha256", base64.b64encode(der.removeprefix(_ED25519))
    return b"rsa-sha256", pem
