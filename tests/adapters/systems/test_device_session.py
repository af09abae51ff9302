"""Each private part of netmiko and paramiko that `adapters/systems/device_session.py` relies on, by name.

If one of these fails after an upgrade, read what it names in the new release and adapt the module; that sessions then
work is held by `test_securecrt.py`.
"""

import inspect
from typing import Any

import pytest
from netmiko.base_connection import BaseConnection
from netmiko.channel import SSHChannel
from netmiko.ssh_dispatcher import CLASS_MAPPER
from paramiko.client import SSHClient
from paramiko.transport import Transport

from adapters.systems.device_session import OLD_ALGORITHMS, _Device
from adapters.systems.securecrt import INTERFACE_COMMANDS


@pytest.mark.parametrize(
    ("owner", "attribute", "source", "look_at"),
    [
        (BaseConnection, "_connect_params_dict", "'hostname'", "the arguments that netmiko gives to SSHClient.connect"),
        (
            BaseConnection,
            "establish_connection",
            "**ssh_connect_params",
            "whether transport_factory reaches connect",
        ),
        (BaseConnection, "_build_ssh_client", "set_missing_host_key_policy", "where our policy for host keys is set"),
        (BaseConnection, "special_login_handler", "def special_login_handler", "where our bounded channel is set"),
        (
            BaseConnection,
            "_open",
            "self.establish_connection()",
            "that a channel exists before special_login_handler",
        ),
        (BaseConnection, "cleanup", "def cleanup", "what a disconnect sends; we send nothing"),
        (BaseConnection, "find_prompt", "def find_prompt", "who calls it: ours waits until the prompt comes twice"),
        (BaseConnection, "clear_buffer", "read_channel", "how unread output is dropped"),
        (BaseConnection, "write_channel", "self.channel.write_channel", "whether writing goes through our channel"),
        (BaseConnection, "read_channel", "self.channel.read_channel", "whether reading goes through our channel"),
        (BaseConnection, "normalize_cmd", "self.RETURN", "the end of line that a command gets"),
        (SSHChannel, "read_channel", "self.read_buffer()", "whether all reading goes through read_buffer"),
        (SSHChannel, "read_buffer", "remote_conn.recv", "what is counted against the limit of output"),
        (Transport, "_really_parse_kex_init", "kex_algo_list", "the names of the lists of algorithms that it returns"),
        (Transport, "get_security_options", "SecurityOptions", "our own lists of algorithms"),
        (SSHClient, "connect", "transport_factory", "whether a transport class of ours may be given"),
    ],
)
def test_a_private_part_is_as_we_know_it(owner: type[Any], attribute: str, source: str, look_at: str) -> None:
    part = getattr(owner, attribute, None)
    assert part is not None, f"{owner.__module__}.{owner.__name__}.{attribute} is gone: look at {look_at}"
    text = inspect.getsource(part).replace('"', "'")
    where = f"{owner.__module__}.{owner.__name__}.{attribute}"
    assert source in text, f"{where} no longer contains {source!r}: look at {look_at}"


def test_every_list_of_algorithms_has_its_name() -> None:
    text = inspect.getsource(Transport._really_parse_kex_init)
    for name in ("kex_algo_list", "server_key_algo_list", "server_encrypt_algo_list", "server_mac_algo_list"):
        assert f'"{name}"' in text, f"paramiko.transport.Transport._really_parse_kex_init no longer returns {name}"
    disabled = inspect.getsource(Transport)
    for kind in OLD_ALGORITHMS:
        assert f'"{kind}"' in disabled, f"paramiko.transport.Transport no longer takes {kind} in disabled_algorithms"


@pytest.mark.parametrize("device_type", sorted(INTERFACE_COMMANDS))
def test_our_overrides_come_before_those_of_each_driver(device_type: str) -> None:
    driver = CLASS_MAPPER[device_type]
    assert issubclass(driver, BaseConnection), f"netmiko's driver for {device_type} is not a BaseConnection"
    type("Device", (_Device, driver), {})
