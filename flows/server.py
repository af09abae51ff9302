"""Prefect's server as this machine needs it: `python -m flows.server` in the place of `prefect server start`.

Under load the server would block for SQLite's busy timeout, a minute. Two things prevent that: transactions take the
write lock when they begin (`adapters/engine/server_internals.py`), and garbage is collected outside the event loop.

Held by `tests/flows/test_prefect.py` and `tests/flows/test_worker.py`.
"""

import gc
import sys
import threading
import time

from adapters.engine.server_internals import serve


def collect_garbage() -> None:
    """Collect garbage forever, instead of in whichever thread creates it.

    Freeing a cursor that an error left behind waits for its connection, which may wait for the write lock. If the event
    loop's thread frees it, the holder of the lock never continues.
    """
    while True:
        for generation in (1,) * 20 + (2,):
            time.sleep(1)
            gc.collect(generation)
        if not gc.get_freeze_count():
            # the server's own objects stay for ever; scanning them again and again is half of an idle server's CPU
            gc.freeze()


if __name__ == "__main__":
    gc.disable()
    threading.Thread(target=collect_garbage, name="garbage", daemon=True).start()
    serve(sys.argv[1:])
