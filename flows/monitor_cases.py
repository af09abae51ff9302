"""Monitoring (W-86): no case waits unseen. A pass sends what is due, follows tickets, passes deadlines on and wakes."""

from prefect import flow

from tasks.monitor import deliver_wakes, follow_tickets, pass_deadlines, recover_runs, send_due_letters


@flow(name="monitor-cases", persist_result=False)
def monitor_cases() -> None:
    """One pass of the monitor."""
    send_due_letters()
    follow_tickets()  # NOSSA: what the units report
    pass_deadlines()  # 5.8 updates, 5.9 lateness, closing's waiting period
    deliver_wakes()
    recover_runs()
