"""The audit log is sealed: number and hash of its newest row are noted outside the database, and mailed where asked."""

import logging
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, make_msgid

from adapters.case_store import audit
from adapters.case_store.audit_seals import Seal, add_seal, as_line, newest_seal
from adapters.wiring import Systems, load_systems
from models.audit import AuditRow, moment
from models.errors import LayananError, Refused
from tasks.run.relay import refusal_now
from tasks.upkeep.sweep import part

log = logging.getLogger("layanan.audit")


@part("Segel catatan audit / Seal the audit log")
def seal_audit() -> int:
    """Seal the audit log if its last seal is old enough and rows have come since; returns how many seals were made.

    Raises:
        Refused: the row that was sealed last is another one now, or missing.
    """
    systems = load_systems()
    now, before = systems.machine_clock.now(), newest_seal(systems.settings.audit_seals)
    pause = timedelta(minutes=systems.settings.audit.seal_minutes)
    if before and abs(now - datetime.fromisoformat(before.at)) < pause:
        return 0
    with systems.store.read() as session:
        if before and next(audit.stream(session, AuditRow.number == before.number), {}).get("hash") != before.hash:
            raise Refused("audit log", f"row {before.number} is not the one that was sealed: layanan audit verify")
        number, newest = audit.newest(session)
    if number == (before.number if before else 0):
        return 0
    seal = Seal(number, newest, moment(now))
    add_seal(systems.settings.audit_seals, seal)
    if systems.settings.audit.seal_mail:
        _mail(systems, seal)
    return 1


def _mail(systems: Systems, seal: Seal) -> None:
    """Send a seal. One that does not go out is followed by the next, which says as much of the log."""
    sender, recipient = systems.settings.mailboxes[0].address, systems.settings.audit.seal_mail
    mail = EmailMessage(policy=SMTP)
    mail["From"], mail["To"], mail["Auto-Submitted"] = sender, recipient, "auto-generated"
    mail["Subject"] = f"Segel catatan audit / Audit seal: {seal.number}"
    mail["Date"] = format_datetime(systems.machine_clock.now())
    mail["Message-ID"] = make_msgid(domain=sender.rpartition("@")[2])
    mail.set_content(as_line(seal) + "\n", cte="7bit")
    if refusal_now(systems) is not None:
        log.warning("audit: the seal of row %s is not mailed while the relay takes no letters", seal.number)
        return
    try:
        systems.ems.send(mail.as_bytes(), sender, [recipient])
    except LayananError as error:
        log.warning("audit: the seal of row %s was not mailed: %s", seal.number, error)
