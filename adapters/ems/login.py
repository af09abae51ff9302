"""Logging in with a token (XOAUTH2) where others use a password.

A token is read, or its command run, for each login: it is never older than its connection, and a server that ends one
because its token has run out gets a new one with the next.
"""

import subprocess

from models.settings import Xoauth2

TOKEN_SECONDS = 30.0
"""Time that the command for a token may take."""
LONGEST = 16_384
"""Characters of a token: on a line that is longer, servers end the connection without a word."""


class NoToken(ValueError):
    """There is none; the text says why, and nothing of what file or command hold."""


def bearer(user: str, of: Xoauth2) -> str:
    """What XOAUTH2 sends: the user and a token of now.

    Raises:
        NoToken: file or command give none.
    """
    token = _token(of).strip()
    if not token.isascii() or not token.isprintable() or not 0 < len(token) <= LONGEST:
        raise NoToken("no token in what was read")
    return f"user={user}\1auth=Bearer {token}\1\1"


def _token(of: Xoauth2) -> str:
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
