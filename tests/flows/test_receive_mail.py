"""Reading the mailboxes: what fails keeps nothing else from being read and answered."""

import smtplib

from pydantic import SecretStr

from adapters.wiring import Systems
from flows.receive_mail import receive_mail, take_batches
from models.tables import Case, Outbox
from tests.cases import MAJU, OURS, mail, rows
from tests.runs import Runs
from tests.servers import closed_port


def posted(wired: Systems, *senders: str) -> None:
    """Mails in our mailbox."""
    with smtplib.SMTP("127.0.0.1", wired.settings.smtp.port) as smtp:
        for sender in senders:
            smtp.sendmail(sender, [OURS], mail(sender))


def test_a_mailbox_that_refuses_us_keeps_no_other_from_being_read(runs: Runs) -> None:
    wired = runs.wired
    (good,) = wired.settings.mailboxes
    bad = good.model_copy(update={"address": "bdg@telkom.example", "site": "BDG", "password": SecretStr("wrong")})
    wired.settings.mailboxes = [bad, good]
    posted(wired, MAJU)
    assert receive_mail(return_state=True).is_failed()
    assert [case.address for case in rows(wired, Case)] == [MAJU]


def test_a_server_that_takes_no_letter_is_asked_once_a_batch(wired: Systems) -> None:
    posted(wired, *(f"p{number}@example.com" for number in range(3)))
    wired.settings.smtp.port = closed_port()
    assert list(take_batches(wired, wired.settings.mailboxes[0])) == [{"opened": 3}]
    assert [(outbox.state, outbox.attempts) for outbox in rows(wired, Outbox)] == [
        ("queued", 1),
        ("queued", 0),
        ("queued", 0),
    ]
