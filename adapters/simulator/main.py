"""Runs the simulator as one process: all systems behind their protocols, and the settings that lead to them."""

import asyncio
import json
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Protocol

from adapters.clock import Clock, SimulatedClock
from adapters.folder import private
from adapters.simulator.device import DeviceServer
from adapters.simulator.mail import MailServer
from adapters.simulator.mrtg import TrafficLogs
from adapters.simulator.seed_file import load_seed
from adapters.simulator.tmf import HttpSystems
from models.office_hours import WEEKDAYS


class Server(Protocol):
    """One protocol of the simulator."""

    async def start(self) -> None:
        """Answer from now on."""
        ...

    async def stop(self) -> None:
        """Answer no more."""
        ...

    def settings(self) -> dict[str, Any]:
        """The service's settings for this server; call it after ``start``."""
        ...


async def run(seed_file: Path, folder: Path, clock: Clock, stop: asyncio.Event) -> None:
    """Run the simulator until ``stop`` is set.

    ``folder/layanan.toml`` contains the service's complete settings. It exists only while the simulator runs, and so
    shows that all servers are ready. Another start in this folder keeps the tickets, and the ports if they are free.

    Raises:
        SettingsError: the seed file is wrong; see :func:`adapters.simulator.seed_file.load_seed`.
    """
    seed = load_seed(seed_file)
    folder = folder.absolute()
    private(folder)
    ready = folder / "layanan.toml"
    ready.unlink(missing_ok=True)
    mail = MailServer(seed, folder, clock)
    http = HttpSystems(seed, folder, clock, mail.refuse_us)
    parts: list[Server] = [http, mail, TrafficLogs(seed, folder, clock), DeviceServer(seed, folder, clock)]
    settings: dict[str, Any] = {}
    if isinstance(clock, SimulatedClock):
        settings |= {"clock": "simulated", "home": str(clock.file.parent.absolute())}
        # so that a rehearsal runs the same at any hour of any day
        settings["office"] = {"hours": dict.fromkeys(WEEKDAYS, "00:00-24:00"), "holidays": []}
    async with AsyncExitStack() as running:
        for part in parts:
            await part.start()
            running.push_async_callback(part.stop)
            settings |= part.settings()
        draft = ready.with_suffix(".part")
        draft.touch(mode=0o600)
        draft.write_text("".join(f"{name} = {_toml(value)}\n" for name, value in settings.items()), "utf-8")
        draft.replace(ready)
        running.callback(ready.unlink, missing_ok=True)
        await stop.wait()


def _toml(value: Any) -> str:
    """A value as TOML; strings, numbers and booleans are written as in JSON."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{name} = {_toml(part)}" for name, part in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(_toml(part) for part in value) + "]"
    return json.dumps(value, ensure_ascii=False)
