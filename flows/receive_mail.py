"""Receive mail (SOP 5.2, 5.3): a run takes what lies in the mailboxes, batch by batch.

Fetch → parse → store → old or new? → first response → start or wake cases → and only then is the mail moved. When
the case store is away nothing is read: the mail stays where it is.
"""

import logging
from collections import Counter
from collections.abc import Iterable, Iterator

from prefect import Task, flow, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State

from adapters.ems import Received
from adapters.wiring import Systems, systems
from flows.passes import ended
from models.errors import Refused, Unavailable
from models.settings import Mailbox
from tasks import drain
from tasks.intake import TakenIn, take_in
from tasks.send_letter import deliver
from tasks.start_case import start_case
from tasks.waits import show_news, wake_waiting_case

log = logging.getLogger("layanan.intake")


@flow(name="receive-mail", flow_run_name="Terima email / receive mail", persist_result=False)
def receive_mail() -> "State[None]":
    """Empty all mailboxes: one that fails keeps no other from being read, and fails the run."""
    boxes = enumerate(systems().settings.mailboxes)
    return ended([_emptying(box)(number, return_state=True) for number, box in boxes])


@task(name="Terima surat / Receive mail", cache_policy=NO_CACHE, persist_result=False)
def empty_mailbox(number: int) -> dict[str, int]:
    """Take in all that lies in a mailbox; returns how many mails had which outcome."""
    wired = systems()
    outcomes: Counter[str] = Counter()
    for batch in take_batches(wired, wired.settings.mailboxes[number]):
        outcomes.update(batch)
    return dict(outcomes)


def _emptying(box: Mailbox) -> "Task[[int], dict[str, int]]":
    return empty_mailbox.with_options(task_run_name=f"Terima surat / Receive mail {box.site}")


def take_batches(wired: Systems, box: Mailbox) -> Iterator[Counter[str]]:
    """Take in all that lies in a mailbox, unless the worker stops: how many mails of each batch had which outcome.

    A mailbox from which nothing can be moved (quota, rights) keeps no customer waiting: all is taken in, and the error
    raised at the end.

    Raises:
        Unavailable, Refused: mailbox or case store do not answer; what was not settled stays on the server.
    """
    last, unsettled = 0, None
    while not drain.asked() and (received := _fetch(wired, box, last)):
        taken = {mail.uid: take_in(wired, mail) for mail in received}
        _answer(wired, taken.values())
        aside = [uid for uid, result in taken.items() if result.outcome == "set_aside"]
        done = [uid for uid, result in taken.items() if result.outcome != "set_aside"]
        try:
            wired.ems.settle(box, received[0].uidvalidity, done, aside)
        except Refused as error:
            unsettled = error
        last = received[-1].uid
        yield Counter(result.outcome for result in taken.values())
    if unsettled is not None:
        raise unsettled


def _fetch(wired: Systems, box: Mailbox, last: int) -> list[Received]:
    with wired.store.read() as session:
        session.connection()  # no store, no reading: the mail stays where it is
        return wired.ems.fetch(box, wired.settings.intake_batch, last)


def _answer(wired: Systems, taken: Iterable[TakenIn]) -> None:
    # who does not answer is not asked again for each mail of a batch; the monitor does the rest
    sending = starting = True
    for result in taken:
        for letter_id in result.letters:
            sending = sending and deliver(wired, letter_id) in {"sent", "failed"}
        if starting or result.outcome != "opened":
            starting = set_going(wired, result) and starting


def set_going(wired: Systems, taken: TakenIn) -> bool:
    """Start or wake the mail's case; returns whether that went well. Where it fails the monitor does it later."""
    if taken.case_id is None:
        return True
    try:
        if taken.outcome == "opened":
            start_case(wired, taken.case_id)
        elif taken.outcome == "joined" and not wake_waiting_case(wired, taken.case_id):
            show_news(wired, taken.case_id, "mail")
    except (Unavailable, Refused) as error:
        log.warning("a case goes on with the monitor's next pass: %s", error)
        return False
    return True
