"""Doctor's checks of the back-office systems. Held by `tests/tasks/upkeep/test_doctor.py`."""

import re

from adapters.systems.embassy import SERVICE_TEST
from adapters.systems.epayment import CUSTOMER_BILL
from adapters.systems.securecrt_sessions import session_files
from adapters.systems.siska import CUSTOMER
from adapters.systems.telkom_center import RESOURCE
from adapters.systems.tenoss import SERVICE
from adapters.systems.tmf import TmfClient
from adapters.systems.tmf621 import TROUBLE_TICKET
from adapters.wiring import SYSTEMS, Systems
from models.errors import LayananError, Refused
from models.settings import HttpName
from models.tables import SystemRow
from tasks.upkeep.doctor.check import Probe, Warn
from tasks.upkeep.doctor.configuration import running_services
from tasks.upkeep.doctor.records import RECENT

BACK_OFFICE: dict[HttpName, str] = {
    "mycx": TROUBLE_TICKET,
    "nossa": TROUBLE_TICKET,
    "siska": CUSTOMER,
    "epayment": CUSTOMER_BILL,
    "tenoss": SERVICE,
    "telkom_center": RESOURCE,
    "embassy": SERVICE_TEST,
}
"""The resource that each system is asked for, by the name of its settings."""


def back_office(name: HttpName) -> Probe:
    """One system behind HTTP: whether it answers from here, and how the service's own calls fare."""
    system, variable = SYSTEMS[name], f"LAYANAN_{name.upper()}"

    def look(systems: Systems) -> str:
        where = systems.behind(name)
        try:
            known, running = systems.gate(name).state(), running_services(systems)
        except LayananError:
            known, running = SystemRow(name=name), []  # the case store has its own check
        now = systems.machine_clock.now()
        if known.until is not None and known.until > now:
            asked = str(systems.gate(name).asked(known)).removeprefix(f"{system}: ")
            raise Warn(asked) if known.asked else Refused(system, asked)
        TmfClient(system, where).reach(BACK_OFFICE[name])
        url, shown = f"{variable}__URL", systems.settings.shown()
        others = {other for row in running if (other := row.settings.get(url, "")) != shown[url]}
        if others:
            raise Warn(f"answers at the URL that is set here, but the service uses {', '.join(sorted(others))}")
        if known.failures and known.since is not None:
            since = f"{known.since.astimezone(systems.settings.zone):%d-%m-%Y %H:%M:%S %Z}"
            raise Warn(f"answers now, but the service's own calls fail since {since}")
        if known.left_out_at is not None and now - known.left_out_at < RECENT:
            raise Warn(f"answers, but part of an answer was broken and dropped: {known.left_out}")
        return re.sub("//[^/]*@", "//", where.url)  # it may contain a user and password

    login = f"{variable}__TOKEN, __TOKEN_FILE, __API_KEY, or __USER and __PASSWORD"
    return Probe(system, look, f"check {variable}__URL, __BASE_PATHS, {login}; the worker's log names what failed")


def mrtg(systems: Systems) -> str:
    """The configuration can be read."""
    systems.mrtg.traffic("layanan-doctor")
    return str(systems.settings.mrtg.cfg)


def securecrt(systems: Systems) -> str:
    """Sessions and host keys can be read."""
    files = systems.settings.securecrt
    count = sum(1 for _ in session_files(files.sessions))
    try:
        files.known_hosts.read_bytes()
    except OSError as error:
        raise Refused("SecureCRT", f"known hosts: {error.strerror}") from None
    return f"{count} sessions"


MRTG = Probe("MRTG", mrtg, "LAYANAN_MRTG__CFG names MRTG's configuration; the service's user must be able to read it")
SECURECRT = Probe(
    "SecureCRT",
    securecrt,
    "LAYANAN_SECURECRT__SESSIONS is the folder of session files, __KNOWN_HOSTS the file of host keys that a person has "
    "compared (ssh-keyscan)",
)
