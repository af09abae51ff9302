"""A mail's text and attachments, and the problems met in reading them."""

import hashlib
import mimetypes
import re
import unicodedata
from collections.abc import Callable
from contextlib import suppress

from adapters.mail.charset import decode, decode_header, guess
from adapters.mail.flowed import unflowed
from adapters.mail.html_text import html_text
from adapters.mail.invitation import invitation_text
from adapters.mail.media_type import media_type
from adapters.mail.parts import Part, children, decoded, parameter, read
from adapters.mail.secured import is_encrypted, signed_content, without_armour
from adapters.mail.tnef import SIGNATURE, unpack
from models.errors import Unreadable
from models.mail import Attachment, Problem

TEXT_LIMIT = 500_000
"""Characters of text that are kept; the raw mail stays beside it."""
READ_LIMIT = 1_000_000
"""Bytes of one part that are read as text."""
ENCODED_LIMIT = 20_000_000
"""Encoded bytes of one part that are decoded for text, which may be more because of pictures embedded in HTML."""
SIGNED_LIMIT = 2
"""Opaque S/MIME signatures of one mail that are opened; one may contain another."""
CALENDARS_LIMIT = 10
"""Calendars of one mail that are read."""
TNEF_LIMIT = 5
"""Parts winmail.dat that are unpacked."""

Keep = Callable[[bytes], str]
"""Stores an attachment's bytes and returns their SHA-256."""

# parts for programs: adapters.mail.kind reads them; they are no text
_MACHINE_PARTS = {
    "message/delivery-status",
    "message/global-delivery-status",
    "message/disposition-notification",
    "message/feedback-report",
    "text/rfc822-headers",
    "message/rfc822-headers",
}
_SMIME = {"application/pkcs7-mime", "application/x-pkcs7-mime"}
_RTF = {"text/rtf", "application/rtf"}
_TEXT_DATA = {"text/calendar", "text/rtf", "text/csv", "text/vcard", "text/x-vcard", "text/directory", "text/css"}
"""Text types that are data for programs."""
_TAGGED = {"text/html", "text/enriched", "text/richtext", "text/x-amp-html", "text/watch-html"}
_HTML = re.compile(r"\s{0,99}<(?:!doctype html|html)\b", re.IGNORECASE)
"""The beginning of HTML that is declared as plain text."""
_STUB = re.compile(
    r"\b(?:not|n['’]t|tidak|unable to) (?:\w+ ){0,2}(?:support|display|show|view|read|render|mendukung|menampilkan)"
    r" (?:\w+ ){0,3}html\b|\bhtml[- ](?:capable|compatible|enabled)\b",
    re.IGNORECASE,
)
STUB_LIMIT = 400
"""Characters of the longest placeholder for the HTML beside it."""
_TNEF = {"application/ms-tnef", "application/vnd.ms-tnef"}
INLINE_DATA = re.compile(rb"data:[a-z/+.-]{1,60};base64,[A-Za-z0-9+/=\s]*", re.IGNORECASE)
_UNSAFE = re.compile(r"[\\/:*?\"<>|]")
_FORMULA = "=+-@ "


def sha256(data: bytes) -> str:
    """Hexadecimal SHA-256."""
    return hashlib.sha256(data).hexdigest()


