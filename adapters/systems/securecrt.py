"""SecureCRT's device sessions (SOP 11.1 SecureCRT): what a device says to one read-only command, over SSH.

Host keys are strict and ours, old algorithms are off, each session has a deadline and a limit of output, and
nothing but a command of the tables below, with typed arguments, is ever sent.
"""

import logging
import re
import socket
import time
from functools import partial
from threading import Lock
from typing import Any, Protocol, cast

from netmiko.base_connection import BaseConnection
from netmiko.channel import SSHChannel
from netmiko.exceptions import NetmikoAuthenticationException, ReadException
from netmiko.ssh_dispatcher import CLASS_MAPPER
from paramiko.channel import Channel
from paramiko.client import MissingHostKeyPolicy
from paramiko.hostkeys import InvalidHostKey
from paramiko.ssh_exception import BadHostKeyException, IncompatiblePeer, SSHException
from paramiko.transport import Transport
from tenacity import (
    Retrying,
    retry_if_exception_type,
    stop_after_attempt,
    stop_before_delay,
    wait_random_exponential,
)

from adapters.systems.securecrt_sessions import SYSTEM, Session, find_session
from models import settings
from models.errors import BrokenAnswer, Refused, Unavailable
from models.facts import DeviceReading

MOST_CHARACTERS = 256 * 1024

NAMED = r"[A-Za-z][A-Za-z-]{0,30}[0-9]{1,4}(?:[/.:][0-9]{1,4}){0,5}"
NUMBERED = r"[0-9]{1,2}/[0-9]{1,2}/[0-9]{1,3}"
# by netmiko's device type: the command, and the form that an interface has there
INTERFACE_COMMANDS = {
    "cisco_ios": ("show interfaces {}", NAMED),
    "cisco_xe": ("show interfaces {}", NAMED),
    "cisco_xr": ("show interfaces {}", NAMED),
    "huawei_vrp": ("display interface {}", NAMED),
    "juniper_junos": ("show interfaces {} extensive", NAMED),
    "nokia_sros": ("show port {} detail", NUMBERED),
    "zte_zxros": ("show interface gpon-olt_{}", NUMBERED),
}
# frame, slot, port, ONU
ONU_COMMANDS = {
    "huawei_smartax": "display ont info {} {} {} {}",
    "zte_zxros": "show gpon onu state gpon-olt_{}/{}/{}",
}
ONU_RANGES = (range(100), range(100), range(256), range(128))

RFC_NAME = "curve25519-sha256"
OLD_ALGORITHMS = {
    "kex": [
        "diffie-hellman-group1-sha1",
        "diffie-hellman-group14-sha1",
        "diffie-hellman-group-exchange-sha1",
    ],
    "keys": ["ssh-rsa"],
    "pubkeys": ["ssh-rsa"],
    "ciphers": ["3des-cbc", "aes128-cbc", "aes192-cbc", "aes256-cbc"],
    "macs": ["hmac-sha1", "hmac-sha1-96", "hmac-md5", "hmac-md5-96"],
}

# devices answer an error as plain text: to SSH it is a success
FAILURE = re.compile(
    r"(?im)^\s*(?:% ?(?:invalid|incomplete|ambiguous|unknown|unrecognized|error|bad|authorization)|"
    r"error:|failure:|unknown command|syntax error|bad command|minor:)"
)
PROMPT = re.compile(r"[#>\]$%]\s*$")
# of IOS XR, before each answer
TIME_LINE = re.compile(r"\A\s*(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) [A-Z][a-z]{2} +\d{1,2} \d\d:\d\d:\d\d[^\n]{0,20}\n")
QUIET, NUDGE = 0.2, 1.0
"""Seconds of silence after which a device has said all of its prompts, and after which it is asked for a new one."""
PAGER = re.compile(r"-- ?more", re.IGNORECASE)
# to the end of the line: the value may follow a word or two later (“password irreversible-cipher …”)
SECRET = re.compile(
    r"(?im)((?:\bpass\b|pass(?:word|wd|phrase)|secret|communit(?:y|ies)|\bpsk|cipher|\bmd5|\bloid|\bploam|"
    r"\bwpa|\bkey)[\w-]*)(?=[ \t:=]).*$"
)
PRIVATE_KEY = re.compile(r"-----BEGIN [A-Z ]*KEY-----.*?(?:-----END [A-Z ]*KEY-----|\Z)", re.DOTALL)


