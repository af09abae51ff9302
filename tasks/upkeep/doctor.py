"""Looks at everything the service needs, and says what is wrong and what to do. It changes nothing."""

import re
import tempfile
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Literal

from sqlalchemy import func
from sqlmodel import col, select

from adapters.case_store import schema
from adapters.engine.runs import DEPLOYMENTS, STANDING
from adapters.folder import private
from adapters.systems.embassy import SERVICE_TEST
from adapters.systems.epayment import CUSTOMER_BILL
from adapters.systems.securecrt_sessions import session_files
from adapters.systems.siska import CUSTOMER
from adapters.systems.telkom_center import RESOURCE
from adapters.systems.tenoss import SERVICE
from adapters.systems.tmf import TmfClient
from adapters.systems.tmf621 import TROUBLE_TICKET
from adapters.wiring import SYSTEMS, Systems
from models.errors import LayananError, Refused, Unavailable
from models.forms import FORMS
from models.settings import HttpName, Mailbox
from models.states import LOST, UNDER_WAY
from models.tables import Case, Letter, Message, Outbox, Relay, ServiceRow, SystemRow, Wait
from tasks.intake import first_poll
from tasks.run.clocks import cases_without_clock, oldest_decision, overdue_decisions
from tasks.upkeep.monitor import MOST_RESTARTS, cases_of_lost_runs

State = Literal["ok", "warn", "fail"]
LATELY = timedelta(days=1)
AHEAD = timedelta(days=30)
"""How far ahead a person is told of holidays that are only estimated."""
MOST_NAMED = 5
NAMED = 20
"""Cases that a check names; of more it says how many."""
FULL = 90
"""Per cent of a mailbox's quota from which on a person should make room."""
BACK_OFFICE: dict[HttpName, str] = {
    "mycx": TROUBLE_TICKET,
    "nossa": TROUBLE_TICKET,
    "siska": CUSTOMER,
    "epayment": CUSTOMER_BILL,
    "tenoss": SERVICE,
    "telkom_center": RESOURCE,
    "embassy": SERVICE_TEST,
}
"""By the name of its settings: what a system is asked for."""
SEEN = timedelta(minutes=15)
"""A machine whose last sweep was earlier runs no service."""
SHOWN = 5
"""Settings that are named where they differ."""


@dataclass(frozen=True)
class Check:
    """One thing looked at: what was found, and, unless that is ``ok``, what to do."""

    name: str
    state: State
    found: str
    advice: str = ""


class Doubt(LayananError):
    """It works, and a person should still know."""


@dataclass(frozen=True)
class Probe:
    """How one thing is looked at; ``look`` says what it found, or raises what is wrong."""

    name: str
    look: Callable[[Systems], str]
    advice: str

    def check(self, wired: Systems) -> Check:
        """Look."""
        try:
            return Check(self.name, "ok", self.look(wired))
        except Doubt as doubt:
            return Check(self.name, "warn", str(doubt), self.advice)
        except (LayananError, OSError) as error:
            return Check(self.name, "fail", str(error), self.advice)


