"""Real mail servers for tests: Dovecot and Postfix as processes of our own on free loopback ports, and small liars.

No mail can leave: Postfix delivers the test domains to Dovecot and returns everything else.
"""

import os
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

PACKAGES = ("dovecot-imapd", "dovecot-lmtpd", "dovecot-sieve", "postfix")
PASSWORD = "pw"
AWAY = "cuti"
"""Local part of a mailbox that answers with a vacation note."""


@dataclass(frozen=True)
class Dovecot:
    """A running Dovecot. Every address has a mailbox, with the password ``PASSWORD``."""

    folder: Path
    imap: int
    imaps: int
    lmtp: int
    auth: int

    @property
    def certificate(self) -> Path:
        """Its own certificate, for localhost and 127.0.0.1."""
        return self.folder / "cert.pem"

    def empty(self) -> None:
        """Remove every mailbox; there must be no connection."""
        shutil.rmtree(self.folder / "home")
        _homes(self.folder)


@dataclass(frozen=True)
class Postfix:
    """A running Postfix: ``smtp`` takes mail from anybody, ``submission`` wants STARTTLS and a login."""

    smtp: int
    submission: int


@contextmanager
def dovecot(capability: str = "") -> Iterator[Dovecot]:
    """Run Dovecot; ``capability`` replaces what its IMAP says it can."""
    _install()
    with tempfile.TemporaryDirectory(prefix="dv-", dir="/tmp") as name:
        server = Dovecot(Path(name), *_free_ports(4))
        server.folder.chmod(0o755)
        _homes(server.folder)
        # fmt: off
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
             "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
             "-keyout", server.folder / "key.pem", "-out", server.certificate],
            check=True, capture_output=True,
        )
        # fmt: on
        config = server.folder / "dovecot.conf"
        config.write_text(_dovecot_config(server, capability))
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
    _install()
    with tempfile.TemporaryDirectory(prefix="pf-", dir="/tmp") as name:
        folder = Path(name)
        folder.chmod(0o755)
        server = Postfix(*_free_ports(2))
        for part in ("etc", "queue", "data"):
            (folder / part).mkdir()
        shutil.chown(folder / "data", "postfix")
        (folder / "etc" / "main.cf").write_text(_postfix_main(folder, behind, domains))
        (folder / "etc" / "master.cf").write_text(_postfix_master(server))
        command = ["postfix", "-c", folder / "etc"]
        quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        subprocess.run([*command, "start"], check=True, timeout=30, **quiet)
        try:
            _listens(server.smtp, folder)
            yield server
        finally:
            subprocess.run([*command, "stop"], check=False, timeout=30, **quiet)


@contextmanager
def scripted(greeting: bytes, answers: Mapping[bytes, bytes | None]) -> Iterator[int]:
    """A server on a loopback port that answers each line by a word that stands in it; ``None`` ends the connection.

    ``%t`` in an answer is the line's first word (an IMAP tag). A line that no word fits gets no answer.
    """
    listener = socket.create_server(("127.0.0.1", 0))

    def talk(connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as lines:
            connection.sendall(greeting)
            for line in lines:
                answer = next((text for word, text in answers.items() if word in line), b"")
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


def eventually[T](ask: Callable[[], T], seconds: float = 10) -> T:
    """The first answer that is true; the last one when time is over."""
    end = time.monotonic() + seconds
    while not (answer := ask()) and time.monotonic() < end:
        time.sleep(0.05)
    return answer


def closed_port() -> int:
    """A loopback port where nobody listens."""
    return _free_ports(1)[0]


def _install() -> None:
    if all(map(shutil.which, ("dovecot", "postfix", "openssl"))):
        return
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        pytest.fail(f"the mail tests need root and the Debian packages {' '.join(PACKAGES)}", pytrace=False)
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    for step in (["update"], ["install", "--yes", "--no-install-recommends", *PACKAGES]):
        subprocess.run(["apt-get", "--quiet", *step], check=True, env=environment, capture_output=True)


def _free_ports(count: int) -> list[int]:
    listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [listener.getsockname()[1] for listener in listeners]
    for listener in listeners:
        listener.close()
    return ports


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
    for domain in ("pelanggan.example", "telkom.example"):
        away = home / f"{AWAY}@{domain}"
        away.mkdir()
        (away / ".dovecot.sieve").write_text(
            f'require ["vacation"];\nvacation :addresses ["{AWAY}@{domain}"] :subject "Tidak di kantor" "Saya cuti.";\n'
        )
    for path in (home, *home.rglob("*")):
        shutil.chown(path, "mail", "mail")
