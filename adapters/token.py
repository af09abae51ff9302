"""Reads the current access token from a file or a command; an external process refreshes it.

Held by `tests/adapters/ems/test_login.py` and `tests/adapters/systems/test_tmf.py`.
"""

import subprocess

from models.settings import TokenSource

TOKEN_SECONDS = 30.0
"""Timeout of the command."""
LONGEST = 16_384
"""Most characters of a token: servers close the connection without an error if the line is longer."""


class NoToken(ValueError):
    """No token was found. The text says why, and contains nothing that the file or command gave."""


def read_token(of: TokenSource) -> str:
    """The current token.

    Raises:
        NoToken: neither file nor command gave one.
    """
    token = _read(of).strip()
    if not token.isascii() or not token.isprintable() or not 0 < len(token) <= LONGEST:
        raise NoToken("no token in what was read")
    return token


def _read(of: TokenSource) -> str:
    try:
        if of.token_file is not None:
            return of.token_file.read_text("utf-8")
        return subprocess.run(  # noqa: S603
            of.token_command,
            check=True,
            timeout=TOKEN_SECONDS,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
        ).stdout
    except OSError as error:
        raise NoToken(error.strerror or type(error).__name__) from None
    except subprocess.CalledProcessError as error:
        raise NoToken(f"its command ended with {error.returncode}") from None
    except (subprocess.TimeoutExpired, UnicodeDecodeError) as error:
        raise NoToken(type(error).__name__) from None