def examine(wired: Systems) -> list[Check]:
    """Everything, the systems side by side. What stands on something that failed is not looked at."""
    groups = [
        [
            Probe("settings", settings, "see `layanan settings`"),
            Probe("senders", senders, "end `forwarded` in LAYANAN_MAILBOXES once the forwarder keeps DMARC (ARC, SRS)"),
        ],
        [
            Probe("case store", case_store, "check LAYANAN_DATABASE_URL; `layanan migrate` brings the schema up"),
            Probe(
                "letters",
                letters,
                "`layanan letters` says why; an open case asks its agent, else `layanan letter ID --again` or a call",
            ),
            Probe(
                "mails", mails, "`layanan mails --outcome set_aside` says why; `layanan mail accept ID` takes one in"
            ),
            Probe("waits", waits, "`layanan waiting` shows them all; `layanan decide` answers, or the form in the UI"),
            Probe("office", office, "LAYANAN_OFFICE__ALSO_OPEN and __ALSO_CLOSED correct days that a decree has moved"),
            Probe(
                "copies",
                copies,
                "LAYANAN_SMTP__COPY_TO must lead into a folder that LAYANAN_MAILBOXES names; until it does, a letter "
                "is sent twice where it is open whether it went",
            ),
            Probe(
                "relay",
                relay,
                "mend what it names: letters then go on by themselves, within the longest pause between two probes "
                "(LAYANAN_SMTP__PROBE_SECONDS); `layanan letters --again` lists those that failed for our sake",
            ),
        ],
        [
            Probe(
                "service",
                service,
                "what follows is looked at with the settings here: run doctor with the service's (LAYANAN_SETTINGS, "
                "environment), or restart the service with these",
            ),
        ],
        [Probe("blobs", blobs, "the service's user must be able to write in LAYANAN_HOME")],
        [
            Probe("Prefect", deployments, "`layanan up` starts it all; else check LAYANAN_PREFECT_API_URL and deploy"),
            Probe("worker", worker, "`layanan up`, or `prefect worker start --type layanan --pool layanan`"),
            Probe("passes", passes, "open the deployment's last runs in the UI: they say what failed"),
        ],
        *([_mailbox(box), _first_poll(box)] for box in wired.settings.mailboxes),
        *([_copies(box)] for box in wired.settings.mailboxes),
        [Probe("EMS: letters", smtp, "check LAYANAN_SMTP__HOST, __PORT, __TLS, __USER, __PASSWORD")],
        *([_back_office(name)] for name in BACK_OFFICE),
        [Probe("MRTG", mrtg, "LAYANAN_MRTG__CFG names MRTG's configuration; the service's user must read it")],
        [
            Probe(
                "SecureCRT",
                securecrt,
                "LAYANAN_SECURECRT__SESSIONS is the folder of session files, __KNOWN_HOSTS the file of host keys that "
                "a person has compared (ssh-keyscan)",
            )
        ],
    ]
    with ThreadPoolExecutor(len(groups)) as pool:
        checks = [check for checks in pool.map(partial(_in_order, wired), groups) for check in checks]
    failed = {check.name for check in checks if check.state == "fail"}
    if "case store" not in failed and ("Prefect" not in failed or wired.engine.answers()):
        advice = "open them in the UI; mend the cause, then set them to Scheduled there"
        lost = "the monitor gives each of them another run, and keeps what was answered; if they stay: `layanan deploy`"
        checks += [probe.check(wired) for probe in (Probe("runs", runs, advice), Probe("lost runs", lost_runs, lost))]
    return checks


def _in_order(wired: Systems, probes: Iterable[Probe]) -> list[Check]:
    checks: list[Check] = []
    for probe in probes:
        checks.append(probe.check(wired))
        if checks[-1].state == "fail":
            break
    return checks


def settings(wired: Systems) -> str:
    """There is mail to read, and the time is real."""
    if not wired.settings.mailboxes:
        raise Refused("settings", "LAYANAN_MAILBOXES is empty: no mail would be read")
    if wired.settings.clock == "simulated":
        raise Doubt("LAYANAN_CLOCK is simulated: for rehearsals and tests only")
    return f"{len(wired.settings.mailboxes)} mailbox(es)"


def senders(wired: Systems) -> str:
    """Nobody's mail joins a case in another one's name."""
    if forwarded := [box.address for box in wired.settings.mailboxes if box.forwarded]:
        raise Doubt(f"mail whose sender is disowned joins the cases that it answers: {', '.join(forwarded)}")
    return "a mail whose sender is in doubt waits for an agent"


def case_store(wired: Systems) -> str:
    """The data base answers and has the code's schema."""
    found = schema.check(wired.store)
    if differences := schema.drift(wired.store):
        raise Refused("case store", f"{len(differences)} difference(s) between schema and code, made by hand?")
    return f"revision {found}"


