"""Doctor's checks of the case store and of what it records. Held by `tests/tasks/upkeep/test_doctor.py`."""

import tempfile
from datetime import timedelta

from sqlalchemy import func
from sqlmodel import col, select

from adapters.case_store import schema
from adapters.folder import private
from adapters.wiring import Systems
from models.errors import Refused
from models.forms import FORMS
from models.states import LOST, UNDER_WAY
from models.tables import Case, Letter, Message, Outbox, Wait
from tasks.run.clocks import cases_without_clock, oldest_decision, overdue_decisions
from tasks.upkeep.doctor.check import Probe, Warn

RECENT = timedelta(days=1)
MOST_NAMED = 5


def case_store(systems: Systems) -> str:
    """The database answers and has the code's schema."""
    found = schema.check(systems.store)
    if differences := schema.drift(systems.store):
        raise Refused("case store", f"{len(differences)} difference(s) between schema and code: was it edited by hand?")
    return f"revision {found}"


def blobs(systems: Systems) -> str:
    """Mails and letters can be stored."""
    folder = systems.store.blobs
    try:
        private(folder)
        with tempfile.TemporaryFile(dir=folder):
            return str(folder)
    except OSError as error:
        raise Refused("blobs", f"{folder}: {error.strerror}") from None


def letters(systems: Systems) -> str:
    """No letter is lost without somebody knowing."""
    with systems.store.read() as session:
        lost = (col(Outbox.state).in_(LOST), col(Outbox.handled).is_(False))
        failed = session.exec(select(func.count()).select_from(Outbox).where(*lost)).one()
        waiting = select(func.count(), func.min(Letter.written_at)).select_from(Letter).join(Outbox)
        under_way, oldest = session.exec(waiting.where(col(Outbox.state).in_(UNDER_WAY))).one()
    if failed:
        raise Warn(f"{failed} did not arrive, and nobody has decided yet")
    if not under_way:
        return "none on their way"
    return f"{under_way} on their way; the oldest was written {_hours(systems.clock.now() - oldest)} ago"


def mails(systems: Systems) -> str:
    """No quarantined mail waits without somebody knowing."""
    recent = (Message.outcome == "quarantined", col(Message.received_at) > systems.clock.now() - RECENT)
    with systems.store.read() as session:
        quarantined = session.exec(select(func.count()).select_from(Message).where(*recent)).one()
    if quarantined:
        raise Warn(f"{quarantined} quarantined within a day: nobody has answered them")
    return "none quarantined within a day"


def waits(systems: Systems) -> str:
    """Every open case has a deadline ahead; overdue decisions are named."""
    if stuck := cases_without_clock(systems):
        named = "; ".join(f"{late.reference}: {late.why}" for late in stuck[:MOST_NAMED])
        raise Refused("waits", f"{len(stuck)} without a deadline ahead; is the monitor running? {named}")
    if late := overdue_decisions(systems):
        raise Warn(f"{len(late)} overdue; oldest: {_decision(systems, *late[0])}")
    oldest = oldest_decision(systems)
    return f"oldest: {_decision(systems, *oldest)}" if oldest else "nobody is asked for a decision"


def _decision(systems: Systems, case: Case, wait: Wait) -> str:
    who = f"{wait.role} → {wait.escalated_to}" if wait.escalated_to else wait.role
    return f"{case.reference} · {FORMS[wait.form].title} · {who} · {_hours(systems.clock.now() - wait.since)}"


def _hours(age: timedelta) -> str:
    return f"{age / timedelta(hours=1):.1f} h"


CASE_STORE = Probe("case store", case_store, "check LAYANAN_DATABASE_URL; `layanan migrate` upgrades the schema")
BLOBS = Probe("blobs", blobs, "the service's user must be able to write in LAYANAN_HOME")
LETTERS = Probe(
    "letters",
    letters,
    "`layanan letters` says why; an open case asks its agent, else `layanan letter ID --again` or a call",
)
MAILS = Probe("mails", mails, "`layanan mails --outcome quarantined` says why; `layanan mail accept ID` accepts one")
WAITS = Probe("waits", waits, "`layanan waiting` shows them all; `layanan decide` answers, or the form in the UI")
