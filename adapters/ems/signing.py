"""Letters are signed (DKIM, RFC 6376) where the settings name a key and the server for letters does not do it."""

from adapters.ems.protocol import NotLetIn
from models.settings import Dkim

SIGNED = (
    *(b"from", b"to", b"subject", b"date", b"message-id", b"in-reply-to", b"references"),
    *(b"mime-version", b"content-type", b"content-transfer-encoding", b"auto-submitted"),
)
"""Headers that a signature covers, where the letter has them."""


def signed(raw: bytes, sender: str, by: Dkim) -> bytes:
    """The letter, its signature before it.

    Raises:
        NotLetIn: the key cannot be used; the letter waits until a person has mended that.
    """
    import dkim  # what is not signed does without it

    domain = by.domain or sender.rpartition("@")[2]
    try:
        key = by.key_file.read_bytes()
        signature: bytes = dkim.sign(
            raw,
            by.selector.encode(),
            domain.encode("idna"),
            key,
            canonicalize=(b"relaxed", b"relaxed"),
            include_headers=SIGNED,
        )
    except (OSError, UnicodeError, dkim.DKIMException) as error:
        raise NotLetIn("dkim", f"{type(error).__name__}: look at LAYANAN_SMTP__DKIM__KEY_FILE and __DOMAIN") from None
    return signature + raw
