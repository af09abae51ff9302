"""Access tokens that somebody else refreshes: read from a file, or printed by a command, when they are needed.

Held by `tests/adapters/ems/test_login.py`.
"""

import subprocess

from models.settings import TokenSource

TOKEN_SECONDS = 30.0
"""Time that the command for a token may take."""
LONGEST = 16_384
"""Characters of a token: on a line that is longer, servers end the connection without a word."""


class NoToken(ValueError):
    """There is none; the text says why, and nothing of what file or command hold."""


def read_token(of: TokenSource) -> str:
    """The current token.

    Raises:
        NoToken: file or command give none.
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
