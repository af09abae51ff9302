"""A flow that does nothing: what a run costs before it does anything."""

from prefect import flow, suspend_flow_run, task


@task(persist_result=True)
def step(number: int) -> int:
    return number


@flow(name="trivial")
def trivial() -> None:
    """Five tasks, with one suspend and resume in between."""
    step(1)
    step(2)
    suspend_flow_run(timeout=None)
    step(3)
    step(4)
    step(5)
