"""What the tests need of the machine, beside Python packages: real servers and a real browser.

``python -m tests.needs`` installs what is missing where it may (root on Debian); elsewhere it ends with one line
that names the packages. Nothing is skipped silently.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

PROGRAMS = {
    "dovecot": ("dovecot-imapd", "dovecot-lmtpd", "dovecot-sieve"),
    "postfix": ("postfix",),
    "openssl": ("openssl",),
    "rrdtool": ("rrdtool",),
    "initdb": ("postgresql",),
    "chromium": ("chromium",),
}
COURIER = ("courier-imap", "courier-base", "courier-authlib")
CYRUS = ("cyrus-imapd", "cyrus-common")
"""These are unpacked: no two IMAP servers can be installed side by side."""
POSTGRES = Path("/usr/lib/postgresql")


def program(name: str) -> str | None:
    """Path of a program; Debian keeps PostgreSQL's own out of the PATH."""
    found = shutil.which(name)
    if found or not POSTGRES.is_dir():
        return found
    versions = sorted(POSTGRES.iterdir(), key=lambda folder: int(folder.name))
    return next((str(path) for folder in reversed(versions) if (path := folder / "bin" / name).exists()), None)


def missing() -> list[str]:
    """Debian packages that are not there."""
    return [package for name, packages in PROGRAMS.items() if program(name) is None for package in packages]


def install() -> None:
    """Install what is missing.

    Raises:
        SystemExit: it may not be installed here; the message names the packages.
    """
    packages = missing()
    if not packages:
        return
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        sys.exit(f"the tests need these Debian packages: {' '.join(packages)}")
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    for step in (["update"], ["install", "--yes", "--no-install-recommends", *packages]):
        done = subprocess.run(["apt-get", "-qq", *step], check=False, env=environment, stdout=subprocess.DEVNULL)
        if done.returncode != 0:
            sys.exit(f"apt-get {step[0]} failed; the tests need {' '.join(packages)}")


def unpacked(*packages: str) -> Path:
    """A folder into which Debian packages are unpacked with what their programs use; nothing is installed or started.

    Raises:
        SystemExit: apt cannot bring them; the message names them.
    """
    folder = Path(tempfile.gettempdir()) / f"layanan-tests-{os.geteuid()}" / "-".join(packages)
    if folder.exists():
        return folder
    folder.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as name:
        new, debs = Path(name) / "new", Path(name) / "debs"
        new.mkdir(mode=0o755)
        debs.mkdir(mode=0o777)
        debs.chmod(0o777)  # apt downloads as a user of its own
        # a second time with apt's lists of today
        if not _downloaded(packages, debs) and not (_updated() and _downloaded(packages, debs)):
            sys.exit(f"apt-get download failed; the tests need {' '.join(packages)}")
        for deb in debs.glob("*.deb"):
            subprocess.run(["dpkg", "-x", deb, new], check=True)
        with suppress(OSError):  # another was quicker
            new.rename(folder)
    return folder


def _downloaded(packages: Iterable[str], into: Path) -> bool:
    wanted = _with_libraries(packages)
    command = ["apt-get", "-qq", "download", *wanted]
    return bool(wanted) and subprocess.run(command, check=False, cwd=into, stdout=subprocess.DEVNULL).returncode == 0


def _updated() -> bool:
    return os.geteuid() == 0 and subprocess.run(["apt-get", "-qq", "update"], check=False).returncode == 0


def libraries(folder: Path) -> dict[str, str]:
    """The environment in which unpacked programs find their libraries."""
    return {"LD_LIBRARY_PATH": ":".join(sorted({str(file.parent) for file in folder.rglob("*.so*")}))}


def _with_libraries(packages: Iterable[str]) -> list[str]:
    """The packages, and what their programs use and that are not installed; none where apt does not know them."""
    wanted: dict[str, None] = {}
    following = list(packages)
    while following:
        wanted |= dict.fromkeys(following)
        said = _said("apt-cache", "depends", *following)
        named = dict.fromkeys(re.findall(r"(?m)^[ |]*(?:Pre)?Depends: ((?:lib|gamin)[^<\s]*)$", said))
        following = [name for name in named if name not in wanted and not _is_installed(name)]
    return list(wanted) if _said("apt-cache", "show", *packages) else []


def _is_installed(package: str) -> bool:
    return "ok installed" in _said("dpkg-query", "--show", "--showformat=${Status}\n", package)


def _said(*command: str) -> str:
    return subprocess.run(command, check=False, capture_output=True, text=True).stdout


if __name__ == "__main__":
    install()
    unpacked(*COURIER)
    unpacked(*CYRUS)
    unpacked("nginx")
