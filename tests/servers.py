"""Real servers for tests: Dovecot, Postfix and PostgreSQL as processes of our own on free loopback ports; small liars.

No mail can leave: Postfix delivers the test domains to Dovecot and returns everything else, with a report of its own.
"""

import base64
import hmac
import itertools
import json
import math
import os
import shutil
import socket
import socketserver
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import psycopg
import psycopg.sql
import pytest

from tests import needs
from tests.ports import free_port

T = TypeVar("T")
PASSWORD = "pw"
AWAY = "cuti@pelanggan.example"
"""A mailbox that answers with a vacation note."""
GONE, LATE, GREYLISTED = (f"{name}@pelanggan.example" for name in ("hilang", "lambat", "kelabu"))
"""What Postfix takes and then reports as undeliverable, what it cannot deliver yet, and whom it asks to come again."""
FORWARDING = "teruskan@pelanggan.example"
"""A mailbox that sends us all that it gets."""
TOKEN_KEY = b"a key of the tests, thirty-two bytes long"


@dataclass(frozen=True)
class Dovecot:
    """A running Dovecot. Every address has a mailbox, with the password ``PASSWORD``."""

    folder: Path
    imap: int
    imaps: int
    lmtp: int
    auth: int
    smtp: int
    """Where it sends vacation notes to: Postfix, if it runs."""

    @property
    def certificate(self) -> Path:
        """Its own certificate, for localhost and 127.0.0.1."""
        return self.folder / "cert.pem"

    @property
    def log(self) -> Path:
        """What it logs."""
        return self.folder / "dovecot.log"

    def doveadm(self, *command: str) -> None:
        """Let its administrator do something."""
        subprocess.run(["doveadm", "-c", self.folder / "dovecot.conf", *command], check=True, capture_output=True)

    def token(self, address: str, seconds: int = 60) -> str:
        """A token for this mailbox (JWT, HS256) that Dovecot believes for so long."""
        now = int(time.time())
        claims = {"sub": address, "iat": now - 60, "exp": now + seconds}
        parts = [_base64(json.dumps(part).encode()) for part in ({"alg": "HS256", "typ": "JWT"}, claims)]
        signature = hmac.digest(TOKEN_KEY, b".".join(parts), "sha256")
        return b".".join([*parts, _base64(signature)]).decode()

    def empty(self) -> None:
        """Remove every mailbox; there must be no connection."""

        def gone() -> bool:
            # a letter that is still on its way may come in between
            shutil.rmtree(self.folder / "home", ignore_errors=True)
            return not (self.folder / "home").exists()

        eventually(gone)
        _homes(self.folder)


@dataclass(frozen=True)
class Postfix:
    """A running Postfix: ``smtp`` takes mail from anybody, ``submission`` wants STARTTLS and a login."""

    smtp: int
    submission: int
    log: Path
    known: threading.Event
    """Set when what is for ``GREYLISTED`` has come often enough."""

    def idle(self) -> bool:
        """Whether no mail is on its way, beside those that are late."""
        queue = self.log.parent / "queue"
        # twice: a report comes in before the letter that it is on has left
        return not any(file.is_file() for part in ("incoming", "active") * 2 for file in (queue / part).glob("*"))

    def forget(self) -> None:
        """Drop the mails that are late."""
        etc = self.log.parent / "etc"
        subprocess.run(["postsuper", "-c", etc, "-d", "ALL", "deferred"], check=True, capture_output=True)


def _folder(prefix: str) -> "tempfile.TemporaryDirectory[str]":
    """A folder for a server, whose last process may still write while it is removed."""
    return tempfile.TemporaryDirectory(prefix=prefix, dir="/tmp", ignore_cleanup_errors=True)


