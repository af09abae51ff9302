"""One SSH session with a network device: the only module that touches private parts of netmiko and paramiko.

Old algorithms are off, host keys are strict, and each session has a deadline and a limit on its output.
`tests/adapters/systems/test_device_session.py` names each part of the two libraries that we override.
"""

import re
import socket
import time
from functools import partial
from typing import Any, cast

from netmiko.base_connection import BaseConnection
from netmiko.channel import SSHChannel
from netmiko.exceptions import NetmikoAuthenticationException, ReadException
from netmiko.ssh_dispatcher import CLASS_MAPPER
from paramiko.channel import Channel
from paramiko.client import MissingHostKeyPolicy
from paramiko.hostkeys import InvalidHostKey
from paramiko.ssh_exception import BadHostKeyException, IncompatiblePeer, SSHException
from paramiko.transport import Transport

from adapters.systems.securecrt_sessions import SYSTEM, Session
from models.errors import Refused, Unavailable
from models.settings import SecureCrt

MOST_CHARACTERS = 256 * 1024
"""Limit on the output of one session."""

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
PROMPT = re.compile(r"[#>\]$%]\s*$")
# IOS XR prints the time before each answer
TIME_LINE = re.compile(r"\A\s*(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) [A-Z][a-z]{2} +\d{1,2} \d\d:\d\d:\d\d[^\n]{0,20}\n")
QUIET, NUDGE = 0.2, 1.0
"""Seconds of silence after which a device has printed its prompts, and after which we ask for a new prompt."""
PAGER = re.compile(r"-- ?more", re.IGNORECASE)
ADD_IT = (
    "compare the fingerprint with the one from the device's owner, then add its line to LAYANAN_SECURECRT__KNOWN_HOSTS"
)


def ask(settings: SecureCrt, session: Session, command: str, deadline: float) -> str:
    """Open a session, send one command, and return the device's answer.

    Args:
        deadline: for the whole session, by the monotonic clock.

    Raises:
        Unavailable: the device did not answer, or not in time.
        Refused: an unknown or changed host key, a wrong password, no algorithm in common, too much output.
    """
    unsupported: list[str] = []
    # "from None" below, because the libraries' messages contain host names and output of the device
    try:
        connection = _connect(settings, session, deadline, unsupported)
        try:
            return connection.ask(command)
        finally:
            connection.disconnect()
    except InvalidHostKey:
        raise Refused(SYSTEM, "our file of host keys is broken") from None
    except (SSHException, ReadException, OSError, EOFError, ValueError) as error:
        raise _verdict(error, unsupported) from None


def _connect(settings: SecureCrt, session: Session, deadline: float, unsupported: list[str]) -> "_Device":
    left = max(deadline - time.monotonic(), 0.1)
    driver = type("Device", (_Device, CLASS_MAPPER[settings.device_type]), {})
    return cast(
        _Device,
        driver(
            deadline=deadline,
            unsupported=unsupported,
            device_type=settings.device_type,
            host=session.host,
            port=session.port,
            username=session.user or settings.user,
            password=settings.password.get_secret_value(),
            ssh_strict=True,
            alt_host_keys=True,
            alt_key_file=str(settings.known_hosts),
            disabled_algorithms=OLD_ALGORITHMS,
            # these three follow each other
            conn_timeout=left / 3,
            banner_timeout=left / 3,
            auth_timeout=left / 3,
            # the channel's own deadline comes first, with a better message
            read_timeout_override=left + 1,
        ),
    )


class _RefuseUnknownKeys(MissingHostKeyPolicy):
    def missing_host_key(self, client: Any, hostname: str, key: Any) -> None:
        client.close()  # otherwise its thread stays alive
        raise Refused(SYSTEM, f"the device's host key is not known: {_shown(key)}; {ADD_IT}")


class _Bounded(SSHChannel):
    """Ends a session that hangs or floods us; netmiko has no limits for a whole session."""

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
            raise Refused(SYSTEM, "the device waits at the end of a page: paging is not off")
        if time.monotonic() > self._deadline:
            raise Unavailable(SYSTEM, "the device did not answer in time")
        if not data and (self.remote_conn is None or self.remote_conn.closed):
            raise Unavailable(SYSTEM, "the session was lost")
        return data


