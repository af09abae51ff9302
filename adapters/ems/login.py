"""Login with an access token (XOAUTH2) instead of a password.

The token is read, or its command run, for each login. If a server ends a connection because the token has expired, the
next connection logs in with a new one.
"""

from adapters.token import NoToken, read_token
from models.settings import Xoauth2

__all__ = ["NoToken", "bearer"]


def bearer(user: str, of: Xoauth2) -> str:
    """The XOAUTH2 response: the user and the current access token.

    Raises:
        NoToken: the file or command gives no token.
    """
    return f"user={user}\1auth=Bearer {read_token(of)}\1\1"
