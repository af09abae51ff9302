"""Signing in at the desk: password, one-time code, lock-out, and the end of all sessions.

Moments are of the machine's clock: a rehearsal that moves the business clock locks nobody out.

Held by `tests/flows/desk/test_sign_in.py` and `tests/flows/desk/test_lock_out.py`.
"""

from datetime import datetime, timedelta
from enum import StrEnum

from sqlmodel import Session, select

from adapters.case_store import audit
from adapters.case_store.store import Store
from adapters.wiring import Systems
from models.audit import UNKNOWN, Action
from models.author import Author
from models.rights import NEEDS_CODE
from models.settings.desk import Desk
from models.staff import SignedIn, Staff
from tasks.desk import passwords
from tasks.desk.staff import Change, address, note_change

LOCK_AFTER = 5
"""Failures in a row from which an account is locked: a minute, then twice as long with each further one."""
LONGEST_LOCK = timedelta(hours=1)


class Weak(StrEnum):
    """Why a new password is not accepted; the value is what people read."""

    SHORT = (
        f"Kata sandi minimal {passwords.SHORTEST} karakter / "
        f"The password must have at least {passwords.SHORTEST} characters"
    )
    LONG = f"Kata sandi maksimal {passwords.LONGEST} karakter / At most {passwords.LONGEST} characters"
    PERSONAL = "Jangan pakai nama atau email Anda / Do not use your name or e-mail"
    OLD = "Pilih kata sandi yang baru / Choose a password that differs from the old one"


def asked_for_code(staff: Staff, desk: Desk) -> bool:
    """Whether this person signs in with a one-time code, too."""
    if desk.code == "leaders":
        return bool(staff.held & NEEDS_CODE) or staff.code_ready
    return desk.code == "all"


def check_password(systems: Systems, email: str, password: str) -> Staff | None:
    """The person with this e-mail and password; None, after the same work, whatever is wrong.

    The attempt counts as a failure before it is looked at, so that many at the same time are no way around the lock.
    """
    now = systems.machine_clock.now()
    with systems.store.write() as session:
        staff = _locked_row(session, Staff.email == address(email))
        usable = staff is not None and _may_try(staff, now)
        if staff is not None and usable:
            _count(staff, now)
    known = staff.password if staff is not None and usable else ""
    right = passwords.matches(known, password)
    if staff is None or not usable:
        return None
    with systems.store.write() as session:
        staff = _row(session, staff.key)
        if not right or staff.password != known:
            _note(session, systems, staff, Action.SIGN_IN_FAILED)
            return None
        asked = asked_for_code(staff, systems.settings.desk)
        # whoever knows the password has as many tries of the code as before
        staff.failures = max(0, staff.failures - 1) if asked else 0
        staff.locked_until = None
        if passwords.outdated(known):
            staff.password = passwords.new_hash(password)
        if not asked:
            _note(session, systems, staff, Action.SIGNED_IN, SignedIn.PASSWORD)
    return staff


def check_code(systems: Systems, staff_id: int, code: str, how: SignedIn = SignedIn.PASSWORD_AND_CODE) -> bool:
    """Whether this is the person's one-time code of now. The first one confirms that the code is set up.

    Args:
        how: a code in the Prefect UI is no sign-in; what it decides stands in the audit log anyway.
    """
    now = systems.machine_clock.now()
    with systems.store.write() as session:
        staff = _row(session, staff_id)
        if not _may_try(staff, now) or not staff.code_secret:
            return False
        step = passwords.step_of_code(staff, code, now)
        if step is None:
            _count(staff, now)
            if how is not SignedIn.PREFECT_CODE:
                _note(session, systems, staff, Action.SIGN_IN_FAILED)
            return False
        if not staff.code_ready:
            note_change(session, systems, staff, Change.CODE, _themselves(staff))
        staff.code_used, staff.failures, staff.locked_until = step, 0, None
        if how is not SignedIn.PREFECT_CODE:
            _note(session, systems, staff, Action.SIGNED_IN, how)
    return True


def set_up_code(store: Store, staff_id: int) -> Staff:
    """Give the person a secret of codes, unless they have one. It counts once they have typed a code of it."""
    with store.write() as session:
        staff = _row(session, staff_id)
        if not staff.code_secret:
            staff.code_secret = passwords.new_code_secret()
    return staff


def change_password(systems: Systems, staff_id: int, password: str) -> Staff | Weak:
    """Give the person a password of their own, and end their sessions; else why it is too weak."""
    with systems.store.read() as session:
        staff = _row(session, staff_id)
    if weak := _weakness(staff, password):
        return weak
    new = passwords.new_hash(password)
    with systems.store.write() as session:
        staff = _row(session, staff_id)
        staff.password, staff.password_expires = new, None
        staff.sessions += 1
        note_change(session, systems, staff, Change.PASSWORD, _themselves(staff))
    return staff


def end_sessions(store: Store, staff_id: int) -> None:
    """Sign the person out everywhere."""
    with store.write() as session:
        _row(session, staff_id).sessions += 1


def _weakness(staff: Staff, password: str) -> Weak | None:
    if not passwords.SHORTEST <= len(password) <= passwords.LONGEST:
        return Weak.SHORT if len(password) < passwords.SHORTEST else Weak.LONG
    if password.strip().casefold() in (staff.email, staff.name.casefold()):
        return Weak.PERSONAL
    return Weak.OLD if passwords.matches(staff.password, password) else None


def _may_try(staff: Staff, now: datetime) -> bool:
    expired = staff.password_expires is not None and staff.password_expires <= now
    locked = staff.locked_until is not None and now < staff.locked_until
    return staff.active and not expired and not locked


def _count(staff: Staff, now: datetime) -> None:
    staff.failures += 1
    if staff.failures >= LOCK_AFTER:
        # the exponent is bounded, so that the time is
        lasts = timedelta(minutes=2 ** min(staff.failures - LOCK_AFTER, 10))
        staff.locked_until = now + min(lasts, LONGEST_LOCK)


def _note(session: Session, systems: Systems, staff: Staff, action: Action, how: SignedIn | None = None) -> None:
    """For the audit log; of a failed sign-in nobody knows who it was."""
    who = Author(UNKNOWN, how) if action is Action.SIGN_IN_FAILED else Author.of(staff, how)
    audit.note(session, who.entry(action, systems.clock.now(), subject=f"staff {staff.key}"))


def _themselves(staff: Staff) -> Author:
    return Author.of(staff, SignedIn.PASSWORD)


def _row(session: Session, staff_id: int) -> Staff:
    staff = _locked_row(session, Staff.id == staff_id)
    if staff is None:
        raise LookupError("no member of staff has this number")
    return staff


def _locked_row(session: Session, condition: bool) -> Staff | None:
    # a second attempt on the same account waits for the first; SQLite has one writer anyway
    return session.exec(select(Staff).where(condition).with_for_update()).first()
