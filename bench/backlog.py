"""After a night without a worker: how long until a case moves, with so many polls and sweeps that are late.

python -m bench.backlog [--late 1200]
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

from prefect.client.orchestration import SyncPrefectClient

from tasks.run.start_case import start_case
from tests.backlog import late, make_late
from tests.cases import BUDI, PRICE, SEED, opened
from tests.stack import Stack, until


def main() -> int:
    """Print when the case moved, and when nothing was late any more."""
    parser = argparse.ArgumentParser(prog="python -m bench.backlog", description=__doc__)
    parser.add_argument("--late", type=int, default=1200)
    count = parser.parse_args().late
    with tempfile.TemporaryDirectory(prefix="layanan-backlog-") as folder:
        stack = Stack(Path(folder), SEED.model_dump(mode="json"))
        try:
            stack.start(worker=False)
            with SyncPrefectClient(api=stack.settings.prefect_api_url) as client:
                make_late(client, count)
                number = opened(stack.systems, BUDI, PRICE, "Harga paket").case_id
                start_case(stack.systems, number)
                print(f"{late(client)} polls and sweeps are late; a case is due behind them", flush=True)
                began = time.monotonic()
                stack.service.start_worker()
                until(lambda: stack.records(number), "the case moves", 900)
                print(f"the case moved after {time.monotonic() - began:.0f} s", flush=True)
                until(lambda: not late(client), "nothing is late", 900)
                print(f"nothing was late after {time.monotonic() - began:.0f} s", flush=True)
        finally:
            stack.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