class Devices(Protocol):
    """Asks network devices, read-only. Blocks up to the diagnosis's deadline: call it from a thread."""

    def read_interface(self, device: str, interface: str) -> DeviceReading:
        """What a device says of one of its interfaces: state, counters, errors.

        Args:
            device: Name or path of its SecureCRT session.
            interface: As the device names it, ``GigabitEthernet0/0/1`` or ``0/1/3``.

        Raises:
            Unavailable: the device did not answer, or not in time.
            Refused: no such session, an unknown host key, a wrong password, a command that it does not know.
            BrokenAnswer: the session file is broken, or the device answered nothing.
        """
        ...

    def read_onu(self, device: str, frame: int, slot: int, port: int, onu: int) -> DeviceReading:
        """What an OLT says of the state of one ONU. Errors as for :meth:`read_interface`."""
        ...


class SecureCrt:
    """Devices of SecureCRT's session files, with our own account. One session at a time for each device."""

    def __init__(self, settings: settings.SecureCrt) -> None:
        self._settings = settings
        self._in_use: dict[str, Lock] = {}
        for name in ("netmiko", "paramiko"):  # below this level they log what is sent and read
            logging.getLogger(name).setLevel(logging.WARNING)

    def read_interface(self, device: str, interface: str) -> DeviceReading:
        """See :class:`Devices`."""
        template, form = INTERFACE_COMMANDS.get(self._settings.device_type, ("", ""))
        if not template:
            raise Refused(SYSTEM, "no interface command for devices of this type")
        if not re.fullmatch(form, interface, re.ASCII):
            raise Refused(SYSTEM, "this is no interface's name")
        return self._read(device, template.format(interface))

    def read_onu(self, device: str, frame: int, slot: int, port: int, onu: int) -> DeviceReading:
        """See :class:`Devices`."""
        template = ONU_COMMANDS.get(self._settings.device_type)
        if not template:
            raise Refused(SYSTEM, "no ONU command for devices of this type")
        numbers = (frame, slot, port, onu)
        if not all(number in possible for number, possible in zip(numbers, ONU_RANGES, strict=True)):
            raise Refused(SYSTEM, "this is no ONU's number")
        return self._read(device, template.format(*numbers))

    def _read(self, device: str, command: str) -> DeviceReading:
        session = find_session(self._settings.sessions, device)
        _check_reachable(session)
        patience = self._settings.timeout
        deadline = time.monotonic() + patience
        lock = self._in_use.setdefault(session.path, Lock())
        if not lock.acquire(timeout=patience):
            raise Unavailable(SYSTEM, "another session of ours is open on the device")
        try:
            tries = Retrying(
                retry=retry_if_exception_type(Unavailable),
                stop=stop_after_attempt(3) | stop_before_delay(patience),
                wait=wait_random_exponential(multiplier=0.2, max=2),
                reraise=True,
            )
            output = self._masked(tries(self._ask, session, command, deadline))
        finally:
            lock.release()
        if FAILURE.search(output):
            raise Refused(SYSTEM, "the device answered with an error")
        if not output.strip():
            raise BrokenAnswer(SYSTEM, "the device answered nothing")
        return DeviceReading(device=session.path, command=command, output=output)

    def _ask(self, session: Session, command: str, deadline: float) -> str:
        """One session, one command.

        ``from None`` below: the libraries' messages hold host names and what the device wrote.
        """
        strange: list[str] = []
        try:
            connection = self._connect(session, deadline, strange)
            try:
                return connection.ask(_checked(command))
            finally:
                connection.disconnect()
        except InvalidHostKey:
            raise Refused(SYSTEM, "our file of host keys is broken") from None
        except (SSHException, ReadException, OSError, EOFError, ValueError) as error:
            raise _verdict(error, strange) from None

    def _connect(self, session: Session, deadline: float, strange: list[str]) -> "_ReadOnly":
        left = max(deadline - time.monotonic(), 0.1)
        driver = type("Device", (_ReadOnly, CLASS_MAPPER[self._settings.device_type]), {})
        return cast(
            _ReadOnly,
            driver(
                deadline=deadline,
                strange=strange,
                device_type=self._settings.device_type,
                host=session.host,
                port=session.port,
                username=session.user or self._settings.user,
                password=self._settings.password.get_secret_value(),
                ssh_strict=True,
                alt_host_keys=True,
                alt_key_file=str(self._settings.known_hosts),
                disabled_algorithms=OLD_ALGORITHMS,
                # connect, banner and password follow each other
                conn_timeout=left / 3,
                banner_timeout=left / 3,
                auth_timeout=left / 3,
                # the channel's own deadline comes first, and says more
                read_timeout_override=left + 1,
            ),
        )

    def _masked(self, output: str) -> str:
        if own := self._settings.password.get_secret_value():
            output = output.replace(own, "***")
        return SECRET.sub(r"\1 ***", PRIVATE_KEY.sub("***", output))