class _Device(BaseConnection):
    """What we change in each netmiko driver."""

    def __init__(self, *, deadline: float, unsupported: list[str], **options: Any) -> None:
        self._deadline = deadline
        self._unsupported = unsupported
        super().__init__(**options)

    def find_prompt(self, delay_factor: float = 1.0, pattern: str | None = None) -> str:
        """The prompt: the line that appears twice, apart from its clock. Alarms appear once."""
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
        """The device's answer to one command: everything up to its prompt, including alarms.

        An alarm after the prompt hides the end of the answer, so after a silence we ask for a new prompt.
        """
        # anchored, because a line of output that contains the prompt must not end the reading
        prompt = rf"(?m)^{_shape(self.find_prompt())}[ ]*"
        self.write_channel(self.normalize_cmd(command))
        text = ""
        while not (command in text and re.search(rf"{prompt}\Z", text)):
            more = self._until_quiet(NUDGE, at_most=prompt)
            text += more
            if more or not re.search(prompt, text):
                continue
            if re.search(rf"{prompt}\Z", text):
                break  # an alarm has split the command's echo
            self.write_channel(self.RETURN)
        answer = text.partition(command)[2].partition("\n")[2] if command in text else text
        return TIME_LINE.sub("", re.sub(prompt, "", answer)).strip("\n").rstrip()

    def _until_quiet(self, seconds: float, at_most: str = "") -> str:
        """The output until the device is silent for so long, or until the output ends with ``at_most``."""
        text, end = "", time.monotonic() + seconds
        while time.monotonic() < end and not (at_most and re.search(rf"{at_most}\Z", text)):
            if more := self.read_channel():
                text, end = text + more, time.monotonic() + seconds
            else:
                time.sleep(0.025)
        return text

    def _connect_params_dict(self) -> dict[str, Any]:
        return super()._connect_params_dict() | {"transport_factory": partial(_Transport, self._unsupported)}

    def _build_ssh_client(self) -> Any:
        client = super()._build_ssh_client()
        client.set_missing_host_key_policy(_RefuseUnknownKeys())
        return client

    def special_login_handler(self, *arguments: Any, **options: Any) -> None:
        """Bound the channel; this is the first call after it exists."""
        self.channel = _Bounded(cast(Channel, self.remote_conn), self.encoding, self._deadline)
        super().special_login_handler(*arguments, **options)

    def cleanup(self, command: str = "") -> None:
        """Do nothing: closing is enough, and logging out may take 30 s."""


class _Transport(Transport):
    """Notes what the device offers if we accept none of it, which paramiko's error does not say."""

    def __init__(self, unsupported: list[str], *arguments: Any, **options: Any) -> None:
        self._unsupported = unsupported
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
                self._unsupported.append(_nothing_common(kind, names, old))
        return offered


def _nothing_common(kind: str, names: list[str], old: str) -> str:
    """Say what is wrong, and what to do on the device."""
    if RFC_NAME in names:
        return (
            f"the device offers the key exchange {RFC_NAME} by this name (RFC 8731), which our SSH library paramiko "
            f"does not know; {RFC_NAME}@libssh.org is the same. Allow ecdh-sha2-nistp256 on the device, too"
        )
    age = "old" if set(names) <= set(OLD_ALGORITHMS[old]) else "unknown"
    shown = ", ".join(name for name in names if re.fullmatch(r"[\w.@-]{1,60}", name, re.ASCII))
    return f"the device offers {age} algorithms only, as {kind}: {shown[:200]}; allow a newer one on the device, too"


def _shape(prompt: str) -> str:
    """Pattern of a prompt; its numbers may change, because they may be a clock."""
    return re.sub(r"\d+", r"\\d+", re.escape(prompt))


def _verdict(error: Exception, unsupported: list[str]) -> Unavailable | Refused:
    """Our error, which says whether a retry helps. netmiko nearly always raises one class."""
    cause = error.__context__
    if isinstance(error, NetmikoAuthenticationException):
        if "timeout" in str(error).lower():
            return Unavailable(SYSTEM, "the device did not check our password in time")
        return Refused(SYSTEM, "the device refused our account")
    if isinstance(cause, BadHostKeyException):
        return Refused(SYSTEM, _other_key(cause))
    if isinstance(cause, IncompatiblePeer):
        return Refused(SYSTEM, unsupported[0] if unsupported else "the device offers no algorithms that we accept")
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


def _shown(key: Any) -> str:
    return f"{key.get_name()} {key.fingerprint}"
