"""Passwords and one-time codes: how they are made and checked. None is ever logged or stored as it is.

Held by `tests/flows/desk/test_sign_in.py` and `tests/flows/desk/test_lock_out.py`.
"""

import secrets
from datetime import datetime

import pyotp
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from pyotp.utils import strings_equal

from models.staff import Staff

SHORTEST, LONGEST = 10, 200
"""Characters of a password; longer ones are refused, because nobody types them."""
_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
"""OWASP's Argon2id profile with the least memory: many may sign in at the same time."""
_NOBODY = _HASHER.hash(secrets.token_hex())
_SIGNS = "abcdefghjkmnpqrstuvwxyz23456789"
"""Of first passwords: none that looks like another."""
ISSUER = "Layanan Email"


def new_hash(password: str) -> str:
    """The Argon2 hash of a password."""
    return _HASHER.hash(password)


def outdated(password_hash: str) -> bool:
    """Whether a hash was made with other parameters than today's."""
    return _HASHER.check_needs_rehash(password_hash)


def matches(password_hash: str, password: str) -> bool:
    """Whether a password is the one of this hash. An empty hash costs as much time, and matches nothing."""
    try:
        return _HASHER.verify(password_hash or _NOBODY, password) and bool(password_hash)
    except (VerificationError, InvalidHashError):
        return False


def first_password() -> str:
    """A password to be typed once: 16 characters in four groups."""
    return "-".join("".join(secrets.choice(_SIGNS) for _ in range(4)) for _ in range(4))


def new_code_secret() -> str:
    """A secret of one-time codes."""
    return pyotp.random_base32()


def code_uri(staff: Staff) -> str:
    """The ``otpauth`` address that authenticator apps read."""
    return pyotp.TOTP(staff.code_secret).provisioning_uri(name=staff.email, issuer_name=ISSUER)


def step_of_code(staff: Staff, code: str, now: datetime) -> int | None:
    """The time step of a one-time code: that of now, or one before or after it; None where the code is wrong.

    A step that was accepted before is wrong, too (RFC 6238, 5.2).
    """
    codes = pyotp.TOTP(staff.code_secret)
    typed = "".join(code.split())
    steps = [codes.timecode(now) + drift for drift in (0, -1, 1)]
    right = (step for step in steps if strings_equal(codes.generate_otp(step), typed))
    return next((step for step in right if step > staff.code_used), None)
