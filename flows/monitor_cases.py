"""Monitoring (SOP W-86): no case waits unseen. A sweep sends what is due, follows tickets and signals deadlines.

Held by `tests/tasks/upkeep/test_monitor.py`.
"""

from prefect import flow
from prefect.client.schemas.objects import State

from flows.final_state import final_state
from tasks.upkeep.monitor import PARTS


@flow(name="monitor-cases", flow_run_name="Monitoring / monitor cases", persist_result=False)
def monitor_cases() -> "State[None]":
    """One sweep. A part that fails keeps no other part from its work, and fails the sweep."""
    return final_state([part(return_state=True) for part in PARTS])
