"""Loopback ports for servers of tests and benchmarks."""

import itertools
import os
import random
import socket

_SHARE, _SHARES = 2_000, 10
_FIRST = 10_000 + _SHARE * (int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % _SHARES)
_PORTS = itertools.cycle(random.sample(range(_FIRST, _FIRST + _SHARE), _SHARE))


def free_port() -> int:
    """A port where nobody listens, and which no other test process is given at the same time.

    It is below those that Linux itself gives away (32768 and up): no connection takes it before its server does.
    """
    for port in itertools.islice(_PORTS, _SHARE):
        try:
            socket.create_server(("127.0.0.1", port)).close()
        except OSError:
            continue
        return port
    raise OSError("no port is free")
