"""Keeps the simulator's loopback ports the same between starts in the same folder."""

import json
import socket
from pathlib import Path


def listening_socket(folder: Path, name: str) -> socket.socket:
    """Listen on 127.0.0.1, on the port that ``name`` had before in this folder, or on another if it is taken."""
    file = folder / "ports.json"
    ports: dict[str, int] = json.loads(file.read_text()) if file.exists() else {}
    try:
        listener = socket.create_server(("127.0.0.1", ports.get(name, 0)))
    except OSError:
        listener = socket.create_server(("127.0.0.1", 0))
    # asyncio does not set this on such a socket; without it, each answer waits for 40 ms
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    ports[name] = listener.getsockname()[1]
    folder.mkdir(parents=True, exist_ok=True)
    part = file.with_suffix(".part")
    part.write_text(json.dumps(ports, indent=1))
    part.replace(file)
    return listener
