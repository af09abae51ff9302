"""Checks everything that the service needs, and says what is wrong and what to do. It changes nothing.

Each module of this folder has the checks of one subject. Held by `tests/tasks/upkeep/test_doctor.py`.
"""

from concurrent.futures import ThreadPoolExecutor
from functools import partial

from adapters.wiring import Systems
from tasks.upkeep.doctor import back_office, configuration, ems, engine, records
from tasks.upkeep.doctor.check import Check, Probe, in_order

__all__ = ["Check", "examine"]


def examine(systems: Systems) -> list[Check]:
    """Run all checks, the groups in parallel. What depends on a failed check is not checked."""
    groups = _groups(systems)
    with ThreadPoolExecutor(len(groups)) as pool:
        checks = [check for checks in pool.map(partial(in_order, systems), groups) for check in checks]
    failed = {check.name for check in checks if check.state == "fail"}
    if "case store" not in failed and ("Prefect" not in failed or systems.engine.answers()):
        checks += [probe.check(systems) for probe in engine.RUNS]
    return checks


def _groups(systems: Systems) -> list[list[Probe]]:
    """The checks in groups; in a group, each depends on those before it."""
    boxes = systems.settings.mailboxes
    stored = [records.LETTERS, records.MAILS, records.WAITS, configuration.OFFICE, ems.COPIES, ems.RELAY]
    return [
        [configuration.SETTINGS, configuration.SENDERS],
        [records.CASE_STORE, *stored],
        [configuration.SERVICE],
        [records.BLOBS],
        engine.ENGINE,
        *map(ems.of_mailbox, boxes),
        *([ems.copies_to(box)] for box in boxes),
        [ems.SMTP],
        *([back_office.back_office(name)] for name in back_office.BACK_OFFICE),
        [back_office.MRTG],
        [back_office.SECURECRT],
    ]