def letters(wired: Systems) -> str:
    """No letter is lost unseen."""
    with wired.store.read() as session:
        lost = (col(Outbox.state).in_(LOST), col(Outbox.handled).is_(False))
        failed, under_way = (
            session.exec(select(func.count()).select_from(Outbox).where(*which)).one()
            for which in (lost, (col(Outbox.state).in_(["queued", "sending"]),))
        )
    if failed:
        raise Doubt(f"{failed} did not arrive, and nobody has decided yet")
    return f"{under_way} on their way"


def relay(wired: Systems) -> str:
    """The relay takes our letters, as far as its latest answers tell; what it says of us is named with its words."""
    under_way = col(Outbox.state).in_(UNDER_WAY)
    with wired.store.read() as session:
        refusal = session.get(Relay, wired.settings.smtp.account)
        unclear = session.exec(select(Outbox.reply).where(under_way, Outbox.cause == "unclear").distinct()).all()
        waiting = session.exec(select(func.count()).select_from(Outbox).where(under_way)).one()
    if refusal is not None:
        since, again = (
            f"{at.astimezone(wired.settings.zone):%d-%m-%Y %H:%M:%S %Z}" for at in (refusal.since, refusal.not_before)
        )
        said = f" (“{refusal.words}”)" if refusal.words else ""
        raise LayananError(f"{refusal.error}{said}; since {since}; {waiting} letter(s) wait, next probe {again}")
    if unclear:
        raise Doubt(
            f"refuses some letters with {', '.join(sorted(unclear))}, perhaps for our sake: they are tried again"
        )
    return "takes letters"


def mails(wired: Systems) -> str:
    """Nobody waits unseen for an answer to a mail that was set aside."""
    of_late = (Message.outcome == "set_aside", col(Message.received_at) > wired.clock.now() - LATELY)
    with wired.store.read() as session:
        aside = session.exec(select(func.count()).select_from(Message).where(*of_late)).one()
    if aside:
        raise Doubt(f"{aside} set aside within a day: nobody has answered them")
    return "none set aside within a day"


def waits(wired: Systems) -> str:
    """Nobody waits unseen: every open case has a deadline ahead, and whoever decides late is named."""
    if stuck := cases_without_clock(wired):
        named = "; ".join(f"{late.reference}: {late.why}" for late in stuck[:MOST_NAMED])
        raise Refused("waits", f"{len(stuck)} without a deadline ahead; is the monitor running? {named}")
    if late := overdue_decisions(wired):
        raise Doubt(f"{len(late)} overdue; oldest: {_decision(wired, *late[0])}")
    oldest = oldest_decision(wired)
    return f"oldest: {_decision(wired, *oldest)}" if oldest else "nobody is asked for a decision"


def _decision(wired: Systems, case: Case, wait: Wait) -> str:
    hours = (wired.clock.now() - wait.since) / timedelta(hours=1)
    who = f"{wait.role} → {wait.escalated_to}" if wait.escalated_to else wait.role
    return f"{case.reference} · {FORMS[wait.form].title} · {who} · {hours:.1f} h"


def office(wired: Systems) -> str:
    """Hours are as people know them; feasts of years to come are estimates until a decree."""
    now = wired.clock.now()
    said = []
    for box in wired.settings.mailboxes:
        opens = wired.settings.office_of(box.address).next_open(now)
        zone = wired.settings.zone_of(box.address)
        said.append(f"{box.site} " + ("open" if opens == now else f"opens {opens.astimezone(zone):%d-%m-%Y %H:%M %Z}"))
    ahead = [now.astimezone(wired.settings.zone).date() + timedelta(days=days) for days in range(AHEAD.days)]
    kinds = {box.site: wired.settings.offices.get(box.site, wired.settings.office) for box in wired.settings.mailboxes}
    estimated = sorted({day for known in kinds.values() for day in known.estimated(ahead)})
    if estimated:
        days = ", ".join(f"{day:%d-%m-%Y}" for day in estimated)
        raise Doubt(f"{'; '.join(sorted(set(said)))}; estimated holidays ahead: {days}")
    return "; ".join(sorted(set(said)))


