"""Receive mail (SOP 5.2, 5.3): a run takes what lies in the mailboxes, batch by batch.

Fetch → parse → store → old or new? → first response → start or wake cases → and only then is the mail moved. When
the case store is away nothing is read: the mail stays where it is.
"""

import logging
from collections import Counter

from prefect import flow, task
from prefect.cache_policies import NO_CACHE

from adapters.wiring import Systems, systems
from models.errors import Refused, Unavailable
from models.settings import Mailbox
from tasks.intake import TakenIn, take_in
from tasks.send_letter import deliver
from tasks.start_case import start_case
from tasks.waits import wake_waiting_case

log = logging.getLogger("layanan.intake")


@flow(name="receive-mail", persist_result=False)
def receive_mail() -> dict[str, int]:
    """Empty all mailboxes; returns how many mails had which outcome."""
    outcomes: Counter[str] = Counter()
    for number, box in enumerate(systems().settings.mailboxes):
        while batch := receive_batch.with_options(task_run_name=f"Terima surat / Receive mail {box.site}")(number):
            outcomes.update(batch)
    return dict(outcomes)


@task(name="Terima surat / Receive mail", cache_policy=NO_CACHE, persist_result=False)
def receive_batch(mailbox_number: int) -> dict[str, int]:
    """Take in one batch of a mailbox; empty when there was none."""
    wired = systems()
    return dict(take_batch(wired, wired.settings.mailboxes[mailbox_number]))


def take_batch(wired: Systems, box: Mailbox) -> Counter[str]:
    """Take in one batch.

    Raises:
        Unavailable: mailbox or case store do not answer; what was not settled stays on the server.
    """
    with wired.store.read() as session:
        session.connection()  # no store, no reading: the mail stays where it is
        received = wired.ems.fetch(box, wired.settings.intake_batch)
    taken = {mail.uid: take_in(wired, mail) for mail in received}
    for result in taken.values():
        go_on(wired, result)
    if received:
        aside = [uid for uid, result in taken.items() if result.outcome == "set_aside"]
        done = [uid for uid, result in taken.items() if result.outcome != "set_aside"]
        wired.ems.settle(box, received[0].uidvalidity, done, aside)
    return Counter(result.outcome for result in taken.values())


def go_on(wired: Systems, taken: TakenIn) -> None:
    """Send the first response and set the case going; the monitor does it later where that fails now."""
    for letter_id in taken.letters:
        deliver(wired, letter_id)
    if taken.case_id is None:
        return
    try:
        if taken.outcome == "opened":
            start_case(wired, taken.case_id)
        elif taken.outcome == "joined":
            wake_waiting_case(wired, taken.case_id)
    except (Unavailable, Refused) as error:
        log.warning("a case goes on with the monitor's next pass: %s", error)
