"""What the parser makes of a mail in a file, as plain data: `layanan mail inspect`."""

import logging
from pathlib import Path
from typing import Any

from adapters.mail.parser import parse
from models.errors import Unreadable
from models.mail import Automatic, ParsedMail, Problem

log = logging.getLogger("layanan.inspection")

UNREADABLE: dict[str, Any] = {
    **{"message_id": "", "from": "", "to": [], "subject": "", "date": None, "kind": "unreadable", "bounce": None},
    **{"text": "", "new_text": "", "attachments": [], "language": None, "references": [], "authentication": None},
}


def inspect(path: Path) -> dict[str, Any]:
    """One mail's fields; of a file that cannot be read, kind ``unreadable`` and the problem. Never fails."""
    # a name may hold bytes that are no text
    file = {"file": str(path).encode("utf-8", "replace").decode()}
    try:
        return file | _fields(parse(path.read_bytes()))
    except Unreadable as error:
        problem = error.reason
    except OSError as error:
        problem = error.strerror or type(error).__name__
    except Exception as error:
        log.exception("a defect: a mail cannot be read")
        problem = f"defect: {type(error).__name__}"
    return file | UNREADABLE | {"problems": [problem]}


def _fields(mail: ParsedMail) -> dict[str, Any]:
    return {
        "message_id": "" if Problem.NO_MESSAGE_ID in mail.problems else mail.message_id,
        "from": mail.sender,
        "to": list(mail.recipients),
        "subject": mail.subject,
        "date": mail.sent_at.isoformat() if mail.sent_at else None,
        "kind": mail.automatic or "customer",
        "bounce": _bounce(mail) if mail.automatic is Automatic.BOUNCE else None,
        "text": mail.text,
        "new_text": mail.new_text,
        "attachments": [item.model_dump() for item in mail.attachments],
        "language": mail.language,
        "references": list(mail.references),
        "authentication": None,
        "problems": list(mail.problems),
    }


def _bounce(mail: ParsedMail) -> dict[str, Any]:
    told = {"action": "failed", "status": "", "hard": True}
    return {"recipients": [{"address": address} | told for address in mail.failed_recipients]}