def copies(wired: Systems) -> str:
    """Where it is open whether a letter went, its copy tells: so copies must come."""
    if wired.settings.smtp.copies == "none":
        return "none are kept"
    now = wired.clock.now()
    travelled = timedelta(seconds=wired.settings.claim_seconds)
    of_late = (Outbox.state == "sent", col(Outbox.sent_at).between(now - LATELY, now - travelled))
    query = select(Letter).join(Outbox).where(*of_late).order_by(col(Outbox.sent_at).desc()).limit(1)
    with wired.store.read() as session:
        letter = session.exec(query).first()
    if letter is None:
        return "no letter of late to look for"
    try:
        found = wired.ems.has_copy(letter.message_id, wired.settings.mailbox(letter.sender))
    except LayananError:
        return "not looked for: the mailbox cannot be read"
    if not found:
        raise Doubt("that of the latest letter has not come")
    return "the latest letter's has come"


def blobs(wired: Systems) -> str:
    """Mails and letters can be kept."""
    folder = wired.store.blobs
    try:
        private(folder)
        with tempfile.TemporaryFile(dir=folder):
            return str(folder)
    except OSError as error:
        raise Refused("blobs", f"{folder}: {error.strerror}") from None


def deployments(wired: Systems) -> str:
    """Server, deployments and their work pool are there, and nobody has paused any."""
    if missing := wired.engine.missing():
        raise Refused("Prefect", f"not deployed, or in no work pool: {', '.join(missing)}")
    if halted := wired.engine.halted():
        raise Doubt(f"paused or switched off in the UI: {', '.join(halted)}")
    return f"{len(DEPLOYMENTS)} deployments"


def worker(wired: Systems) -> str:
    """Somebody carries runs."""
    live = wired.engine.live_workers()
    if not live:
        raise Refused("worker", f"none is alive in the pool {wired.settings.pool_name}")
    return ", ".join(sorted(live))


def passes(wired: Systems) -> str:
    """Intake and monitor do their work."""
    for name in STANDING:
        last = wired.engine.last_passes(name)
        if last and not any(run.state is not None and run.state.is_completed() for run in last):
            said = (last[0].state.message if last[0].state else "") or ""
            raise Refused("passes", f"the last {len(last)} of {name} have failed: {said}")
    return "intake and monitor end well"


def runs(wired: Systems) -> str:
    """No open case's run is broken beyond what the monitor mends."""
    broken = {str(run.id) for run in wired.engine.broken_runs()}
    with wired.store.read() as session:
        query = select(Case).where(Case.status == "open", col(Case.restarts) >= MOST_RESTARTS)
        lost = [case.reference for case in session.exec(query) if case.run_id in broken]
    if lost:
        raise Refused("runs", f"failed {MOST_RESTARTS} times and given up: {', '.join(lost)}")
    return "none given up"


def lost_runs(wired: Systems) -> str:
    """Each open case's run can go on: neither it nor its deployment is gone."""
    lost = cases_of_lost_runs(wired, None)
    if not lost:
        return "none"
    with wired.store.read() as session:
        query = select(Case).where(col(Case.id).in_(lost[:NAMED])).order_by(col(Case.id))
        named = ", ".join(case.reference for case in session.exec(query))
    more = f" and {len(lost) - NAMED} more" if len(lost) > NAMED else ""
    raise Doubt(f"of {named}{more} the run, or the deployment or work pool that it belongs to, is gone")


def smtp(wired: Systems) -> str:
    """Letters can go out."""
    wired.ems.reach_smtp()
    return "login accepted"


def mrtg(wired: Systems) -> str:
    """The configuration can be read."""
    wired.mrtg.traffic("layanan-doctor")
    return str(wired.settings.mrtg.cfg)


def securecrt(wired: Systems) -> str:
    """Sessions and host keys can be read."""
    files = wired.settings.securecrt
    count = sum(1 for _ in session_files(files.sessions))
    try:
        files.known_hosts.read_bytes()
    except OSError as error:
        raise Refused("SecureCRT", f"known hosts: {error.strerror}") from None
    return f"{count} sessions"


