"""One run of a flow in a thread of the worker, until it ends or waits. Held by `tests/flows/test_worker.py`."""

import asyncio
import logging
import threading
from contextlib import suppress
from contextvars import Context
from typing import Any

from prefect import Flow
from prefect.client.schemas.objects import FlowRun

from adapters.engine import internals
from tasks.run import drain

log = logging.getLogger("layanan.worker")


class RunThread:
    """A run in its thread.

    Args:
        context: holds the API client; the next run may reuse it once this one is done.
    """

    def __init__(self, flow_run: FlowRun, flow: "Flow[..., Any]", context: Context) -> None:
        self.flow_run = flow_run
        self.context = context
        self.done = asyncio.Event()
        self.broke = False
        self._flow = flow
        self._stop = threading.Event()
        self._loop = asyncio.get_running_loop()
        name = f"run-{flow_run.name}"
        self._thread = threading.Thread(target=context.run, args=[self._carry], name=name, daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def join(self) -> None:
        """Wait for the thread's end, shortly after ``done``."""
        self._thread.join()

    @property
    def stopping(self) -> bool:
        """Whether the run was asked to stop."""
        return self._stop.is_set()

    def stop(self) -> None:
        """Make the run stop before its next activity."""
        self._stop.set()

    def _carry(self) -> None:
        try:
            drain.stop_on(self._stop)
            internals.carry(self._flow, self.flow_run)
        except BaseException:
            log.exception("run %s broke", self.flow_run.name)
            self.broke = True
        finally:
            with suppress(RuntimeError):  # the worker has ended already
                self._loop.call_soon_threadsafe(self.done.set)
