"""Logging in with a token (XOAUTH2) where others use a password.

A token is read, or its command run, for each login: it is never older than its connection, and a server that ends one
because its token has run out gets a new one with the next.
"""

from adapters.token import NoToken, read_token
from models.settings import Xoauth2

__all__ = ["NoToken", "bearer"]


def bearer(user: str, of: Xoauth2) -> str:
    """What XOAUTH2 sends: the user and the current access token.

    Raises:
        NoToken: file or command give none.
    """
    return f"user={user}\1auth=Bearer {read_token(of)}\1\1"
