"""Letters are signed (DKIM, RFC 6376) where the settings name a key and the server for letters does not do it."""

import base64

from adapters.ems.protocol import NotLetIn
from models.settings import Dkim

SIGNED = (
    *(b"from", b"to", b"reply-to", b"subject", b"date", b"message-id", b"in-reply-to", b"references"),
    *(b"mime-version", b"content-type", b"content-transfer-encoding", b"auto-submitted"),
)
"""Headers that a signature covers, where the letter has them."""
_ED25519 = bytes.fromhex("302e020100300506032b657004220420")
"""How such a key begins (RFC 8410), before its 32 bytes."""


def signed(raw: bytes, sender: str, by: Dkim) -> bytes:
    """The letter, its signature before it.

    Raises:
        NotLetIn: the key cannot be used; the letter waits until a person has fixed that.
    """
    import dkim  # what is not signed does without it

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
        raise NotLetIn("dkim", f"{type(error).__name__}: look at LAYANAN_SMTP__DKIM__KEY_FILE and __DOMAIN") from None
    return signature + raw


def _key(pem: bytes) -> tuple[bytes, bytes]:
    """The algorithm that a key is for, and the key as dkimpy wants it."""
    der = base64.b64decode(b"".join(line for line in pem.splitlines() if not line.startswith(b"--")))
    if der.startswith(_ED25519):
        return b"ed25519-sha256", base64.b64encode(der.removeprefix(_ED25519))
    return b"rsa-sha256", pem