class Body:
    """Reads a mail's parts, and passes each attachment to ``keep``."""

    def __init__(self, root: Part, keep: Keep) -> None:
        self.attachments: list[Attachment] = []
        self.problems: list[Problem] = []
        self.other_forms: list[str] = []
        """Texts of alternatives that are not shown."""
        self._keep = keep
        self._invitations: list[str] = []
        self._left = TEXT_LIMIT
        self._signed = self._tnefs = 0
        """How many signatures were opened, and how many parts winmail.dat unpacked."""
        texts = self._texts(root) or list(filter(None, self._invitations))
        text = "\n\n".join(texts)
        self.text = text[:TEXT_LIMIT]
        if len(text) > TEXT_LIMIT:
            self.problems.append(Problem.TEXT_CUT)

    def _texts(self, part: Part, *, another_form: bool = False) -> list[str]:
        """The texts that a mail program shows of a part; of alternatives the first with a text (RFC 2046, 5.1.4).

        Args:
            another_form: the part is an alternative to one that can be read.
        """
        kind = part.get_content_type()
        if part.parts:
            if kind == "multipart/encrypted":
                self.problems.append(Problem.ENCRYPTED)
            choice = kind == "multipart/alternative"
            readable = choice and any(_may_be_read(child.get_content_type()) for child in part.parts)
            texts = [text for child in part.parts for text in self._texts(child, another_form=readable)]
            if not choice:
                return texts
            shown, *others = sorted(texts, key=_is_stub) or [""]
            self.other_forms += others
            return [shown] * bool(shown)
        # some servers write prose in place of the report's fields
        prose = kind == "message/delivery-status" and not children(part)
        if kind in _MACHINE_PARTS and not prose:
            return []
        if kind in _SMIME:
            return self._smime(part)
        name = filename(part)
        if kind in _TNEF or (name.lower() == "winmail.dat" and _data(part).startswith(SIGNATURE)):
            return self._tnef(part)
        # a multipart without parts has lost its boundary: its content is shown
        lost = part.get_content_maintype() == "multipart" and not part.unopened
        own = not name and part.get_content_disposition() != "attachment"
        if own and (kind in ("text/plain", "text/html") or lost or prose):
            return list(filter(None, [self._text(part, kind)]))
        if own and part.get_content_maintype() == "text" and kind not in _TEXT_DATA:
            # an alternative to a readable part (text/x-amp-html), or the only text (RFC 2046, 4.1.4)
            return [] if another_form else list(filter(None, [self._text(part, kind)]))
        data, well = decoded(part)
        if own and kind in _RTF:
            self.problems.append(Problem.TEXT_IN_RTF)
        if not well:
            self.problems.append(Problem.TRANSFER_ENCODING)
        if kind == "text/calendar" and len(self._invitations) < CALENDARS_LIMIT:
            self._invitations.append(invitation_text(decode(data[:READ_LIMIT], charset(part))))
        self._attach(kind, name, data)
        return []

    def _text(self, part: Part, kind: str) -> str:
        if self._left <= 0:
            self.problems.append(Problem.TEXT_CUT)
            return ""
        limit = ENCODED_LIMIT if len(part.window) > ENCODED_LIMIT else None
        data, well = decoded(part, limit)
        if not well:
            self.problems.append(Problem.TRANSFER_ENCODING)
        if kind == "text/html" and len(data) > READ_LIMIT:
            data = INLINE_DATA.sub(b"", data)
        if len(data) > READ_LIMIT or limit:
            # cut at a line end, not within a character
            data = data[:READ_LIMIT].rpartition(b"\n")[0] or data[:READ_LIMIT]
            self.problems.append(Problem.TEXT_CUT)
        text, guessed = guess(data, charset(part))
        if guessed:
            self.problems.append(Problem.CHARSET_GUESSED)
        text = text.replace("\r\n", "\n").replace("\r", "\n")
        if kind in _TAGGED or _HTML.match(text):
            text = html_text(text)
        elif (parameter(part, "Content-Type", "format") or "").lower() == "flowed":
            text = unflowed(text, del_sp=(parameter(part, "Content-Type", "delsp") or "").lower() == "yes")
        if is_encrypted(text):
            self.problems.append(Problem.ENCRYPTED)
            self._attach("application/pgp-encrypted", "encrypted.asc", data)
            return ""
        text = without_armour(text).strip()
        # tags count too, because they take time
        self._left -= max(len(text), len(data) // 4)
        return text

    def _smime(self, part: Part) -> list[str]:
        """The texts of signed content; encrypted content stays an attachment."""
        data, _ = decoded(part)
        if self._signed < SIGNED_LIMIT and (content := signed_content(data)) is not None:
            self._signed += 1
            with suppress(Unreadable):
                tree = read(content)
                self.problems += tree.problems
                return self._texts(tree.root)
        signed = (parameter(part, "Content-Type", "smime-type") or "").lower().startswith(("signed", "certs"))
        self.problems.append(Problem.OPAQUE if signed else Problem.ENCRYPTED)
        self._attach(part.get_content_type(), filename(part), data)
        return []

    def _tnef(self, part: Part) -> list[str]:
        self._tnefs += 1
        if self._tnefs > TNEF_LIMIT:
            self.problems.append(Problem.TOO_MANY_PARTS)
            self._attach(part.get_content_type(), filename(part), _data(part))
            return []
        packed = unpack(_data(part))
        if packed.broken:
            self.problems.append(Problem.BROKEN_TNEF)
            self._attach(part.get_content_type(), filename(part), _data(part))
        for file in packed.files:
            self._attach(file.kind or "application/octet-stream", safe_name(file.name), file.data)
        text = packed.text or html_text(packed.html[:READ_LIMIT])
        if packed.rtf and not text:
            self._attach("application/rtf", "winmail.rtf", packed.rtf)
            self.problems.append(Problem.TEXT_IN_RTF)
        return [text] if text else []

    def _attach(self, declared: str, name: str, data: bytes) -> None:
        kind = media_type(data, decode_header(declared)[:100])
        extension = ".eml" if kind == "message/rfc822" else mimetypes.guess_extension(kind) or ".bin"
        item = Attachment(name=name or f"attachment{extension}", type=kind, size=len(data), sha256=self._keep(data))
        self.attachments.append(item)


def _is_stub(text: str) -> bool:
    """Whether the text only says that the content is in the HTML."""
    return len(text) < STUB_LIMIT and bool(_STUB.search(text))


def _may_be_read(kind: str) -> bool:
    return kind in ("text/plain", "text/html") or kind.startswith("multipart/")


def _data(part: Part) -> bytes:
    return decoded(part)[0]


def charset(part: Part) -> str | None:
    """The part's declared charset."""
    return parameter(part, "Content-Type", "charset")


def filename(part: Part) -> str:
    """The part's file name, made safe; empty without one."""
    name = parameter(part, "Content-Disposition", "filename") or parameter(part, "Content-Type", "name") or ""
    return safe_name(decode_header(name))


def safe_name(name: str) -> str:
    """A file name that is safe to show and to write: no folders, formulas, control or direction characters.

    It has at most 120 characters and 200 octets; file systems allow 255.
    """
    name = unicodedata.normalize("NFC", name.replace("\\", "/").rpartition("/")[2])
    name = "".join(char for char in name if unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Zl", "Zp"))
    stem, dot, extension = _UNSAFE.sub("_", name).strip(". ").lstrip(_FORMULA).rpartition(".")
    return f"{_cut(stem, 100, 150)}{dot}{_cut(extension, 19, 49)}" if stem else _cut(extension, 120, 200)


def _cut(text: str, characters: int, octets: int) -> str:
    return text[:characters].encode()[:octets].decode(errors="ignore")
