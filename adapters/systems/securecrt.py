"""SecureCRT's device sessions (SOP 11.1 SecureCRT): a device's answer to one read-only command over SSH.

Host keys are strict, and only commands from the table below are ever sent, with checked arguments. The SSH session
itself is in :mod:`adapters.systems.device_session`.
"""

import logging
import re
import time
from threading import Lock

from adapters.systems.retries import while_unavailable
from adapters.systems.securecrt_sessions import SYSTEM, Session, find_session
from models import settings
from models.errors import BrokenAnswer, Refused, Unavailable
from models.facts import DeviceReading

NAMED = r"[A-Za-z][A-Za-z-]{0,30}[0-9]{1,4}(?:[/.:][0-9]{1,4}){0,5}"
NUMBERED = r"[0-9]{1,2}/[0-9]{1,2}/[0-9]{1,3}"
# by netmiko's device type: the command, and the pattern of an interface's name
INTERFACE_COMMANDS = {
    "cisco_ios": ("show interfaces {}", NAMED),
    "cisco_xe": ("show interfaces {}", NAMED),
    "cisco_xr": ("show interfaces {}", NAMED),
    "huawei_vrp": ("display interface {}", NAMED),
    "juniper_junos": ("show interfaces {} extensive", NAMED),
    "nokia_sros": ("show port {} detail", NUMBERED),
    "zte_zxros": ("show interface gpon-olt_{}", NUMBERED),
}
# devices print errors as plain text, and SSH reports success
FAILURE = re.compile(
    r"(?im)^\s*(?:% ?(?:invalid|incomplete|ambiguous|unknown|unrecognized|error|bad|authorization)|"
    r"error:|failure:|unknown command|syntax error|bad command|minor:)"
)
# to the end of the line: the value may follow a word or two later (“password irreversible-cipher …”)
SECRET = re.compile(
    r"(?im)((?:\bpass\b|pass(?:word|wd|phrase)|secret|communit(?:y|ies)|\bpsk|cipher|\bmd5|\bloid|\bploam|"
    r"\bwpa|\bkey)[\w-]*)(?=[ \t:=]).*$"
)
PRIVATE_KEY = re.compile(r"-----BEGIN [A-Z ]*KEY-----.*?(?:-----END [A-Z ]*KEY-----|\Z)", re.DOTALL)


class SecureCrt:
    """Queries the devices of SecureCRT's session files, read-only, with our own account.

    One session at a time for each device. Calls block until the diagnosis's timeout.
    """

    def __init__(self, settings: settings.SecureCrt) -> None:
        self._settings = settings
        self._in_use: dict[str, Lock] = {}
        for name in ("netmiko", "paramiko"):  # below this level they log the whole session
            logging.getLogger(name).setLevel(logging.WARNING)

    def read_interface(self, device: str, interface: str) -> DeviceReading:
        """State, counters and errors of an interface, as the device prints them.

        Args:
            device: Name or path of its SecureCRT session.
            interface: As the device names it, ``GigabitEthernet0/0/1`` or ``0/1/3``.

        Raises:
            Unavailable: the device did not answer, or not in time.
            Refused: no such session, an unknown host key, a wrong password, or a command that the device rejects.
            BrokenAnswer: the session file is broken, or the device answered nothing.
        """
        template, form = INTERFACE_COMMANDS.get(self._settings.device_type, ("", ""))
        if not template:
            raise Refused(SYSTEM, "no interface command for devices of this type")
        if not re.fullmatch(form, interface, re.ASCII):
            raise Refused(SYSTEM, "this is not the name of an interface")
        return self._read(device, template.format(interface))

    def _read(self, device: str, command: str) -> DeviceReading:
        # netmiko and paramiko are a tenth of each process's start, and few ask a device
        from adapters.systems.device_session import ask

        session = find_session(self._settings.sessions, device)
        _check_reachable(session)
        patience = self._settings.timeout
        deadline = time.monotonic() + patience
        lock = self._in_use.setdefault(session.path, Lock())
        if not lock.acquire(timeout=patience):
            raise Unavailable(SYSTEM, "another session of ours is open on the device")
        try:
            said = while_unavailable(lambda: ask(self._settings, session, _checked(command), deadline), patience)
        finally:
            lock.release()
        output = self._masked(said)
        if FAILURE.search(output):
            raise Refused(SYSTEM, "the device answered with an error")
        if not output.strip():
            raise BrokenAnswer(SYSTEM, "the device answered nothing")
        return DeviceReading(device=session.path, command=command, output=output)

    def _masked(self, output: str) -> str:
        if own := self._settings.password.get_secret_value():
            output = output.replace(own, "***")
        return SECRET.sub(r"\1 ***", PRIVATE_KEY.sub("***", output))


def _check_reachable(session: Session) -> None:
    if session.protocol in ("Telnet", "RLogin", "Raw"):
        raise Refused(SYSTEM, f"{session.protocol} sends the password unencrypted: not supported")
    if session.protocol != "SSH2":
        raise Refused(SYSTEM, "the session is not SSH 2: not supported")
    if session.jump:  # never connect directly instead
        raise Refused(SYSTEM, "the session goes through a jump host or a proxy: not supported")


def _checked(command: str) -> str:
    """A second check: even with a defect in our templates, only one line without operators is ever sent."""
    if not re.fullmatch(r"[ -~]{1,200}", command) or re.search(r"[;|<>`$?!\\]", command):
        raise Refused(SYSTEM, "the command contains a character that is never sent")
    return command
