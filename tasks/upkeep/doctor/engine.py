"""Doctor's checks of Prefect and of the cases' runs. Held by `tests/tasks/upkeep/test_lost_deployments.py`."""

from sqlmodel import col, select

from adapters.engine.deployments import DEPLOYMENTS, STANDING
from adapters.wiring import Systems
from models.errors import Refused
from models.tables import Case
from tasks.upkeep.doctor.check import Probe, Warn
from tasks.upkeep.recover_runs import MOST_RESTARTS, cases_of_lost_runs

MOST_NAMED = 20


def deployments(systems: Systems) -> str:
    """Server, deployments and their work pool exist, and nobody has paused any."""
    if missing := systems.engine.missing():
        raise Refused("Prefect", f"not deployed, or in no work pool: {', '.join(missing)}")
    if halted := systems.engine.halted():
        raise Warn(f"paused or switched off in the UI: {', '.join(halted)}")
    return f"{len(DEPLOYMENTS)} deployments"


def worker(systems: Systems) -> str:
    """A worker executes runs."""
    live = systems.engine.live_workers()
    if not live:
        raise Refused("worker", f"no worker is alive in the pool {systems.settings.pool_name}")
    return ", ".join(sorted(live))


def schedule(systems: Systems) -> str:
    """Intake's polls and the monitor's sweeps succeed."""
    for name in STANDING:
        last = systems.engine.last_polls(name)
        if last and not any(run.state is not None and run.state.is_completed() for run in last):
            said = (last[0].state.message if last[0].state else "") or ""
            raise Refused("schedule", f"the last {len(last)} runs of {name} have failed: {said}")
    return "intake and monitor succeed"


def runs(systems: Systems) -> str:
    """No open case's run has failed for good."""
    broken = {str(run.id) for run in systems.engine.broken_runs()}
    with systems.store.read() as session:
        query = select(Case).where(Case.status == "open", col(Case.restarts) >= MOST_RESTARTS)
        lost = [case.reference for case in session.exec(query) if case.run_id in broken]
    if lost:
        raise Refused("runs", f"failed {MOST_RESTARTS} times and given up: {', '.join(lost)}")
    return "none given up"


def lost_runs(systems: Systems) -> str:
    """Each open case's run can go on: it and its deployment exist."""
    lost = cases_of_lost_runs(systems, None)
    if not lost:
        return "none"
    with systems.store.read() as session:
        query = select(Case).where(col(Case.id).in_(lost[:MOST_NAMED])).order_by(col(Case.id))
        named = ", ".join(case.reference for case in session.exec(query))
    more = f" and {len(lost) - MOST_NAMED} more" if len(lost) > MOST_NAMED else ""
    raise Warn(f"the run of {named}{more}, or its deployment or work pool, is gone")


ENGINE = [
    Probe("Prefect", deployments, "`layanan up` starts everything; else check LAYANAN_PREFECT_API_URL and deploy"),
    Probe("worker", worker, "`layanan up`, or `prefect worker start --type layanan --pool layanan`"),
    Probe("schedule", schedule, "open the deployment's last runs in the UI: they say what failed"),
]
RUNS = [
    Probe("runs", runs, "open them in the UI; fix the cause, then set them to Scheduled there"),
    Probe(
        "lost runs",
        lost_runs,
        "the monitor gives each of them another run, and keeps what was answered; if they stay: `layanan deploy`",
    ),
]
