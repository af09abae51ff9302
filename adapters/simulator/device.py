"""The simulator's network devices: SSH servers on loopback that behave like a read-only Cisco IOS XE.

Held by `tests/adapters/systems/test_securecrt.py`.
"""

from collections import deque
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import asyncssh

from adapters.clock import Clock
from adapters.simulator.ports import listening_socket
from adapters.simulator.seed import Seed, SeededLink

USER, LOGIN = "ccops", "simulator"
# what netmiko's cisco_xe sends at login
SILENT = frozenset({"", "terminal width 511", "terminal length 0"})
INVALID = "% Invalid input detected at '^' marker."


class DeviceServer:
    """One SSH server for each seeded device, on a port of its own that stays the same after a restart.

    Writes ``Sessions/`` (SecureCRT's files), ``known_hosts`` and the host key into the folder.
    """

    def __init__(self, seed: Seed, folder: Path, clock: Clock) -> None:
        self._folder = folder
        self._clock = clock
        self._servers: list[asyncssh.SSHAcceptor] = []
        self._devices: dict[str, dict[str, SeededLink]] = {}
        for customer in seed.customers:
            if link := customer.link:
                self._devices.setdefault(link.device, {})[link.interface.lower()] = link
        self.received: deque[tuple[str, str]] = deque(maxlen=1000)
        """The latest lines received, as (device, line)."""

    async def start(self) -> None:
        """Listen, and write the files by which the service finds and trusts the devices."""
        sessions = self._folder / "Sessions"
        sessions.mkdir(parents=True, exist_ok=True)
        key = self._host_key()
        public = key.export_public_key().decode().strip()
        known = []
        for device in self._devices:
            port = await self._listen(device, key)
            known.append(f"[127.0.0.1]:{port} {public}\n")
            file = sessions / f"{device}.ini"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(_session(port), "utf-8-sig", newline="\r\n")
        (self._folder / "known_hosts").write_text("".join(known))

    async def stop(self) -> None:
        """Close every session and stop listening."""
        for server in self._servers:
            server.close()
            await server.wait_closed()
        self._servers.clear()

    def settings(self) -> dict[str, Any]:
        """The service's settings for these devices."""
        return {
            "securecrt": {
                "sessions": str(self._folder / "Sessions"),
                "known_hosts": str(self._folder / "known_hosts"),
                "user": USER,
                "password": LOGIN,
                "device_type": "cisco_xe",
            }
        }

    def _host_key(self) -> asyncssh.SSHKey:
        file = self._folder / "device_host_key"
        if not file.is_file():
            asyncssh.generate_private_key("ssh-ed25519").write_private_key(file)
            file.chmod(0o600)
        return asyncssh.read_private_key(file)

    async def _listen(self, device: str, key: asyncssh.SSHKey) -> int:
        server = await asyncssh.create_server(
            _Login,
            sock=listening_socket(self._folder, device),
            server_host_keys=[key],
            process_factory=partial(self._terminal, device),
            line_editor=False,  # netmiko waits for a device's plain echo
        )
        self._servers.append(server)
        return server.get_port()

    async def _terminal(self, device: str, process: asyncssh.SSHServerProcess[str]) -> None:
        prompt = _prompt(device)
        process.stdout.write(f"\r\n{prompt}")
        line = ""
        while True:
            try:
                typed = await process.stdin.read(1)
            except (asyncssh.TerminalSizeChanged, asyncssh.BreakReceived):  # from a person's terminal
                continue
            except asyncssh.Error:
                break
            if not typed:
                break
            if typed not in "\r\n":
                line += typed
                process.stdout.write(typed)
                continue
            self.received.append((device, line))
            command, line = line.strip(), ""
            if command == "exit":
                break
            answer = self._answer(device, command)
            process.stdout.write("\r\n".join(["", *answer, prompt]))
        process.exit(0)

    def _answer(self, device: str, command: str) -> list[str]:
        if command in SILENT:
            return []
        link = self._devices[device].get(command.removeprefix("show interfaces ").lower())
        if link is None or not command.startswith("show interfaces "):
            return [" " * len(_prompt(device)) + "^", INVALID, ""]
        return _interface(link, self._clock.now())


class _Login(asyncssh.SSHServer):
    """Accepts the one account."""

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        return (username, password) == (USER, LOGIN)


def _prompt(device: str) -> str:
    return f"{device.rpartition('/')[2]}#"


def _interface(link: SeededLink, now: datetime) -> list[str]:
    """Output of ``show interfaces``. Its counters grow with the clock while traffic flows, in packets of 1000 bytes."""
    state = "up" if link.port_up else "down"
    share = 0.98 if link.traffic == "saturated" else 0.3
    rate = int(link.size_bytes_per_s * share / 1000) if link.port_up and link.traffic != "dead" else 0
    packets = rate * (int(now.timestamp()) % 1_000_000)
    return [
        f"{link.interface} is {state}, line protocol is {state} ({'connected' if link.port_up else 'notconnect'})",
        f"  MTU 1500 bytes, BW {link.size_bytes_per_s * 8 // 1000} Kbit/sec, DLY 10 usec,",
        f"  5 minute input rate {rate * 8000} bits/sec, {rate} packets/sec",
        f"  5 minute output rate {rate // 3 * 8000} bits/sec, {rate // 3} packets/sec",
        f"     {packets} packets input, {packets * 1000} bytes, 0 no buffer",
        "     0 input errors, 0 CRC, 0 frame, 0 overrun, 0 ignored",
        f"     {packets // 3} packets output, {packets // 3 * 1000} bytes, 0 underruns",
        "     0 output errors, 0 collisions, 1 interface resets",
    ]


def _session(port: int) -> str:
    """A session file as SecureCRT writes it, as far as we know; numbers are hexadecimal."""
    return (
        f'S:"Username"={USER}\n'
        'D:"Is Session"=00000001\n'
        'S:"Protocol Name"=SSH2\n'
        f'D:"[SSH2] Port"={port:08x}\n'
        'S:"Hostname"=127.0.0.1\n'
        'S:"Firewall Name"=None\n'
        'Z:"Description"=00000001\n'
        " Simulated device\n"
    )
