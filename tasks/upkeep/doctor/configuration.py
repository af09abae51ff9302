"""Doctor's checks of the settings, here and where the service runs. Held by `tests/tasks/upkeep/test_doctor.py`."""

from datetime import timedelta

from sqlmodel import col, select

from adapters.wiring import Systems
from models.errors import LayananError, Refused
from models.tables import ServiceRow
from tasks.upkeep.doctor.check import Probe, Warn

AHEAD = timedelta(days=30)
"""How far ahead estimated holidays are named."""
SEEN = timedelta(minutes=15)
"""A machine without a sweep within this time runs no service."""
SHOWN = 5
"""Number of differing settings that are named."""


def settings(systems: Systems) -> str:
    """There are mailboxes, and the clock is real."""
    if not systems.settings.mailboxes:
        raise Refused("settings", "LAYANAN_MAILBOXES is empty: no mail would be read")
    if systems.settings.clock == "simulated":
        raise Warn("LAYANAN_CLOCK is simulated: for rehearsals and tests only")
    return f"{len(systems.settings.mailboxes)} mailbox(es)"


def senders(systems: Systems) -> str:
    """No forged mail joins a case."""
    if forwarded := [box.address for box in systems.settings.mailboxes if box.forwarded]:
        raise Warn(f"mail that fails DMARC joins the cases that it answers: {', '.join(forwarded)}")
    return "a mail whose sender may be forged waits for an agent"


def office(systems: Systems) -> str:
    """Office hours now, and holidays ahead whose date is only estimated until a decree."""
    now = systems.clock.now()
    said = []
    for box in systems.settings.mailboxes:
        opens = systems.settings.office_of(box.address).next_open(now)
        zone = systems.settings.zone_of(box.address)
        said.append(f"{box.site} " + ("open" if opens == now else f"opens {opens.astimezone(zone):%d-%m-%Y %H:%M %Z}"))
    ahead = [now.astimezone(systems.settings.zone).date() + timedelta(days=days) for days in range(AHEAD.days)]
    kinds = {
        box.site: systems.settings.offices.get(box.site, systems.settings.office) for box in systems.settings.mailboxes
    }
    estimated = sorted({day for known in kinds.values() for day in known.estimated(ahead)})
    if estimated:
        days = ", ".join(f"{day:%d-%m-%Y}" for day in estimated)
        raise Warn(f"{'; '.join(sorted(set(said)))}; estimated holidays ahead: {days}")
    return "; ".join(sorted(set(said)))


def service(systems: Systems) -> str:
    """The service runs with the settings of this command; differences are named with both values."""
    try:
        running = running_services(systems)
    except LayananError:
        return "not checked: the case store does not answer"
    here = systems.settings.shown()
    for row in running:
        there = row.settings
        names = sorted(name for name in {*here, *there} if here.get(name) != there.get(name))
        told = [f"{one}: {there.get(one, '—')} (here {here.get(one, '—')})" for one in names[:SHOWN]]
        told += [f"and {len(names) - SHOWN} more"] * (len(names) > SHOWN)
        if told:
            raise Refused("service", f"on {row.host} it runs with other settings than these: {'; '.join(told)}")
    return f"runs with these settings on {', '.join(row.host for row in running)}" if running else "no recent sweep"


def running_services(systems: Systems) -> list[ServiceRow]:
    """The machines on which the service has swept recently."""
    recent = col(ServiceRow.seen_at) > systems.machine_clock.now() - SEEN
    with systems.store.read() as session:
        return list(session.exec(select(ServiceRow).where(recent).order_by(ServiceRow.host)))


SETTINGS = Probe("settings", settings, "see `layanan settings`")
SENDERS = Probe("senders", senders, "remove `forwarded` in LAYANAN_MAILBOXES once the forwarder keeps DMARC (ARC, SRS)")
OFFICE = Probe("office", office, "LAYANAN_OFFICE__ALSO_OPEN and __ALSO_CLOSED correct days that a decree has moved")
SERVICE = Probe(
    "service",
    service,
    "the checks below use the settings of this command: run doctor with the service's settings (LAYANAN_SETTINGS, "
    "environment), or restart the service with these",
)
