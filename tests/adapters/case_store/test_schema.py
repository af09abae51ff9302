"""Migrations from nothing to the code's revision, on both kinds of data base."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import text, update
from sqlmodel import col, select

from adapters.case_store import schema
from adapters.case_store.store import Store
from models.errors import Defect, Refused, Unavailable
from models.tables import Bounce, Case, Letter, Message, NewLetter, NewMessage, row
from tests.conftest import BOTH
from tests.models.test_tables import NOW, new_case, stored
from tests.ports import free_port


@pytest.fixture(params=BOTH)
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    url = f"sqlite:///{tmp_path / 'cases.sqlite'}"
    if request.param == "postgresql":
        url = request.getfixturevalue("postgresql").new()
    store = Store(url, tmp_path / "blobs")
    yield store
    store.close()


def test_from_nothing_to_head(empty: Store) -> None:
    found, head = schema.revisions(empty)
    assert found == ""
    assert head
    with pytest.raises(Refused, match=r"is empty: is it the right one .*layanan migrate"):
        schema.check(empty)
    schema.upgrade(empty)
    assert schema.check(empty) == head
    stored(empty, new_case())


def test_repeating_it_keeps_all(store: Store) -> None:
    stored(store, new_case())
    schema.upgrade(store)
    with store.read() as session:
        assert len(session.exec(select(Case)).all()) == 1


def test_the_migrations_lead_to_the_tables_of_the_code(store: Store) -> None:
    assert schema.drift(store) == []


def test_rows_that_refer_to_others_outlive_tables_that_are_made_anew(store: Store) -> None:
    mail = {"mailbox": "a@b", "uidvalidity": 1, "uid": 1, "sha256": "1", "received_at": NOW, "outcome": "automatic"}
    letter = {
        "case_id": 1,
        "kind": "closing",
        "occurrence": 1,
        "message_id": "<1@a>",
        "recipient": "c@d",
        "sender": "a@b",
    }
    stored(store, new_case())
    stored(store, row(Message, NewMessage.model_validate({**mail, "case_id": 1})))
    stored(store, row(Letter, NewLetter.model_validate({**letter, "subject": "", "sha256": "2", "written_at": NOW})))
    stored(store, Bounce(letter_id=1, mail_id=1, address="c@d", action="failed", hard=True))
    command.downgrade(schema.config(store), "0013")
    schema.upgrade(store)
    assert schema.drift(store) == []
    with store.read() as session:
        assert [len(session.exec(select(table)).all()) for table in (Message, Letter, Bounce)] == [1, 1, 1]
    with pytest.raises(Defect), store.write() as session:
        session.execute(update(Bounce).values(mail_id=2))


def test_every_migration_can_be_taken_back(store: Store) -> None:
    stored(store, new_case())
    command.downgrade(schema.config(store), "0013")
    schema.upgrade(store)
    assert schema.drift(store) == []
    with store.read() as session:
        assert len(session.exec(select(Case)).all()) == 1
    command.downgrade(schema.config(store), "base")
    assert schema.revisions(store)[0] == ""


WARNED = ["DMARC: fail", "SPF: softfail", "balasan diminta ke domain lain / replies are asked for at another domain"]


def test_stored_mails_words_become_codes(store: Store) -> None:
    said = {
        "new": [["new", ""]],
        "perhaps JKT-0000001: same line, another topic; "
        "names JKT-0000002, which is another sender's (answers our letter)": [
            *(["perhaps", "JKT-0000001"], ["other_topic", ""]),
            *(["other_senders_case", "JKT-0000002"], ["answers_letter", ""]),
        ],
        "bounce: sent by a mail server, of no letter that we know; perhaps a person's": [
            *(["program", "bounce: sent by a mail server"], ["no_letter_of_ours", ""])
        ],
        "signed reference; taken in by Sari, before: flood: more than 9 mails of this sender within an hour": [
            *(["signed_reference", ""], ["accepted", "Sari"], ["flood", "9"])
        ],
        "in the words of somebody": [["earlier", "in the words of somebody"]],
    }
    command.downgrade(schema.config(store), "0024")
    mail = "mailbox, uidvalidity, uid, sha256, message_id, sender, sender_key, sender_name, subject, language, text"
    mail += ', new_text, "references", conversation, content, warnings, authentication, attachments, received_at'
    with store.write() as session:
        for number, words in enumerate(said):
            values = f"'a@b', 1, {number}, 'x', '', '', '', '', '', 'id', '', '', '[]', '', '', :warnings, '{{}}', '[]'"
            session.execute(
                text(f"INSERT INTO message ({mail}, outcome, reason) VALUES ({values}, :now, 'set_aside', :reason)"),
                {"now": NOW, "reason": words, "warnings": json.dumps(WARNED)},
            )
    schema.upgrade(store)
    with store.read() as session:
        found = session.exec(select(Message).order_by(col(Message.id))).all()
        assert [mail.reasons for mail in found] == list(said.values())
        assert {mail.outcome for mail in found} == {"quarantined"}
        assert {(mail.doubts, *mail.warnings) for mail in found} == {("dmarc", "replies_elsewhere")}
        assert [mail.automatic for mail in found] == ["", "", "bounce", "", ""]
        assert all(mail.reason for mail in found), "each has its words"


def test_a_drift_is_seen(store: Store) -> None:
    with store.write() as session:
        session.execute(text('ALTER TABLE "case" ADD COLUMN forgotten INTEGER'))
    assert schema.drift(store) != []


def test_a_store_of_another_revision_is_refused(store: Store) -> None:
    with store.write() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(Refused, match="its schema is 9999"):
        schema.check(store)


@pytest.mark.parametrize("revision", ["0012", "9999"])
def test_a_store_that_this_version_cannot_upgrade_is_refused(store: Store, revision: str) -> None:
    with store.write() as session:
        session.execute(text("UPDATE alembic_version SET version_num = :it"), {"it": revision})
    with pytest.raises(Refused, match=f"its schema is {revision}, which this version cannot upgrade"):
        schema.upgrade(store)


def test_a_store_that_does_not_answer_is_unavailable(tmp_path: Path) -> None:
    store = Store(f"postgresql+psycopg://nobody@127.0.0.1:{free_port()}/none", tmp_path)
    for ask in (schema.upgrade, schema.check):
        with pytest.raises(Unavailable):
            ask(store)
