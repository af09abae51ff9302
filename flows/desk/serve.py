"""The desk as a process: `layanan desk`, or `python -m flows.desk.serve` beside server and worker.

Held by `tests/flows/desk/test_serve.py`.
"""

import socket

import uvicorn

from adapters.wiring import Systems, load_systems
from flows.desk.app import create_app
from models.errors import Unavailable

GRACE = 1
"""Seconds that requests have when the desk ends: less than `layanan up` gives it."""


def serve(systems: Systems) -> None:
    """Serve the desk on loopback until a signal.

    Raises:
        Unavailable: another program has the port.
    """
    port = systems.settings.desk.port
    try:
        listener = socket.create_server(("127.0.0.1", port))
    except OSError:
        raise Unavailable("desk", f"port {port} is taken; set LAYANAN_DESK__PORT to a free one") from None
    config = uvicorn.Config(
        create_app(systems),
        lifespan="off",
        ws="none",
        log_config=None,
        # its lines would hold what people search for
        access_log=False,
        # a proxy's word about its client would let others name themselves (LAYANAN_DESK__PROXY_HEADER)
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE,
    )
    with listener:
        uvicorn.Server(config).run([listener])


if __name__ == "__main__":
    serve(load_systems())
