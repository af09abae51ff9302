"""Finds a file's type by its first bytes, because its name and declared type prove nothing.

Held by `tests/adapters/mail/test_parser.py`.
"""

import re

_SIGNATURES = {
    "application/pdf": rb"%PDF-",
    "image/png": rb"\x89PNG\r\n\x1a\n",
    "image/jpeg": rb"\xff\xd8\xff",
    "image/gif": rb"GIF8[79]a",
    "image/webp": rb"RIFF.{4}WEBP",
    "image/tiff": rb"II\*\x00|MM\x00\*",
    "image/bmp": rb"BM.{4}\x00{4}",
    "image/heic": rb".{4}ftyp(?:heic|heix|mif1)",
    "video/mp4": rb".{4}ftyp(?:isom|iso2|mp4|avc1|M4V |3gp|qt)",
    "audio/mpeg": rb"ID3[\x02-\x04]",
    "audio/ogg": rb"OggS\x00",
    "audio/amr": rb"#!AMR",
    "audio/x-wav": rb"RIFF.{4}WAVE",
    "application/rtf": rb"\{\\rtf",
    "application/gzip": rb"\x1f\x8b\x08",
    "application/x-7z-compressed": rb"7z\xbc\xaf\x27\x1c",
    "application/vnd.rar": rb"Rar!\x1a\x07",
    "application/x-msdownload": rb"MZ.{58}.\x00\x00\x00|MZ\x90\x00",
    "application/x-executable": rb"\x7fELF",
    "application/zip": rb"PK(?:\x03\x04|\x05\x06)",
    "application/x-ole-storage": rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
}
_KNOWN = re.compile(
    b"|".join(b"(?P<t%d>%b)" % (number, signature) for number, signature in enumerate(_SIGNATURES.values())), re.DOTALL
)
_TYPES = tuple(_SIGNATURES)
# containers, and the declared types that name their content
_WITHIN = {
    "application/zip": re.compile(r"application/(?:vnd\.|epub|java|x-zip|.+\+zip$)"),
    "application/x-ole-storage": re.compile(r"application/(?:msword|vnd\.|ms|x-ms)"),
    "application/rtf": re.compile(r"text/rtf|text/richtext|application/msword"),
    "application/gzip": re.compile(r"application/(?:x-gzip|x-tar|x-compressed|x-gtar)"),
    "image/jpeg": re.compile(r"image/p?jpe?g"),
    "audio/ogg": re.compile(r"(?:application|video|audio)/ogg"),
    "video/mp4": re.compile(r"(?:video|audio)/"),
}
_OFFICE = {
    b"word/": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    b"xl/": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    b"ppt/": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
}
_LOOKED_AT = 4_096


def media_type(data: bytes, declared: str) -> str:
    """Media type of ``data``: the ``declared`` one unless the first bytes show another."""
    known = _KNOWN.match(data[:64])
    if known is None or known.lastgroup is None:
        return declared
    found = _TYPES[int(known.lastgroup[1:])]
    if found in _WITHIN and _WITHIN[found].match(declared):
        return declared
    if found == "application/zip":
        return next((kind for name, kind in _OFFICE.items() if name in data[:_LOOKED_AT]), found)
    return found
