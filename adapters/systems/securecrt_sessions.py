"""Reads from SecureCRT's session files what we need to reach a device.

The vendor publishes no specification. A file is not INI: each line is ``TYPE:"key"=value``. Only the keys in ``KEYS``
are read; passwords, login scripts and the rest are ignored, and no error quotes a line. Held by
`tests/adapters/systems/test_securecrt.py`.
"""

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from models.errors import BrokenAnswer, Refused

SYSTEM = "SecureCRT"
LARGEST_FILE = 1024 * 1024
DEEPEST_FOLDER = 32
# S text, D hexadecimal number; one of these keys with another type is an error
KEYS = {
    "Protocol Name": "S",
    "Hostname": "S",
    "Username": "S",
    "Firewall Name": "S",
    "[SSH2] Port": "D",
    "[SSH1] Port": "D",
    "Port": "D",
}
# by protocol: the key that holds its port, and the port where that is missing
PORTS = {"SSH2": ("[SSH2] Port", 22), "SSH1": ("[SSH1] Port", 22), "Telnet": ("Port", 23), "Serial": ("", None)}
TEMPLATE = "Default.ini"
NOT_SESSIONS = frozenset({"__folderdata__", "default", "default_localshell", "default_rdp", "default_serial"})
NEVER_INHERITED = frozenset({"Hostname", "Username"})


@dataclass(frozen=True)
class Session:
    """One device, as a session file describes it."""

    path: str
    """Folders below ``Sessions`` and name, with ``/``: two folders may hold the same name."""
    protocol: str
    host: str
    port: int | None
    user: str
    """May be empty."""
    jump: str
    """Firewall as SecureCRT names it, ``Session:<path>`` for a jump host; empty: direct."""


def find_session(root: Path, device: str) -> Session:
    """The session of this name or path (``Bandung/Dago/BDG-DGO-OLT-01``), compared without case.

    Raises:
        Refused: there is none, or several; or its file cannot be used.
    """
    wanted = device.replace("\\", "/").lower()
    found = [
        file
        for file in session_files(root)
        if wanted in (file.stem.lower(), file.relative_to(root).with_suffix("").as_posix().lower())
    ]
    if not found:
        raise Refused(SYSTEM, "no session of this name")
    if len(found) > 1:
        raise Refused(SYSTEM, "several sessions of this name: give the folder, too")
    return read_session(root, found[0])


def session_files(root: Path) -> Iterator[Path]:
    """Every session file below the folder, not following links out of it.

    Raises:
        Refused: there is no such folder.
    """
    if not root.is_dir():
        raise Refused(SYSTEM, "the folder of sessions is missing")
    inside = root.resolve()
    for file in sorted(root.rglob("*")):
        if (
            file.suffix.lower() == ".ini"
            and file.stem.lower() not in NOT_SESSIONS
            and len(file.relative_to(root).parts) <= DEEPEST_FOLDER + 1
            and file.is_file()
            and file.resolve().is_relative_to(inside)
        ):
            yield file


def read_session(root: Path, file: Path) -> Session:
    """Read one session; keys that it lacks come from the folder's ``Default.ini``.

    Raises:
        Refused: the file cannot be read.
        BrokenAnswer: too large, of an unknown encoding, or without a host or a port in range.
    """
    own = _parse(_text(file))
    template = _parse(_text(root / TEMPLATE)) if (root / TEMPLATE).is_file() else {}
    values = {key: value for key, value in template.items() if key not in NEVER_INHERITED} | own
    protocol, host = str(values.get("Protocol Name", "")), str(values.get("Hostname", ""))
    if not host and protocol != "Serial":
        raise BrokenAnswer(SYSTEM, "the session has no host name")
    key, usual = PORTS.get(protocol, ("Port", None))
    port = values.get(key, usual)
    if port is not None and not 1 <= int(port) <= 65535:
        raise BrokenAnswer(SYSTEM, "the session's port is out of range")
    jump = str(values.get("Firewall Name", ""))
    return Session(
        path=file.relative_to(root).with_suffix("").as_posix(),
        protocol=protocol,
        host=host,
        port=None if port is None else int(port),
        user=str(values.get("Username", "")),
        jump="" if jump == "None" else jump,
    )


def _text(file: Path) -> str:
    try:
        with file.open("rb") as stream:
            data = stream.read(LARGEST_FILE + 1)
    except OSError:
        raise Refused(SYSTEM, "the session file cannot be read") from None
    if len(data) > LARGEST_FILE:
        raise BrokenAnswer(SYSTEM, "the session file is too large")
    utf16 = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        return data.decode("utf-16" if utf16 else "utf-8-sig")
    except UnicodeDecodeError:
        raise BrokenAnswer(SYSTEM, "the session file is neither UTF-8 nor UTF-16") from None


def _parse(text: str) -> dict[str, str | int]:
    """The values of our keys; of a key that is given twice, the last. A line that makes no sense is skipped."""
    values: dict[str, str | int] = {}
    # not splitlines(): it splits at U+0085, U+2028 and more, which may stand in a text
    lines = re.split(r"\r?\n", text)
    position = 0
    while position < len(lines):
        line = lines[position]
        position += 1
        head = re.match(r'([SDBZ]):"([^"]*)"=', line)
        if not head:
            continue
        kind, key = head.groups()
        count = re.compile(r"[0-9A-Fa-f]{1,8}").fullmatch(line, head.end())
        if key in KEYS and (kind != KEYS[key] or (kind == "D" and not count)):
            raise BrokenAnswer(SYSTEM, f"the session’s line {position} is malformed")
        if key in KEYS:
            values[key] = int(count[0], 16) if kind == "D" and count else line[head.end() :]
        left = int(count[0], 16) if count and kind in "BZ" else 0
        # the count decides, not the look: a line of a block may look like a key
        while left > 0 and position < len(lines) and lines[position].startswith(" "):
            left -= 1 if kind == "Z" else len(lines[position].split())
            position += 1
    return values
