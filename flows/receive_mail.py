"""Receive mail (SOP 5.2, 5.3): a run empties the mailboxes, batch by batch.

Fetch → parse → old or new? → store, with the first response → send → start cases or deliver signals to them → move the
mail. If the case store does not answer, no mail is read: it stays in its mailbox.
"""

import logging
import math
import time
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import contextmanager

from prefect import Task, flow, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State
from prefect.futures import wait

from adapters.ems import Received
from adapters.wiring import Systems, load_systems
from flows.final_state import final_state
from models.errors import LayananError, Refused, Unavailable
from models.settings import Mailbox
from models.states import SignalKind
from tasks.intake.batch import TakenIn, take_in_batch
from tasks.intake.first_poll import begin, is_the_one_agreed_to
from tasks.run import drain
from tasks.run.resume import resume_or_show
from tasks.run.send_letter import deliver_all
from tasks.run.start_case import start_cases

log = logging.getLogger("layanan.intake")

NEWS = {"joined": "mail", "duplicate": "mail", "automatic": SignalKind.UNDELIVERED}
"""Outcomes of mails that somebody waits for or should read, and the kind of signal that each may have left."""
MAILBOX_SECONDS = 60.0
"""Time that one mailbox may take in a poll: the next poll of the other mailboxes begins only after this one."""


@flow(name="receive-mail", flow_run_name="Terima email / receive mail", persist_result=False)
def receive_mail() -> "State[None]":
    """Empty all mailboxes in parallel, so that a flooded or failing mailbox does not delay the others.

    The run fails if one of them fails.
    """
    emptying = [_emptying(box).submit(number) for number, box in enumerate(load_systems().settings.mailboxes)]
    wait(emptying)
    return final_state([mailbox.state for mailbox in emptying])


@task(name="Terima surat / Receive mail", cache_policy=NO_CACHE, persist_result=False)
def empty_mailbox(number: int) -> dict[str, int]:
    """Take in a mailbox's mail while there is time; returns how many mails had which outcome."""
    systems = load_systems()
    outcomes: Counter[str] = Counter()
    for batch in take_batches(systems, systems.settings.mailboxes[number], MAILBOX_SECONDS):
        outcomes.update(batch)
    return dict(outcomes)


def _emptying(box: Mailbox) -> "Task[[int], dict[str, int]]":
    return empty_mailbox.with_options(task_run_name=f"Terima surat / Receive mail {box.site}")


def take_batches(systems: Systems, box: Mailbox, seconds: float = math.inf) -> Iterator[Counter[str]]:
    """Take in a mailbox's mail, unless the worker stops; yields for each batch how many mails had which outcome.

    No batch begins before a person has agreed to the mailbox's first poll. If mail cannot be moved (quota, rights, a
    limit), all of it is taken in first, and the error is raised at the end.

    Args:
        seconds: time after which no further batch begins.

    Raises:
        Unavailable, Refused: mailbox or case store do not answer; mail that was not moved stays on the server.
    """
    last, end = 0, time.monotonic() + seconds
    not_moved: Refused | Unavailable | None = None
    begun = begin(systems, box)
    if begun is None:
        return
    while not drain.asked() and time.monotonic() < end and (received := _fetch(systems, begun, last)):
        if last == 0 and not is_the_one_agreed_to(systems, box, received[0].uidvalidity):
            return
        taken = take_in_batch(systems, received)
        _answer(systems, taken.values())
        aside = [uid for uid, result in taken.items() if result.outcome == "quarantined"]
        copies = [uid for uid, result in taken.items() if result.copy]
        done = [uid for uid, result in taken.items() if result.outcome != "quarantined" and not result.copy]
        try:
            systems.ems.settle(box, received[0].uidvalidity, done, aside, copies)
        except (Refused, Unavailable) as error:
            not_moved = error
        last = received[-1].uid
        yield Counter(result.outcome for result in taken.values())
    if not_moved is not None:
        raise not_moved


def _fetch(systems: Systems, box: Mailbox, last: int) -> list[Received]:
    with systems.store.read() as session:
        session.connection()  # raises if the store does not answer, so that the mail stays in its mailbox
    return systems.ems.fetch(box, systems.settings.intake_batch, last)


def _answer(systems: Systems, taken: Collection[TakenIn]) -> None:
    deliver_all(systems, [letter_id for result in taken for letter_id in result.letters])
    set_going(systems, taken)


def set_going(systems: Systems, taken: Collection[TakenIn]) -> None:
    """Start the cases that mails opened, and deliver signals to those that mails joined. The monitor repeats failures.

    If the engine does not answer for one case, the others are left to the monitor, too.
    """
    with _left_to_the_monitor():
        start_cases(systems, [one.case_id for one in taken if one.outcome == "opened" and one.case_id is not None])
    for one in taken:
        if one.outcome in NEWS and one.case_id is not None:
            with _left_to_the_monitor():
                resume_or_show(systems, one.case_id, NEWS[one.outcome])


@contextmanager
def _left_to_the_monitor() -> Iterator[None]:
    """Log an error and go on: else the mail would stay, and each poll would meet the same broken case again."""
    try:
        yield
    except LayananError as error:
        log.warning("a case continues with the next sweep: %s", error)
    except Exception:
        log.exception("a defect: a case continues with the next sweep")
