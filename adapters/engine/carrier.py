"""Which worker carries a run: kept with the run as its "infrastructure pid", ``name:instance:run``.

Held by `tests/tasks/upkeep/test_monitor.py` and `tests/flows/test_worker.py`.
"""

from dataclasses import dataclass

from prefect.client.schemas.objects import FlowRun


@dataclass(frozen=True)
class Carrier:
    """A worker, and which of its lives; both are empty where no worker has marked the run."""

    name: str = ""
    instance: str = ""

    @classmethod
    def of(cls, run: FlowRun) -> "Carrier | None":
        """The worker that marked the run last; None where Prefect's process worker looks after it."""
        if run.infrastructure_pid is None:
            return cls()
        parts = run.infrastructure_pid.rsplit(":", 2)
        return cls(parts[0], parts[1]) if len(parts) == 3 else None  # a process is ``host:number``

    def mark(self, run: FlowRun) -> str:
        """What is kept with the run."""
        return f"{self.name}:{self.instance}:{run.id}"