class _RefuseUnknownKeys(MissingHostKeyPolicy):
    def missing_host_key(self, client: Any, hostname: str, key: Any) -> None:
        client.close()  # else its thread stays
        raise Refused(SYSTEM, f"the device's host key is not known: {_shown(key)}; {ADD_IT}")


def _shown(key: Any) -> str:
    return f"{key.get_name()} {key.fingerprint}"


ADD_IT = (
    "compare the fingerprint with the one that the device's owner tells, then add its line to "
    "LAYANAN_SECURECRT__KNOWN_HOSTS"
)


class _Bounded(SSHChannel):
    """Ends what hangs or floods; netmiko has no bound on a whole session."""

    def __init__(self, channel: Channel, encoding: str, deadline: float) -> None:
        super().__init__(channel, encoding)
        self._deadline = deadline
        self._left = MOST_CHARACTERS

    def read_buffer(self) -> str:
        data = super().read_buffer()
        self._left -= len(data)
        if self._left < 0:
            raise Refused(SYSTEM, "the device's output is too large")
        if PAGER.search(data):
            raise Refused(SYSTEM, "the device waits at a page's end: paging is not off")
        if time.monotonic() > self._deadline:
            raise Unavailable(SYSTEM, "the device did not answer in time")
        if not data and (self.remote_conn is None or self.remote_conn.closed):
            raise Unavailable(SYSTEM, "the session was lost")
        return data


class _ReadOnly(BaseConnection):
    """What we change of each netmiko driver."""

    def __init__(self, *, deadline: float, strange: list[str], **options: Any) -> None:
        self._deadline = deadline
        self._strange = strange
        super().__init__(**options)

    def find_prompt(self, delay_factor: float = 1.0, pattern: str | None = None) -> str:
        """The prompt: what comes twice, apart from its clock. An alarm before, behind or amid it does not."""
        self.clear_buffer()
        text = ""
        while True:  # until the channel's deadline
            self.write_channel(self.RETURN * 2)
            text += self._until_quiet(QUIET)
            prompts = [line.strip() for line in text.splitlines() if PROMPT.search(line)]
            shapes = [_shape(prompt) for prompt in prompts]
            if again := [prompt for prompt, shape in zip(prompts, shapes, strict=True) if shapes.count(shape) > 1]:
                return again[-1]

    def ask(self, command: str) -> str:
        """What the device says to one command: all up to its prompt, with alarms that come meanwhile.

        An alarm behind the prompt hides that the answer has ended: after a silence the device is asked for a new one.
        """
        # anchored: a line of the output that holds the prompt would end the reading early
        prompt = rf"(?m)^{_shape(self.find_prompt())}[ ]*"
        self.write_channel(self.normalize_cmd(command))
        text = ""
        while not (command in text and re.search(rf"{prompt}\Z", text)):
            more = self._until_quiet(NUDGE, at_most=prompt)
            text += more
            if more or not re.search(prompt, text):
                continue
            if re.search(rf"{prompt}\Z", text):
                break  # an alarm has torn the command's echo
            self.write_channel(self.RETURN)
        answer = text.partition(command)[2].partition("\n")[2] if command in text else text
        return TIME_LINE.sub("", re.sub(prompt, "", answer)).strip("\n").rstrip()

    def _until_quiet(self, seconds: float, at_most: str = "") -> str:
        """What comes until nothing has come for so long, or until this comes at the end."""
        text, end = "", time.monotonic() + seconds
        while time.monotonic() < end and not (at_most and re.search(rf"{at_most}\Z", text)):
            if more := self.read_channel():
                text, end = text + more, time.monotonic() + seconds
            else:
                time.sleep(0.025)
        return text

    def _connect_params_dict(self) -> dict[str, Any]:
        return super()._connect_params_dict() | {"transport_factory": partial(_Transport, self._strange)}

    def _build_ssh_client(self) -> Any:
        client = super()._build_ssh_client()
        client.set_missing_host_key_policy(_RefuseUnknownKeys())
        return client

    def special_login_handler(self, *arguments: Any, **options: Any) -> None:
        """The first call once there is a channel."""
        self.channel = _Bounded(cast(Channel, self.remote_conn), self.encoding, self._deadline)
        super().special_login_handler(*arguments, **options)

    def cleanup(self, command: str = "") -> None:
        """Closing is enough; logging out may wait for 30 s."""

    def _disable_infoswitch_cli(self, *arguments: Any, **options: Any) -> None:
        """SmartAX does this in ``enable`` mode alone, which a read-only account does not have."""


