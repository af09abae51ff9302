"""Mail servers beside Dovecot, unpacked from Debian's packages: Courier and Cyrus, as Debian configures them.

Each in a folder of its own, on free loopback ports. Every user has a mailbox, whatever the password.
"""

import os
import shutil
import smtplib
import socketserver
import struct
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP as Smtpd
from aiosmtpd.smtp import Envelope, Session

from tests import needs
from tests.ports import free_port
from tests.servers import _folder, _listens

COURIER_CAN = (
    "IMAP4rev1 UIDPLUS CHILDREN NAMESPACE THREAD=ORDEREDSUBJECT THREAD=REFERENCES SORT QUOTA IDLE ACL ACL2=UNION"
)
"""As its own configuration has it."""


@dataclass(frozen=True)
class Server:
    """A running server; ``lmtp`` is where mail is delivered, if it takes any."""

    imap: int
    lmtp: int = 0


@contextmanager
def courier() -> Iterator[Server]:
    """Run Courier: its imapd, one process for each session, as its own login program starts it.

    That one reads its users from a place below /run; here, who logs in is believed.
    """
    root = needs.unpacked(*needs.COURIER)
    imapd, libraries = root / "usr/bin/imapd", needs.libraries(root)
    with _folder("co-") as name:

        class Login(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                self.wfile.write(b"* OK Courier-IMAP ready.\r\n")
                while line := self.rfile.readline():
                    tag, command, *words = line.decode().split()
                    if command.upper() == "LOGIN":
                        self._serve(tag, words[0].strip('"'))
                        return
                    said = f"* CAPABILITY {COURIER_CAN}\r\n" if command.upper() == "CAPABILITY" else ""
                    self.wfile.write(f"{said}{tag} OK done\r\n".encode())

            def _serve(self, tag: str, user: str) -> None:
                home = Path(name) / user
                if not home.exists():
                    home.mkdir()
                    subprocess.run([root / "usr/bin/maildirmake.courier", home / "Maildir"], check=True, env=libraries)
                environment = libraries | {
                    "PATH": os.environ["PATH"],
                    "AUTHENTICATED": user,
                    "HOME": str(home),
                    "MAILDIR": str(home / "Maildir"),
                    "TCPREMOTEIP": "127.0.0.1",
                    "TCPREMOTEPORT": "1",
                    "IMAPLOGINTAG": tag,
                    "IMAP_CAPABILITY": COURIER_CAN,
                    "IMAP_KEYWORDS": "1",
                    "IMAP_ACL": "1",
                    "IMAP_IDLE_TIMEOUT": "1",
                    "IMAP_USELOCKS": "1",
                    "GAM_CLIENT_ID": Path(name).name,
                }
                with (Path(name) / "courier.log").open("ab") as log:
                    subprocess.run(
                        [imapd, "Maildir"],
                        cwd=home,
                        env=environment,
                        stdin=self.request,
                        stdout=self.request,
                        stderr=log,
                    )

        with (
            _watching(root, Path(name)),
            socketserver.ThreadingTCPServer(("127.0.0.1", 0), Login) as server,
        ):
            server.daemon_threads = True
            threading.Thread(target=server.serve_forever, daemon=True).start()
            try:
                yield Server(server.server_address[1])
            finally:
                server.shutdown()


@contextmanager
def _watching(root: Path, folder: Path) -> Iterator[None]:
    """The program that tells Courier of changed files, where it does not look itself; one of these sessions' own."""
    program = next(root.rglob("gam_server"), None)
    if program is None:
        yield
        return
    command: list[str | Path] = [program, "--notimeout", folder.name]
    with subprocess.Popen(command, env=needs.libraries(root), stdin=subprocess.DEVNULL) as own:
        try:
            yield
        finally:
            own.kill()


@contextmanager
def cyrus() -> Iterator[Server]:
    """Run Cyrus."""
    root = needs.unpacked(*needs.CYRUS)
    programs = root / "usr/lib/cyrus/bin"
    master = next(path for path in (programs / "master", root / "usr/sbin/cyrmaster") if path.exists())
    with _folder("cy-") as name:
        folder, server = Path(name), Server(free_port(), free_port())
        for part in ("config", "spool"):
            (folder / part).mkdir()
        (folder / "imapd.conf").write_text(
            f"""configdirectory: {folder}/config
partition-default: {folder}/spool
defaultpartition: default
cyrus_user: mail
allowplaintext: yes
altnamespace: no
unixhierarchysep: no
autocreate_quota: 0
autocreate_post: yes
duplicatesuppression: no
sasl_pwcheck_method: saslauthd
sasl_saslauthd_path: {folder}/mux
sasl_mech_list: PLAIN LOGIN
"""
        )
        options = f"-C {folder}/imapd.conf"
        (folder / "cyrus.conf").write_text(
            f"""START {{
  recover cmd="{programs}/ctl_cyrusdb {options} -r"
}}
SERVICES {{
  imap cmd="{programs}/imapd {options}" listen="127.0.0.1:{server.imap}" prefork=0
  lmtp cmd="{programs}/lmtpd -a {options}" listen="127.0.0.1:{server.lmtp}" prefork=0
}}
"""
        )
        folder.chmod(0o755)
        with _believing(folder / "mux"), (folder / "cyrus.log").open("w") as log:
            for path in (folder, *folder.rglob("*")):
                shutil.chown(path, "mail", "mail")
            command: list[str | Path] = [
                master,
                *options.split(),
                "-M",
                folder / "cyrus.conf",
                "-p",
                folder / "master.pid",
            ]
            environment = os.environ | needs.libraries(root)
            with subprocess.Popen(command, env=environment, stdout=log, stderr=log, stdin=subprocess.DEVNULL) as own:
                try:
                    for port in (server.imap, server.lmtp):
                        _listens(port, folder)
                    yield server
                finally:
                    own.terminate()


@contextmanager
def _believing(path: Path) -> Iterator[None]:
    """What Cyrus asks whether a password is right: it always is."""

    class Answer(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            self.request.recv(4096)
            self.request.sendall(struct.pack(">H", 2) + b"OK")

    with socketserver.ThreadingUnixStreamServer(str(path), Answer) as server:
        server.daemon_threads = True
        path.chmod(0o777)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield
        finally:
            server.shutdown()


class Relay:
    """Takes our letters; what is for ``telkom.example`` goes to a server's LMTP, all else is kept in ``out``."""

    def __init__(self, lmtp: int = 0, *, plus: bool = True) -> None:
        self.out: list[bytes] = []
        self._lmtp, self._plus = lmtp, plus

    async def handle_RCPT(self, server: Smtpd, session: Session, envelope: Envelope, address: str, _: list[str]) -> str:
        """Take a recipient or refuse it (aiosmtpd's hook)."""
        if "+" in address and not self._plus:
            return "550 5.1.1 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server: Smtpd, session: Session, envelope: Envelope) -> str:
        """Take a mail (aiosmtpd's hook)."""
        raw = envelope.content if isinstance(envelope.content, bytes) else b""
        inside = [one.partition("@")[0] for one in envelope.rcpt_tos if one.endswith("@telkom.example")]
        if self._lmtp and inside:
            with smtplib.LMTP("127.0.0.1", self._lmtp) as lmtp:
                for one in inside:  # smtplib reads one answer to the text
                    lmtp.sendmail("", [one], raw)
        if len(inside) < len(envelope.rcpt_tos):
            self.out.append(raw)
        return "250 2.0.0 OK"


@contextmanager
def relay(lmtp: int = 0, *, plus: bool = True) -> Iterator[tuple[int, Relay]]:
    """Run a relay; its port, and what it has sent out."""
    handler = Relay(lmtp, plus=plus)
    controller = Controller(handler, hostname="127.0.0.1", port=free_port())
    controller.start()
    try:
        yield controller.port, handler
    finally:
        controller.stop()
