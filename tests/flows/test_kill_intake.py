"""No mail lost, none answered twice: intake and monitor are killed with SIGKILL while mails stream in over SMTP.

Real Dovecot, Postfix and Prefect server, and the commands themselves as processes. Where they are killed is random,
by the seed: after so many steps (mails taken in, letters sent), and then a moment later.
"""

import json
import os
import random
import smtplib
import threading
import time
from collections import Counter
from collections.abc import Iterator
from email import message_from_bytes
from pathlib import Path
from unittest import mock
from uuid import UUID

import pytest
from prefect.client.orchestration import SyncPrefectClient
from sqlmodel import func, select

import layanan
from adapters.case_store import schema
from adapters.wiring import Systems, load_systems
from models.letter import LetterKind
from models.tables import Case, Letter, Message, Outbox
from tests.adapters.ems.world import World
from tests.cases import mail, rows
from tests.forked import command_line
from tests.servers import PASSWORD, Dovecot, Postfix, eventually
from tests.stack import Stack

MAILS, PORTION = 150, 25
SENDERS = [f"p{number}@pelanggan.example" for number in range(MAILS)]
chance = random.Random(4)


@pytest.fixture
def service(stack: Stack, genuine: World, tmp_path: Path, real: tuple[Dovecot, Postfix]) -> Iterator[Systems]:
    """The service by its environment, as its commands find it: real mail servers, a store of its own."""
    box, smtp = genuine.box, genuine.settings.smtp
    environment = stack.environment | {
        "LAYANAN_HOME": str(tmp_path),
        "LAYANAN_MAILBOXES": json.dumps([box.model_dump(mode="json") | {"password": PASSWORD}]),
        "LAYANAN_SMTP__PORT": str(smtp.port),
        "LAYANAN_SMTP__TLS": smtp.tls,
        "LAYANAN_SMTP__USER": smtp.user,
        "LAYANAN_SMTP__PASSWORD": PASSWORD,
        "LAYANAN_INTAKE_BATCH": "10",
        "LAYANAN_FIRST_POLL_MOST": "100000",
        "LAYANAN_CLAIM_SECONDS": "4",
    }
    with mock.patch.dict(os.environ, environment):
        load_systems.cache_clear()
        systems = load_systems()
        schema.upgrade(systems.store)
        yield systems
        with SyncPrefectClient(api=systems.settings.prefect_api_url) as client:
            for case in rows(systems, Case):
                if case.run_id:
                    client.delete_flow_run(UUID(case.run_id))
        systems.ems.close()
        systems.store.close()
        load_systems.cache_clear()


def steps(systems: Systems) -> int:
    """Mails taken in, and letters sent."""
    sent = select(func.count()).select_from(Outbox).where(Outbox.state == "sent")
    with systems.store.read() as session:
        return session.exec(select(func.count()).select_from(Message)).one() + session.exec(sent).one()


def killed(systems: Systems, command: str, most: int) -> bool:
    """Run a command, and kill it somewhere within its next steps; whether it was still at work."""
    moment, pause = steps(systems) + chance.randrange(most), chance.random() / 50
    process = command_line(os.environ, command, "--once")
    while process.is_alive() and steps(systems) < moment:
        time.sleep(0.005)
    time.sleep(pause)
    process.kill()
    process.join()
    return (process.exitcode or 0) < 0


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_stream_of_mails_survives_kills_at_any_moment(
    service: Systems, genuine: World, real: tuple[Dovecot, Postfix], capsys: pytest.CaptureFixture[str]
) -> None:
    def write(senders: list[str]) -> None:
        with smtplib.SMTP("127.0.0.1", genuine.relay) as smtp:
            for sender in senders:
                smtp.sendmail(sender, [genuine.box.address], mail(sender))

    kills: Counter[str] = Counter()
    for first in range(0, MAILS, PORTION):
        stream = threading.Thread(target=write, args=(SENDERS[first : first + PORTION],))
        stream.start()
        kills["intake"] += killed(service, "intake", 2 * PORTION)
        stream.join()
        if first % (4 * PORTION) == 0:
            kills["monitor"] += killed(service, "monitor", 5)
    assert kills["intake"] >= 3, "it was at work when it was killed"

    def all_sent() -> bool:
        codes = [layanan.main([command, "--once"]) for command in ("intake", "monitor")]
        states = Counter(outbox.state for outbox in rows(service, Outbox))
        return codes == [0, 0] and states == {"sent": MAILS} and genuine.count() == 0

    assert eventually(all_sent, 240), capsys.readouterr().out
    capsys.readouterr()
    assert layanan.main(["mails", "--check", "--json"]) == 0, capsys.readouterr().out
    messages, cases, letters = rows(service, Message), rows(service, Case), rows(service, Letter)
    assert Counter((message.sender, message.outcome) for message in messages) == Counter(
        (sender, "opened") for sender in SENDERS
    )
    assert len(genuine.mails(genuine.box.address, genuine.box.done_folder)) == MAILS
    assert {(letter.recipient, letter.kind) for letter in letters} == {(s, LetterKind.FIRST_RESPONSE) for s in SENDERS}
    assert len(letters) == len(cases) == len({case.run_id for case in cases} - {None}) == MAILS

    attempts = {outbox.letter_id: outbox.attempts for outbox in rows(service, Outbox)}
    tried = {letter.message_id for letter in letters if attempts[letter.id or 0] > 1}
    twice = 0
    for letter in letters:
        came = came_to(real[0], letter.recipient)
        assert set(came) == {letter.message_id}, "whoever gets a letter twice sees one Message-ID"
        assert len(came) == 1 or letter.message_id in tried
        twice += len(came) - 1
    assert twice <= kills.total(), "in doubt is at most the letter in the hands of who was killed"


def came_to(inside: Dovecot, address: str) -> list[str]:
    """Message-IDs of what a customer got, as it lies on Dovecot's disk."""
    files = (inside.folder / "home" / address / "Maildir").glob("[cn]*/*")
    return [str(message_from_bytes(file.read_bytes())["Message-ID"]) for file in files]
