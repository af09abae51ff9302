"""The gate of a back-office system in the case store, which all tasks, processes and machines share.

A system that sends ``Retry-After`` gets no call until then. A system that fails several times in a row gets no call for
a growing pause. After the pause one call goes first; the others follow once the system has answered it.
"""

import threading
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import delete, or_, update
from sqlmodel import col, select

from adapters.case_store.holds import goes_first, pause_after
from adapters.case_store.store import AlreadyRecorded, Store
from adapters.clock import Clock
from adapters.systems.gate import Gate, UnderWay
from models.errors import AskedToWait
from models.tables import SystemRow, UnderWayRow

OPENS_AFTER = 6
"""Number of failures in a row from which a system gets no calls for a pause: two calls with three tries each."""
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=30), timedelta(minutes=5)
"""The first and the longest pause; it doubles with each further failure."""
PROBING = timedelta(seconds=3)
"""How soon others may ask again while one call goes first."""
NEWS = timedelta(hours=1)
"""Time after which a known problem is reported again."""


class SystemGate(Gate):
    """The gate that the whole service shares.

    Args:
        name: Name of the system's settings.
        system: Name of the system as people call it.
        clock: The machine's clock.
        zone: Time zone in which people read the time.
        call_seconds: Timeout of one call.
    """

    def __init__(self, store: Store, name: str, system: str, clock: Clock, zone: ZoneInfo, call_seconds: float) -> None:
        super().__init__(clock)
        self._store = store
        self._name = name
        self._system = system
        self._zone = zone
        self._call = timedelta(seconds=call_seconds + 5)
        self._mine = threading.local()
        """This thread's call. ``troubled``: it began after a failure; ``lease``: it goes first, until this time."""

    def state(self) -> SystemRow:
        """The system's row; an empty one if there is none."""
        with self._store.read() as session:
            return session.get(SystemRow, self._name) or SystemRow(name=self._name)

    def enter(self) -> None:
        """See :class:`Gate`."""
        known, now = self.state(), self.now()
        self._mine.troubled, self._mine.lease = known.failures > 0, None
        if known.until is None:
            return
        if known.until > now:
            raise self.asked(known)
        lease = now + self._call
        this = col(SystemRow.name) == self._name
        with self._store.write() as session:
            first = goes_first(session, this, col(SystemRow.until), known.until, lease, probing=True)
        if not first:
            raise self.asked(self.state())
        self._mine.lease = lease

    def asked(self, known: SystemRow) -> AskedToWait:
        """The error that says how long the system gets no call, and why."""
        now = self.now()
        since, until = known.since or now, known.until or now
        if known.probing:
            return AskedToWait(self._system, "one call goes first after a pause", min(until, now + PROBING), since)
        at = f"{until.astimezone(self._zone):%d-%m-%Y %H:%M:%S %Z}"
        what = "asked to wait" if known.asked else f"has failed {known.failures} times, is left alone"
        return AskedToWait(self._system, f"{what} until {at} ({known.why})", until, since)

    def answered(self) -> None:
        """See :class:`Gate`."""
        if not getattr(self._mine, "troubled", False):
            return
        # a pause that another call has caused meanwhile remains
        until, lease = col(SystemRow.until), self._mine.lease
        free = or_(until.is_(None), until <= self.now(), *([until == lease] if lease else []))
        well = {"failures": 0, "until": None, "since": None, "why": "", "asked": False, "probing": False}
        with self._store.write() as session:
            session.execute(update(SystemRow).where(col(SystemRow.name) == self._name, free).values(**well))
        self._mine.troubled = False

    def failed(self, why: str, wait: timedelta | None) -> None:
        """See :class:`Gate`."""
        now, lease = self.now(), getattr(self._mine, "lease", None)
        try:
            known = self._note_failure(now, why, wait, lease)
        except AlreadyRecorded:  # another thread made the row
            known = self._note_failure(now, why, wait, lease)
        if wait is not None:
            raise self.asked(known)

    def not_called(self, why: str) -> None:
        """See :class:`Gate`."""
        if getattr(self._mine, "lease", None):
            self.failed(why, None)

    def _note_failure(self, now: datetime, why: str, wait: timedelta | None, lease: datetime | None) -> SystemRow:
        with self._store.write() as session:
            query = select(SystemRow).where(SystemRow.name == self._name).with_for_update()
            known = session.exec(query).first() or SystemRow(name=self._name)
            known.failures += 1
            known.since = known.since or now
            standing = known.until if known.until and known.until > now and known.until != lease else None
            pause = wait
            if pause is None and (lease or known.failures >= OPENS_AFTER):
                pause = pause_after(known.failures - OPENS_AFTER, FIRST_PAUSE, LONGEST_PAUSE)
            if standing is None or (pause is not None and now + pause > standing):
                known.until = now + pause if pause is not None else None
                known.why, known.asked, known.probing = why, wait is not None, False
            session.add(known)
        return known

    def left_out(self, what: str) -> bool:
        """See :class:`Gate`."""
        known, now = self.state(), self.now()
        if known.left_out == what and known.left_out_at and now - known.left_out_at < NEWS:
            return False
        noted: dict[str, Any] = {"left_out": what, "left_out_at": now}
        # another thread that makes the row meanwhile has reported a problem, too
        with suppress(AlreadyRecorded), self._store.write() as session:
            this = update(SystemRow).where(col(SystemRow.name) == self._name).values(**noted)
            if session.execute(this).rowcount == 0:  # type: ignore[attr-defined]
                session.add(SystemRow(name=self._name, **noted))
        return True

    def under_way(self, key: str) -> UnderWay | None:
        """See :class:`Gate`."""
        with self._store.read() as session:
            known = session.get(UnderWayRow, (self._name, key))
        return UnderWay(known.monitor, known.since) if known else None

    def accepted(self, key: str, monitor: str) -> UnderWay:
        """See :class:`Gate`."""
        under_way = UnderWay(monitor, self.now())
        with self._store.write() as session:
            session.merge(UnderWayRow(system=self._name, key=key, monitor=monitor, since=under_way.since))
        return under_way

    def forget(self, key: str) -> None:
        """See :class:`Gate`."""
        of_key = (col(UnderWayRow.system) == self._name, col(UnderWayRow.key) == key)
        with self._store.write() as session:
            session.execute(delete(UnderWayRow).where(*of_key))