@contextmanager
def dovecot(capability: str = "", more: str = "") -> Iterator[Dovecot]:
    """Run Dovecot; ``capability`` replaces what its IMAP says it can, ``more`` is added to its configuration."""
    needs.install()
    with _folder("dv-") as name:
        server = Dovecot(Path(name), *(free_port() for _ in range(5)))
        server.folder.chmod(0o755)
        _homes(server.folder)
        _token_keys(server.folder)
        # fmt: off
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
             "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
             "-keyout", server.folder / "key.pem", "-out", server.certificate],
            check=True, capture_output=True,
        )
        # fmt: on
        config = server.folder / "dovecot.conf"
        config.write_text(_dovecot_config(server, capability) + more)
        log = (server.folder / "start.log").open("w")
        with subprocess.Popen(["dovecot", "-F", "-c", config], stdout=log, stderr=log, stdin=subprocess.DEVNULL) as own:
            try:
                for port in (server.imap, server.imaps, server.lmtp):
                    _listens(port, server.folder)
                yield server
            finally:
                own.terminate()


@contextmanager
def postfix(behind: Dovecot, *domains: str) -> Iterator[Postfix]:
    """Run Postfix; it delivers ``domains`` to Dovecot, except for addresses that begin with ``nobody``."""
    needs.install()
    with _folder("pf-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        server = Postfix(behind.smtp, free_port(), folder / "postfix.log", threading.Event())
        for part in ("etc", "queue", "data"):
            (folder / part).mkdir()
        shutil.chown(folder / "data", "postfix")
        with _greylisting(server.known) as policy:
            (folder / "etc" / "main.cf").write_text(_postfix_main(folder, behind, domains, policy))
            (folder / "etc" / "master.cf").write_text(_postfix_master(server))
            _postfix(folder, "start")
            try:
                _listens(server.smtp, folder)
                yield server
            finally:
                _postfix(folder, "stop")


class Postgres:
    """A running PostgreSQL that forgets all when it ends; unless ``durable``, nothing is synchronised to the disk."""

    def __init__(self, folder: Path, *, durable: bool = False) -> None:
        self.folder = folder
        self._fsync = "on" if durable else "off"
        self.port = free_port()
        self._names = itertools.count(1)
        self._run("initdb", "--auth=trust", "--username=layanan", "--encoding=UTF8", "--locale=C", "--no-sync")

    def start(self) -> None:
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync={self._fsync}"
        self._run("pg_ctl", "start", "--wait", "--silent", f"--log={self.folder}/start.log", f"--options={options}")

    def stop(self) -> None:
        """End it and every connection, now."""
        self._run("pg_ctl", "stop", "--wait", "--silent", "--mode=immediate")

    def new(self, like: str = "template1") -> str:
        """SQLAlchemy's address of a new data base: empty, or a copy of the one at the address ``like``."""
        name, template = f"layanan{next(self._names)}", like.rpartition("/")[2]
        with psycopg.connect(
            host="127.0.0.1", port=self.port, user="layanan", dbname="postgres", autocommit=True
        ) as it:
            create = psycopg.sql.SQL("CREATE DATABASE {} TEMPLATE {}")
            it.execute(create.format(psycopg.sql.Identifier(name), psycopg.sql.Identifier(template)))
        return f"postgresql+psycopg://layanan@127.0.0.1:{self.port}/{name}"

    def _run(self, name: str, *arguments: str) -> None:
        # PostgreSQL refuses to run as root
        user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        command = [*user, str(needs.program(name)), f"--pgdata={self.folder}/data", *arguments]
        subprocess.run(command, check=True, cwd="/", stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)


@contextmanager
def postgres(*, durable: bool = False) -> Iterator[Postgres]:
    """Run PostgreSQL."""
    needs.install()
    with _folder("pg-") as name:
        if os.geteuid() == 0:
            shutil.chown(name, "postgres")
        server = Postgres(Path(name), durable=durable)
        server.start()
        try:
            yield server
        finally:
            server.stop()


@contextmanager
def scripted(greeting: bytes, answers: Mapping[bytes, bytes | None]) -> Iterator[int]:
    """A loopback server that answers each line by a word that stands in it, in any case; ``None`` ends the connection.

    ``%t`` in an answer is the line's first word (an IMAP tag). A line that no word fits gets no answer.
    """
    listener = socket.create_server(("127.0.0.1", 0))

    def talk(connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as lines:
            connection.sendall(greeting)
            for line in lines:
                answer = next((text for word, text in answers.items() if word.lower() in line.lower()), b"")
                if answer is None:
                    return
                connection.sendall(answer.replace(b"%t", line.split(b" ", 1)[0]))

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=talk, args=(connection,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


@contextmanager
def cutting(port: int, *after: int | bytes) -> Iterator[int]:
    """A way to a loopback server that cuts connections: the first after so many bytes of the server's, and so on.

    Or after a word of its, in the place of its next answer.
    """
    listener, cuts = socket.create_server(("127.0.0.1", 0)), iter(after)

    def pump(source: socket.socket, sink: socket.socket, cut: float | bytes) -> None:
        most, word = (math.inf, cut) if isinstance(cut, bytes) else (cut, None)
        with suppress(OSError):
            while most > 0 and (data := source.recv(65536)):
                sink.sendall(data)
                most -= len(data)
                if word is not None and word in data:
                    source.recv(65536)
                    break
        for one in (source, sink):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def accept() -> None:
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                server = socket.create_connection(("127.0.0.1", port))
                for way in ((client, server, math.inf), (server, client, next(cuts, math.inf))):
                    threading.Thread(target=pump, args=way, daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def eventually(ask: Callable[[], T], seconds: float = 60) -> T:
    """The first answer that is true; the last one when time is over."""
    end, pause = time.monotonic() + seconds, 0.005
    while not (answer := ask()) and time.monotonic() < end:
        time.sleep(pause)
        pause = min(2 * pause, 0.05)
    return answer


def _listens(port: int, folder: Path) -> None:
    def answers() -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    if not eventually(answers):
        logs = "".join(file.read_text(errors="replace")[-2000:] for file in folder.glob("*.log"))
        pytest.fail(f"nobody listens on port {port}:\n{logs}", pytrace=False)


def _homes(folder: Path) -> None:
    home = folder / "home"
    home.mkdir()
    scripts = {
        AWAY: 'require "vacation"; vacation :subject "Tidak di kantor" "Saya cuti.";',
        FORWARDING: 'redirect "layanan@telkom.example";',
    }
    for address, script in scripts.items():
        (home / address).mkdir()
        (home / address / ".dovecot.sieve").write_text(script)
    for path in (home, *home.rglob("*")):
        shutil.chown(path, "mail", "mail")


def _base64(raw: bytes) -> bytes:
    return base64.urlsafe_b64encode(raw).rstrip(b"=")


def _token_keys(folder: Path) -> None:
    key = folder / "keys" / "default" / "HS256" / "default"
    key.parent.mkdir(parents=True)
    key.write_bytes(base64.b64encode(TOKEN_KEY))
    (folder / "oauth2.conf").write_text(
        f"introspection_mode = local\nlocal_validation_key_dict = fs:posix:prefix={folder}/keys/\n"
        "username_attribute = sub\n"
    )


def _postfix(folder: Path, command: str) -> None:
    with (folder / "start.log").open("a") as log:
        subprocess.run(
            ["postfix", "-c", folder / "etc", command],
            check=command == "start",
            timeout=30,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )


def _dovecot_config(server: Dovecot, capability: str) -> str:
    folder = server.folder
    return f"""
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {server.log}
protocols = imap lmtp
listen = 127.0.0.1
ssl = yes
ssl_cert = <{server.certificate}
ssl_key = <{folder}/key.pem
disable_plaintext_auth = no
auth_mechanisms = plain login xoauth2
auth_failure_delay = 0
first_valid_uid = 1
mail_home = {folder}/home/%u
mail_location = maildir:~/Maildir
recipient_delimiter = +
lda_mailbox_autocreate = yes
lmtp_save_to_detail_mailbox = yes
submission_host = 127.0.0.1:{server.smtp}
passdb {{
  driver = oauth2
  mechanisms = xoauth2
  args = {folder}/oauth2.conf
}}
passdb {{
  driver = static
  mechanisms = plain login
  args = password={PASSWORD}
}}
userdb {{
  driver = static
  args = uid=mail gid=mail allow_all_users=yes
}}
namespace inbox {{
  inbox = yes
  separator = /
}}
protocol imap {{
  mail_max_userip_connections = 100
  {f"imap_capability = {capability}" if capability else ""}
}}
protocol lmtp {{
  mail_plugins = sieve
  postmaster_address = postmaster@telkom.example
}}
plugin {{
  sieve = file:~/sieve;active=~/.dovecot.sieve
}}
service imap-login {{
  inet_listener imap {{
    port = {server.imap}
  }}
  inet_listener imaps {{
    port = {server.imaps}
    ssl = yes
  }}
}}
service lmtp {{
  inet_listener lmtp {{
    address = 127.0.0.1
    port = {server.lmtp}
  }}
}}
service anvil {{
  # no waiting after wrong passwords
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service auth {{
  inet_listener {{
    address = 127.0.0.1
    port = {server.auth}
  }}
}}
"""


@contextmanager
def _greylisting(known: threading.Event) -> Iterator[int]:
    """A server that Postfix asks whether a mail may come in; its port."""

    class Answer(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            for line in self.rfile:
                if line == b"\n":
                    self.wfile.write(b"action=%s\n\n" % (b"dunno" if known.is_set() else b"defer_if_permit Greylisted"))

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Answer) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()


def _postfix_main(folder: Path, behind: Dovecot, domains: tuple[str, ...], policy: int) -> str:
    refused, ways = folder / "etc" / "refused", folder / "etc" / "ways"
    refused.write_text(f"/^nobody@/ 550 5.1.1 No such mailbox\n/^{GREYLISTED}$/ greylisting\n")
    ways.write_text(f"/^{GONE}$/ error:5.1.1 No such mailbox\n/^{LATE}$/ retry:4.4.1 Connection refused\n")
    return f"""
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
maillog_file = {folder}/postfix.log
maillog_file_prefixes = {folder}
myhostname = mx.{domains[0]}
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
alias_maps =
local_recipient_maps =
recipient_delimiter = +
virtual_mailbox_domains = {" ".join(domains)}
virtual_mailbox_maps = static:all
virtual_transport = lmtp:inet:127.0.0.1:{behind.lmtp}
default_transport = error:5.1.2 no such domain
relay_transport = error:5.1.2 no such domain
disable_dns_lookups = yes
smtp_host_lookup = native
smtpd_reject_unlisted_recipient = no
smtpd_recipient_restrictions = check_recipient_access regexp:{refused}
smtpd_restriction_classes = greylisting
greylisting = check_policy_service inet:127.0.0.1:{policy}
transport_maps = regexp:{ways}
enable_long_queue_ids = yes
queue_run_delay = 1s
minimal_backoff_time = 1s
maximal_backoff_time = 1s
delay_warning_time = 1s
smtpd_relay_restrictions = permit_mynetworks, permit_sasl_authenticated, reject
smtpd_tls_cert_file = {behind.certificate}
smtpd_tls_key_file = {behind.folder}/key.pem
smtpd_sasl_type = dovecot
smtpd_sasl_path = inet:127.0.0.1:{behind.auth}
smtputf8_enable = yes
local_header_rewrite_clients =
"""


def _postfix_master(server: Postfix) -> str:
    inner = """
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
proxymap unix - - n - - proxymap
error unix - - n - - error
retry unix - - n - - error
lmtp unix - - n - - lmtp
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
pickup unix n - n 60 1 pickup
postlog unix-dgram n - n - 1 postlogd
"""
    return f"""
127.0.0.1:{server.smtp} inet n - n - - smtpd
127.0.0.1:{server.submission} inet n - n - - smtpd
  -o smtpd_tls_security_level=encrypt
  -o smtpd_sasl_auth_enable=yes
  -o smtpd_relay_restrictions=permit_sasl_authenticated,reject
{inner}"""
