"""The parser's results for a mail in a file, as plain data for `layanan mail inspect`."""

import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from adapters.mail.parser import parse
from models.errors import Unreadable
from models.mail import ParsedMail, Problem
from models.reasons import warnings_said

log = logging.getLogger("layanan.inspection")

STDIN = Path("-")
"""The name that means standard input."""
UNREADABLE: dict[str, Any] = {
    **{"message_id": "", "from": "", "to": [], "subject": "", "date": None, "kind": "unreadable", "bounce": None},
    **{"text": "", "new_text": "", "attachments": [], "language": None, "references": [], "authentication": None},
}


def inspect(path: Path, authserv_id: str = "", spam_headers: Sequence[str] = ()) -> dict[str, Any]:
    """One mail's fields; for a file that cannot be read, kind ``unreadable`` and the problem. Never fails.

    Args:
        authserv_id, spam_headers: as for :func:`adapters.mail.parser.parse`.
    """
    # a file name may contain bytes that are no text
    file = {"file": str(path).encode("utf-8", "replace").decode()}
    try:
        return file | _fields(parse(_content(path), authserv_id=authserv_id, spam_headers=spam_headers))
    except Unreadable as error:
        problem = error.reason
    except OSError as error:
        problem = error.strerror or type(error).__name__
    except Exception as error:
        log.exception("defect: a mail cannot be parsed")
        problem = f"defect: {type(error).__name__}"
    return file | UNREADABLE | {"problems": [problem]}


def _content(path: Path) -> bytes:
    if path == STDIN:
        return sys.stdin.buffer.read()
    if path.exists() and not (path.is_file() or path.is_dir()):
        # a pipe may never be written to, and a device may have no end
        raise Unreadable("not a regular file (for a pipe, give - and redirect it)")
    return path.read_bytes()


def _fields(mail: ParsedMail) -> dict[str, Any]:
    return {
        "message_id": "" if Problem.NO_MESSAGE_ID in mail.problems else mail.message_id,
        "from": mail.sender,
        "to": list(mail.recipients),
        "subject": mail.subject,
        "date": mail.sent_at.isoformat() if mail.sent_at else None,
        "kind": mail.automatic or "customer",
        "bounce": {"recipients": [item.model_dump() for item in mail.bounce]} if mail.bounce else None,
        "text": mail.text,
        "new_text": mail.new_text,
        "attachments": [item.model_dump() for item in mail.attachments],
        "language": mail.language,
        "references": list(mail.references),
        "authentication": mail.authentication.model_dump(),
        "problems": [*_warnings(mail), *[f"perhaps a person's: {mail.automatic_reason}"] * mail.doubtful],
    }


def _warnings(mail: ParsedMail) -> list[str]:
    return warnings_said(mail.doubts, [*mail.problems, *mail.cautions], mail.authentication.model_dump())
