"""The check of mails' DKIM signatures (RFC 6376), where the settings ask for it and our own server says nothing.

dkimpy does the sums. What it is given is bounded first: long blanks, large keys and many headers would cost it minutes.
Only signatures of the sender's very domain are looked at, so that nobody makes us ask for other domains' keys.
"""

import logging
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator
from email.message import Message
from functools import lru_cache
from typing import Any

import dkim
from dkim.crypto import DigestTooLargeError
from dkim.util import InvalidTagValueList, parse_tag_value
from dns.exception import DNSException
from dns.resolver import NXDOMAIN, LRUCache, Resolver
from nacl.exceptions import CryptoError

from models.errors import Unavailable

Lookup = Callable[[str, float], bytes | None]
"""A name's TXT record, got within so many seconds; None, where there is none. Raises Unavailable."""

HEAD_LIMIT, HEADERS_LIMIT, SIGNATURE_LIMIT, BODY_LIMIT = 100_000, 500, 4_000, 5_000_000
SIGNATURES_LIMIT = 2
"""Signatures of the domain that are tried, the topmost first."""
KEY_LIMIT = 1_500
"""Bytes of a key's record: RSA of 8,192 bits. A larger one could take minutes of sums."""
WAITING, MINUTE = 10.0, 60.0
"""Seconds of any minute that are spent on waiting for keys: no sender and no dead resolver holds intake up."""

_END_OF_HEAD = re.compile(rb"\r?\n\r?\n")
_NAME = re.compile(rb"(?:[a-z0-9_-]{1,63}\.){2,20}", re.IGNORECASE)
_COVERED = {"from", "subject"}
"""Headers that a signature must cover; Gmail's covers no Content-Type."""
_ONCE = {*_COVERED, "content-type", "content-transfer-encoding", "date", "to", "message-id", "reply-to"}
_ORDER = ("pass", "temperror", "policy", "fail")
_SILENT = logging.Logger("dkimpy", level=logging.CRITICAL + 1)  # its words quote the sender's
_BROKEN = (
    *(dkim.DKIMException, DigestTooLargeError, InvalidTagValueList, CryptoError),
    *(LookupError, ValueError, TypeError, ArithmeticError, AssertionError, AttributeError),
)
"""What dkimpy raises on broken mails, signatures and keys."""
_signer: Any = dkim.DKIM
_tags: Any = parse_tag_value


@lru_cache(maxsize=1)
def _resolver() -> Resolver:
    resolver = Resolver()
    resolver.cache = LRUCache(1_000)
    return resolver


def txt(name: str, seconds: float) -> bytes | None:
    """A name's TXT record as DNS has it.

    Raises:
        Unavailable: no server has answered in time.
    """
    try:
        answer = _resolver().resolve(name, "TXT", lifetime=seconds, raise_on_no_answer=False, search=False)
    except NXDOMAIN:
        return None
    except (DNSException, OSError) as error:
        raise Unavailable("dns", type(error).__name__) from None
    return next((b"".join(record.strings) for record in answer.rrset or ()), None)


class Signatures:
    """Checks mails one by one; each waits for keys no longer than ``seconds``, and all of them a part of any minute."""

    def __init__(self, seconds: float, lookup: Lookup = txt) -> None:
        self._seconds = seconds
        self._lookup = lookup
        self._minute = self._waited = 0.0

    def check(self, raw: bytes, message: Message, sender: str) -> str:
        """What the signatures of the sender's domain are worth. Raises for nothing that is in a mail.

        ``pass``: one holds, for sender, subject and the whole text. ``policy``: one holds, but for less, or it is weak
        or a trial. ``fail``: none holds. ``none``: there is none. ``temperror``: the key was not to be had in time.
        ``neutral``: not tried, for the mail is too large, or programs read its headers in different ways.

        Args:
            message: the same mail, as we have read it.
            sender: the address that we take for the sender's.
        """
        if "DKIM-Signature" not in message:
            return "none"
        end = _END_OF_HEAD.search(raw, 0, HEAD_LIMIT)
        head, body = (raw[: end.end()], raw[end.end() :]) if end else (raw, b"")
        names = [name.lower() for name in message]
        count = Counter(names)
        if len(head) > HEAD_LIMIT or len(names) > HEADERS_LIMIT or len(body) > BODY_LIMIT or b"\nFrom " in head:
            return "neutral"
        try:
            domain = sender.rpartition("@")[2].encode("ascii").lower()
            signer = _signer(head, logger=_SILENT)
        except _BROKEN:
            return "neutral"
        if [name.decode().lower() for name, _ in signer.headers] != names or any(count[name] > 1 for name in _ONCE):
            return "neutral"
        body = body.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
        found = list(self._results(signer, domain, body, _COVERED & count.keys()))
        return next((result for result in _ORDER if result in found), "none")

    def _results(self, signer: Any, domain: bytes, body: bytes, needed: set[str]) -> Iterator[str]:
        """What each signature of the domain is worth."""
        until = time.monotonic() + self._seconds
        tried = 0
        for index, value in enumerate([value for name, value in signer.headers if name.lower() == b"dkim-signature"]):
            if len(value) > SIGNATURE_LIMIT or tried == SIGNATURES_LIMIT:
                continue
            key = _Key(self, until)
            try:
                tags = _tags(value)
                if tags[b"d"].lower() != domain:
                    continue
                tried += 1
                relaxed = tags.get(b"c", b"").endswith(b"/relaxed")
                signer.body = _single_blanks(body) if relaxed else body
                holds = signer.verify(index, dnsfunc=key.record)
            except Unavailable:
                yield "temperror"
            except _BROKEN:
                yield "fail"
            else:
                covered = {name.decode("ascii", "replace") for name in signer.include_headers}
                partly = b"l" in tags or tags[b"a"] == b"rsa-sha1" or not needed <= covered or key.on_trial
                yield "fail" if not holds else "policy" if partly else "pass"

    def ask(self, name: bytes, until: float) -> bytes | None:
        """The record of a key that can be used.

        Raises:
            Unavailable: it was not to be had in time.
        """
        if not _NAME.fullmatch(name):
            return None
        now = time.monotonic()
        if now - self._minute > MINUTE:
            self._minute, self._waited = now, 0.0
        if now >= until or self._waited >= WAITING:
            raise Unavailable("dns", "too slow")
        try:
            record = self._lookup(name.decode(), until - now)
        finally:
            self._waited += time.monotonic() - now
        return record if record and len(record) <= KEY_LIMIT else None


class _Key:
    """The key that dkimpy asks for."""

    def __init__(self, signatures: Signatures, until: float) -> None:
        self._signatures = signatures
        self._until = until
        self.on_trial = False

    def record(self, name: bytes, timeout: float) -> bytes | None:
        """dkimpy's ``dnsfunc``; the time is ours."""
        record = self._signatures.ask(name, self._until)
        self.on_trial = record is not None and b"y" in _tags(record).get(b"t", b"").split(b":")
        return record


def _single_blanks(body: bytes) -> bytes:
    """What the relaxed form makes of blanks; dkimpy's own way takes hours for a million of them."""
    body = body.replace(b"\t", b" ")
    while b"  " in body:
        body = body.replace(b"  ", b" ")
    return body
