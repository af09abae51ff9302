"""The sending of one letter: through the outbox, once.

A process takes a lease on a letter before it sends it. If the lease runs out (the process was killed, or the connection
broke after the text was handed over), the delivery is unconfirmed: the next process first looks for our own copy. Only
if there is none, it sends the letter once more, with the same Message-ID, or asks a person, as the settings say.
"""

from collections.abc import Iterable
from email.parser import BytesHeaderParser
from email.utils import getaddresses
from time import monotonic

from prefect import task
from prefect.cache_policies import NO_CACHE
from sqlmodel import select

from adapters.ems.protocol import UsOrRecipient
from adapters.wiring import Systems, load_systems
from models.errors import Deferred, LayananError, OutcomeUnknown, Refused, Unavailable
from models.states import LOST, UNDER_WAY
from models.tables import Letter, Outbox
from tasks.run import signals
from tasks.run.lease import Queued, earlier_letters, read_queued, take_lease
from tasks.run.outcome import Outcome, Sending
from tasks.run.own_copy import is_copy
from tasks.run.undelivered import in_outbox, put_back


@task(
    name="Kirim surat / Send letter",
    task_run_name="Kirim surat / Send letter",
    cache_policy=NO_CACHE,
    persist_result=False,
)
def send_letter(letter_id: int) -> str:
    """Send a letter if no other process does; returns its state. The monitor sends later what cannot go now."""
    return deliver(load_systems(), letter_id)


def deliver(systems: Systems, letter_id: int) -> str:
    """Send one queued letter; returns ``sent``, ``queued``, ``sending`` (unconfirmed) or ``failed``.

    Or ``bounced``, if a delivery report came before the relay's answer.

    Raises:
        Unavailable: the case store does not answer.
    """
    deliver_all(systems, [letter_id])
    # a letter that a person sends again may be the probe; then those before it must be tried
    if (state := _state(systems, letter_id)) not in UNDER_WAY or not (earlier := earlier_letters(systems, letter_id)):
        return state
    deliver_all(systems, [*earlier, letter_id])
    return _state(systems, letter_id)


def deliver_all(systems: Systems, letter_ids: Iterable[int]) -> None:
    """Send queued letters one after the other, until the relay takes none. A refused recipient stops no other letter.

    The outcome of one letter is committed together with the lease on the next, before that is sent.

    Raises:
        Unavailable: the case store does not answer.
    """
    last: Outcome | None = None
    for letter in read_queued(systems, letter_ids):
        until = monotonic() + systems.settings.claim_seconds / 2  # the rest is for the text and for the copy
        with systems.store.write() as session:
            if last is not None:
                last.record(session)
            lease = take_lease(session, systems, letter)
        last = sent(Sending(systems, letter, lease), until) if lease else None
        if last is not None and last.ends:
            break
    if last is not None:
        with systems.store.write() as session:
            last.record(session)


def send_again(systems: Systems, letter_id: int) -> None:
    """Put a letter that did not arrive back in the outbox: the next sweep sends it.

    Raises:
        Refused: the letter has not failed.
        Unavailable: the case store does not answer.
    """
    with systems.store.write() as session:
        _, outbox = in_outbox(session, letter_id)
        if outbox.state not in LOST:
            raise Refused(f"letter {letter_id}", "only a failed one can be sent again; `layanan letters` shows states")
        signals.retire_undelivered(session, outbox, systems.clock.now())
        put_back(systems, outbox)
        session.add(outbox)


def sent(sending: Sending, until: float) -> Outcome:
    """Send a leased letter, unless its text would begin so late that the lease might run out meanwhile.

    Args:
        until: latest start of the text, by the monotonic clock.
    """
    systems, queued = sending.systems, sending.queued
    letter, unconfirmed = queued.letter, queued.outbox.state == "sending"
    try:
        raw = systems.store.kept_file(letter.sha256) if queued.content is None else queued.content
        if unconfirmed and _has_copy(systems, letter, raw):
            return sending.done()
    except LayananError as error:
        # the error must not hide that an attempt was cut off before
        return sending.later(str(error), unanswered=max(queued.outbox.unanswered, int(queued.was_cut_off)))
    if unconfirmed and _is_a_persons(systems, queued):
        return sending.failed("smtp: the delivery is unconfirmed, and no copy has come", cause="unclear")
    try:
        systems.ems.send(raw, letter.sender, [letter.recipient], until, _copies(raw))
    except OutcomeUnknown:
        return sending.cut_off()
    except (Deferred, UsOrRecipient) as error:
        return sending.disputed(error)
    except Unavailable as error:
        return sending.refuses_us(error)
    except Refused as error:
        return sending.failed(str(error), cause="recipient", reply=error.reply)
    return sending.done()


def _state(systems: Systems, letter_id: int) -> str:
    with systems.store.read() as session:
        return session.exec(select(Outbox.state).where(Outbox.letter_id == letter_id)).one()


def _copies(raw: bytes) -> list[str]:
    """The addresses in a letter's own Cc."""
    head = BytesHeaderParser().parsebytes(raw.partition(b"\r\n\r\n")[0])
    return [address for _, address in getaddresses(head.get_all("Cc", []))]


def _has_copy(systems: Systems, letter: Letter, raw: bytes) -> bool:
    if systems.settings.smtp.copies == "none":
        return False
    box = systems.settings.mailbox(letter.sender)
    return systems.ems.has_copy(letter.message_id, box, lambda found: is_copy(found, raw))


def _is_a_persons(systems: Systems, queued: Queued) -> bool:
    """Whether a person decides about an unconfirmed letter without a copy; otherwise it is sent again."""
    if systems.settings.smtp.in_doubt == "ask":
        return queued.outbox.unanswered > 0 or queued.was_cut_off
    return queued.outbox.unanswered > 1