def _mailbox(box: Mailbox) -> Probe:
    def look(wired: Systems) -> str:
        used = wired.ems.reach_imap(box)
        if used is not None and used >= FULL:
            raise Doubt(f"{used} % of its quota is used: the server will refuse mail")
        return "login and folder accepted"

    advice = "check the mailbox in LAYANAN_MAILBOXES: server, login, folder; room on the server"
    return Probe(f"EMS: mailbox {box.address}", look, advice)


def _copies(box: Mailbox) -> Probe:
    advice = "check sent_folder in LAYANAN_MAILBOXES, LAYANAN_SMTP__COPIES and LAYANAN_SMTP__COPY_TO"
    return Probe(f"EMS: copies to {box.address}", lambda wired: wired.ems.reach_copies(box), advice)


def _first_poll(box: Mailbox) -> Probe:
    def look(wired: Systems) -> str:
        try:
            seen = first_poll.look(wired, box)
        except Unavailable:
            return "not looked at: mailbox or case store do not answer"
        if seen.waits:
            raise Refused("first poll", seen.question)
        return f"mail since {seen.moment}; {seen.older} older ones are left where they lie"

    return Probe(f"EMS: first poll of {box.address}", look, first_poll.answer(box))


def _back_office(name: HttpName) -> Probe:
    system, resource = SYSTEMS[name], BACK_OFFICE[name]

    def look(wired: Systems) -> str:
        where = wired.behind(name)
        try:
            known, running = wired.gate(name).state(), _running(wired)
        except LayananError:
            known, running = SystemRow(name=name), []  # its own check tells of the case store
        now = wired.machine_clock.now()
        if known.until is not None and known.until > now:
            asked = str(wired.gate(name).asked(known)).removeprefix(f"{system}: ")
            raise Doubt(asked) if known.asked else Refused(system, asked)
        TmfClient(system, where).reach(resource)
        variable = f"LAYANAN_{name.upper()}__URL"
        others = {url for row in running if (url := row.settings.get(variable, "")) != wired.settings.shown()[variable]}
        if others:
            raise Doubt(f"answers at the address that is set here, but the service uses {', '.join(sorted(others))}")
        if known.failures and known.since is not None:
            since = f"{known.since.astimezone(wired.settings.zone):%d-%m-%Y %H:%M:%S %Z}"
            raise Doubt(f"answers now, but the service's own calls fail since {since}")
        if known.left_out_at is not None and now - known.left_out_at < LATELY:
            raise Doubt(f"answers, but an answer was read without {known.left_out}")
        return re.sub("//[^/]*@", "//", where.url)  # a user and password may stand in it

    variable = f"LAYANAN_{name.upper()}"
    login = f"{variable}__TOKEN, __TOKEN_FILE, __API_KEY, or __USER and __PASSWORD"
    return Probe(system, look, f"check {variable}__URL, __BASE_PATHS, {login}; the worker's log names what failed")


def service(wired: Systems) -> str:
    """The service runs with the settings that are looked at here; what differs is named with both values."""
    try:
        running = _running(wired)
    except LayananError:
        return "not looked at: the case store does not answer"
    here = wired.settings.shown()
    for row in running:
        there = row.settings
        names = sorted(name for name in {*here, *there} if here.get(name) != there.get(name))
        told = [f"{one}: {there.get(one, '—')} (here {here.get(one, '—')})" for one in names[:SHOWN]]
        told += [f"and {len(names) - SHOWN} more"] * (len(names) > SHOWN)
        if told:
            raise Refused("service", f"on {row.host} it runs with other settings than these: {'; '.join(told)}")
    return f"runs with these settings on {', '.join(row.host for row in running)}" if running else "no sweep of late"


def _running(wired: Systems) -> list[ServiceRow]:
    """The machines on which the service has swept of late."""
    of_late = col(ServiceRow.seen_at) > wired.machine_clock.now() - SEEN
    with wired.store.read() as session:
        return list(session.exec(select(ServiceRow).where(of_late).order_by(ServiceRow.host)))
