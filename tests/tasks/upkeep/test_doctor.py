"""What is wrong with a mailbox is named, with the setting to look at, and mail is read again once it is mended."""

from datetime import timedelta
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import delete, update
from sqlmodel import col

from adapters.wiring import Systems
from flows.receive_mail import take_batches
from models.errors import LayananError, Refused
from models.forms.analysis import ConfirmAnalysis
from models.forms.complaint import SupervisorEscalation
from models.settings import HttpSystem, Office
from models.tables import Case, Deadline, Message, Wait
from tasks.upkeep.doctor import Check, examine
from tasks.upkeep.doctor.back_office import back_office
from tasks.upkeep.doctor.check import Warn
from tasks.upkeep.doctor.configuration import office, senders, service
from tasks.upkeep.doctor.ems import copies, mailbox
from tasks.upkeep.doctor.records import letters, mails, waits
from tasks.upkeep.monitor import _note_settings, watch_waits
from tests.adapters.ems.world import World
from tests.cases import BUDI, MAJU, TOKO, asks, at_office, mail, opened, post, received, take_in
from tests.fakes import with_methods
from tests.ports import free_port
from tests.runs import Runs
from tests.servers import dovecot


def examined(systems: Systems) -> Check:
    return mailbox(systems.settings.mailboxes[0]).check(systems)


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (
            {"password": SecretStr("lama")},
            "imap: MailboxLoginError AUTHENTICATIONFAILED: check user, password, xoauth2",
        ),
        ({"folder": "Hilang"}, "imap: MailboxFolderSelectError: check folder in LAYANAN_MAILBOXES"),
        ({"port": 0}, "imap: ConnectionRefusedError: check host and port in LAYANAN_MAILBOXES"),
        ({"port": 1}, "imap: SSLError: check port and tls in LAYANAN_MAILBOXES"),
        ({"tls": False}, "imap: TimeoutError: check host, port and tls in LAYANAN_MAILBOXES"),
        ({"host": "hilang.invalid"}, "imap: gaierror: there is no such host: check host in LAYANAN_MAILBOXES"),
        ({}, "imap: SSLCertVerificationError: check host and tls in LAYANAN_MAILBOXES"),
    ],
)
def test_a_mailbox_that_cannot_be_read_is_named_and_goes_on_by_itself(
    change: dict[str, Any], found: str, systems: Systems, genuine: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    genuine.write(mail("", "tanpa pengirim"))
    if change.get("port") == 0:
        change = {"port": free_port()}
    if change.get("port") == 1:
        change = {"port": genuine.relay}
    monkeypatch.setattr("adapters.ems.imap_session.IMAP_TIMEOUT", 1.0)
    systems.settings.mailboxes = [genuine.box.model_copy(update=change)]
    with monkeypatch.context() as patch:
        if not change:
            patch.delenv("SSL_CERT_FILE")
        check = examined(systems)
        with pytest.raises(LayananError):
            list(take_batches(systems, systems.settings.mailboxes[0]))
    assert (check.state, check.found[: len(found)]) == ("fail", found)
    assert "LAYANAN_MAILBOXES" in check.advice
    systems.settings.mailboxes = genuine.settings.mailboxes
    assert examined(systems).state == "ok"
    assert list(take_batches(systems, genuine.box)) == [{"quarantined": 1}]


def test_mails_that_were_set_aside_are_told_for_a_day(systems: Systems) -> None:
    assert mails(systems) == "none quarantined within a day"
    take_in(systems, received(mail("", "tanpa pengirim")))
    with pytest.raises(Warn, match="1 quarantined within a day"):
        mails(systems)
    with systems.store.write() as session:
        session.execute(update(Message).values(received_at=systems.clock.now() - timedelta(days=1)))
    assert mails(systems) == "none quarantined within a day"


def test_the_oldest_letter_that_has_not_left_is_told_with_its_age(systems: Systems) -> None:
    clock = at_office(systems, "2026-11-24 09:00")
    assert letters(systems) == "none on their way"
    opened(systems)
    clock.advance(2.5)
    opened(systems, MAJU)
    assert letters(systems) == "2 on their way; the oldest was written 2.5 h ago"


def test_mailboxes_whose_mail_is_believed_though_it_is_disowned_are_named(systems: Systems) -> None:
    assert senders(systems) == "a mail whose sender may be forged waits for an agent"
    (box,) = systems.settings.mailboxes
    systems.settings.mailboxes = [box.model_copy(update={"forwarded": True})]
    with pytest.raises(Warn, match=r"DMARC joins .* answers: layanan@telkom\.example"):
        senders(systems)
    assert ("senders", "warn") in {(check.name, check.state) for check in examine(systems)}


def test_copies_of_letters_that_do_not_come_are_missed(systems: Systems) -> None:
    assert copies(systems) == "no recent letter to look for"
    opened(systems)
    post(systems)
    assert copies(systems) == "no recent letter to look for", "it may still be on its way"
    systems.settings.claim_seconds = 0
    assert copies(systems) == "the Sent copy of the latest letter has arrived"
    (box,) = systems.settings.mailboxes
    systems.settings.mailboxes = [box.model_copy(update={"sent_folder": "Elsewhere"})]
    with pytest.raises(Warn, match="the latest letter is missing"):
        copies(systems)
    systems.settings.mailboxes = [box.model_copy(update={"password": SecretStr("lama")})]
    systems.ems.close()
    assert copies(systems) == "not checked: the mailbox cannot be read"


def test_a_mailbox_that_is_nearly_full_is_named(systems: Systems, monkeypatch: pytest.MonkeyPatch) -> None:
    more = "mail_plugins = quota\nprotocol imap {\n mail_plugins = quota imap_quota\n}\n"
    more += "plugin {\n quota = count:User quota\n quota_vsizes = yes\n quota_rule = *:storage=10K\n}\n"
    with dovecot(more=more) as server:
        monkeypatch.setenv("SSL_CERT_FILE", str(server.certificate))
        box = systems.settings.mailboxes[0].model_copy(update={"port": server.imaps, "tls": True})
        systems.settings.mailboxes = [box]
        assert examined(systems).state == "ok"
        with World(systems.settings, 0).imap() as imap:
            imap.append("INBOX", None, None, mail("", 9500 * "x"))
        check = examined(systems)
        assert check.state == "warn"
        assert "% of its quota is used" in check.found
        assert list(take_batches(systems, box)) == [{"quarantined": 1}]


def test_nothing_is_said_of_runs_while_the_store_is_gone(runs: Runs) -> None:
    """What stands on something that failed would give the wrong advice."""
    systems = runs.systems
    systems.engine = with_methods(systems.engine, missing=list)
    systems.engine = with_methods(systems.engine, halted=list)
    assert {check.name for check in examine(systems)} >= {"case store", "runs"}
    systems.store.engine.dispose()
    (systems.settings.home / "cases.sqlite").unlink()
    checks = {check.name: check.state for check in examine(systems)}
    assert checks["case store"] == "fail"
    assert "runs" not in checks


def test_the_oldest_decision_is_named_with_its_age(systems: Systems) -> None:
    clock = at_office(systems, "2026-11-24 09:00")
    assert waits(systems) == "nobody is asked for a decision"
    case = opened(systems)
    asks(case, ConfirmAnalysis)
    clock.advance(0.5)
    assert waits(systems) == "oldest: JKT-0000001 · Konfirmasi analisa / Confirm the analysis · Agent Email · 0.5 h"
    clock.advance(1)
    # at an hour and a half it is half an hour late, and no monitor has passed it
    with pytest.raises(Refused, match=r"1 without a deadline ahead; is the monitor running\? JKT-0000001: Confirm"):
        waits(systems)
    watch_waits.fn()
    with pytest.raises(Warn, match=r"overdue; oldest: JKT-0000001 · .* · Agent Email → Team Leader · 1\.5 h"):
        waits(systems)
    # a case that no run carries, and that waits for nothing, is seen, too
    with systems.store.write() as session:
        session.execute(delete(Wait))
        session.execute(delete(Deadline))
    clock.advance(1)
    with pytest.raises(Refused, match="neither running nor waiting"):
        waits(systems)


def test_an_overdue_decision_is_told_though_another_waits_for_longer(systems: Systems) -> None:
    clock = at_office(systems, "2026-11-24 09:00")
    question, fault, stuck = opened(systems, BUDI), opened(systems, MAJU), opened(systems, TOKO)
    with systems.store.write() as session:
        session.execute(update(Case).where(col(Case.id) == question.case_id).values(kind="information"))
    asks(question, ConfirmAnalysis)
    clock.advance(0.5)
    asks(fault, ConfirmAnalysis)
    clock.advance(0.5)
    asks(stuck, SupervisorEscalation)
    clock.advance(1)
    watch_waits.fn()
    with pytest.raises(Warn, match=r"1 overdue; oldest: JKT-0000002 · .* · Agent Email → Team Leader · 1\.5 h"):
        waits(systems)
    clock.advance(1)
    watch_waits.fn()
    with pytest.raises(Warn, match=r"2 overdue; oldest: JKT-0000002 "):
        waits(systems)
    with systems.store.write() as session:
        session.execute(delete(Wait).where(col(Wait.case_id) == fault.case_id))
        session.execute(update(Case).where(col(Case.id) == fault.case_id).values(status="closed"))
    # a supervisor's time is office time, too
    with pytest.raises(Warn, match=r"1 overdue; oldest: JKT-0000003 · .* · Supervisor · 2\.0 h"):
        waits(systems)


def test_a_supervisors_night_is_not_overdue(systems: Systems) -> None:
    clock = at_office(systems, "2026-11-24 19:30")
    asks(opened(systems), SupervisorEscalation)
    clock.advance(10)
    assert waits(systems).startswith("oldest: JKT-0000001 · ")


def test_holidays_that_no_decree_has_fixed_are_told_in_time(systems: Systems) -> None:
    clock = at_office(systems, "2026-11-24 21:00")
    assert office(systems) == "JKT opens 25-11-2026 08:00 WIB"
    clock.advance(12)
    assert office(systems) == "JKT open"
    at_office(systems, "2027-02-20 10:00")
    with pytest.raises(Warn, match="JKT open; estimated holidays ahead: 10-03-2027, 11-03-2027"):
        office(systems)
    at_office(systems, "2027-02-20 10:00", Office(also_open=["2027-03-10"], also_closed=["2027-03-11"]))
    assert office(systems) == "JKT open"


def test_settings_of_the_service_that_are_not_those_of_this_shell_are_named(systems: Systems) -> None:
    assert service(systems) == "no recent sweep"
    _note_settings(systems)
    assert service(systems).startswith("runs with these settings on ")
    assert back_office("nossa").check(systems).state == "ok"
    before = systems.settings.nossa.url
    systems.settings.nossa = systems.settings.nossa.model_copy(update={"url": before.replace("127.0.0.1", "localhost")})
    with pytest.raises(Refused, match="it runs with other settings than these: LAYANAN_NOSSA__URL: ") as caught:
        service(systems)
    assert f"{before} (here {systems.settings.nossa.url})" in str(caught.value)
    check = back_office("nossa").check(systems)
    assert (check.state, f"the service uses {before}" in check.found) == ("warn", True)


def test_what_is_recorded_of_settings_holds_no_secret(systems: Systems) -> None:
    secret = SecretStr("r4hasia")
    systems.settings.siska = HttpSystem(
        url="https://ops:r4hasia@a.example", token=secret, api_key=secret, password=secret,
        token_command=("/usr/bin/token", "r4hasia"),
    )  # fmt: skip
    systems.settings.database_url = secret
    shown = systems.settings.shown()
    assert "r4hasia" not in str(shown)
    assert systems.settings.mailboxes[0].password.get_secret_value() not in shown.values()
    assert (shown["LAYANAN_SISKA__URL"], shown["LAYANAN_SISKA__TOKEN_COMMAND"]) == (
        "https://a.example",
        "/usr/bin/token",
    )


def test_what_the_service_meets_is_told_though_all_is_well_from_here(systems: Systems) -> None:
    gate = systems.gate("siska")
    gate.failed("503", None)
    check = back_office("siska").check(systems)
    assert (check.state, check.found[:50]) == ("warn", "answers now, but the service's own calls fail sinc")
    gate.enter()
    gate.answered()
    gate.left_out("customer record 3: id: missing")
    assert back_office("siska").check(systems).found.endswith("dropped: customer record 3: id: missing")
    for _ in range(6):
        gate.failed("ConnectError", None)
    check = back_office("siska").check(systems)
    assert (check.state, "is left alone until" in check.found) == ("fail", True)
