"""What the tests need of the machine, beside Python packages: real servers and a real browser.

``python -m tests.needs`` installs what is missing where it may (root on Debian); elsewhere it ends with one line
that names the packages. Nothing is skipped silently.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

PROGRAMS = {
    "dovecot": ("dovecot-imapd", "dovecot-lmtpd", "dovecot-sieve"),
    "postfix": ("postfix",),
    "openssl": ("openssl",),
    "rrdtool": ("rrdtool",),
    "initdb": ("postgresql",),
    "chromium": ("chromium",),
}
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


if __name__ == "__main__":
    install()