class _Transport(Transport):
    """Notes what the device offers where we take none of it; paramiko's error does not tell."""

    def __init__(self, strange: list[str], *arguments: Any, **options: Any) -> None:
        self._strange = strange
        super().__init__(*arguments, **options)  # type: ignore[no-untyped-call]

    def _really_parse_kex_init(self, *arguments: Any, **options: Any) -> Any:
        offered = super()._really_parse_kex_init(*arguments, **options)  # type: ignore[no-untyped-call]
        ours = self.get_security_options()  # type: ignore[no-untyped-call]
        for kind, part, taken, old in (
            ("key exchange", "kex_algo_list", ours.kex, "kex"),
            ("host key", "server_key_algo_list", ours.key_types, "keys"),
            ("cipher", "server_encrypt_algo_list", ours.ciphers, "ciphers"),
            ("MAC", "server_mac_algo_list", ours.digests, "macs"),
        ):
            names = [name for name in offered[part] if not name.startswith(("ext-info-", "kex-strict-"))]
            if not set(names) & (set(taken) - set(OLD_ALGORITHMS[old])):
                self._strange.append(_nothing_common(kind, names, old))
        return offered


def _nothing_common(kind: str, names: list[str], old: str) -> str:
    """What is wrong, and what to do on the device."""
    if RFC_NAME in names:
        return (
            f"the device offers the key exchange {RFC_NAME} by this name (RFC 8731), which our SSH library paramiko "
            f"does not know; {RFC_NAME}@libssh.org is the same. Allow ecdh-sha2-nistp256 on the device, too"
        )
    age = "old" if set(names) <= set(OLD_ALGORITHMS[old]) else "unknown"
    shown = ", ".join(name for name in names if re.fullmatch(r"[\w.@-]{1,60}", name, re.ASCII))
    return f"the device offers {age} algorithms only, as {kind}: {shown[:200]}; allow a newer one on the device, too"


def _shape(prompt: str) -> str:
    """Pattern of a prompt: any numbers where it has some, for they may be a clock's."""
    return re.sub(r"\d+", r"\\d+", re.escape(prompt))


def _check_reachable(session: Session) -> None:
    if session.protocol in ("Telnet", "RLogin", "Raw"):
        raise Refused(SYSTEM, f"{session.protocol} sends the password unencrypted: not supported")
    if session.protocol != "SSH2":
        raise Refused(SYSTEM, "the session is not SSH 2: not supported")
    if session.jump:  # never directly instead
        raise Refused(SYSTEM, "the session goes through a jump host or a proxy: not supported")


def _checked(command: str) -> str:
    """The second lock: even a fault in our templates sends one line, without operators."""
    if not re.fullmatch(r"[ -~]{1,200}", command) or re.search(r"[;|<>`$?!\\]", command):
        raise Refused(SYSTEM, "the command holds a character that is never sent")
    return command


def _verdict(error: Exception, strange: list[str]) -> Unavailable | Refused:
    """Whether trying again helps. netmiko folds nearly all into one class; what counts lies in its context."""
    cause = error.__context__
    if isinstance(error, NetmikoAuthenticationException):
        if "timeout" in str(error).lower():
            return Unavailable(SYSTEM, "the device did not check our password in time")
        return Refused(SYSTEM, "the device refused our account")
    if isinstance(cause, BadHostKeyException):
        return Refused(SYSTEM, _other_key(cause))
    if isinstance(cause, IncompatiblePeer):
        return Refused(SYSTEM, strange[0] if strange else "the device offers no algorithms that we take")
    if isinstance(cause, socket.gaierror) and cause.errno != socket.EAI_AGAIN:
        return Refused(SYSTEM, "the device's name is unknown")
    if isinstance(error, ValueError):
        return Refused(SYSTEM, "the device's prompt was not understood")
    return Unavailable(SYSTEM, "the device did not answer")


def _other_key(error: BadHostKeyException) -> str:
    shown, known = _shown(error.key), _shown(error.expected_key)
    if error.key.get_name() != error.expected_key.get_name():
        return (
            f"the device's host key is of another kind than the known one: {shown} is shown, {known} is known; {ADD_IT}"
        )
    return (
        f"the device's host key has changed: {known} was known, {shown} is shown; nothing was sent. Somebody may stand "
        "between us and the device: ask its owner, and only where it was replaced change its line in "
        "LAYANAN_SECURECRT__KNOWN_HOSTS"
    )
