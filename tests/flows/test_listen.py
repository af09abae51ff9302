"""New mail is heard: it starts a pass at once, whatever becomes of the connection."""

import smtplib
import threading
from collections.abc import Iterator
from itertools import count
from unittest.mock import Mock

import pytest
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterDeploymentId

import flows.listen
from adapters.engine.runs import PrefectEngine
from adapters.wiring import Systems
from flows.listen import Pace, listen, listen_to_mailboxes
from flows.service import Service
from models.errors import Unavailable
from models.settings import Mailbox
from tasks.run import drain
from tests.cases import MAJU, OURS, mail
from tests.fakes import with_methods
from tests.ports import free_port
from tests.servers import cutting, eventually
from tests.stack import Stack


class Passes(PrefectEngine):
    """Counts the passes that would start, and may be away."""

    def __init__(self) -> None:
        self.started: list[str] = []
        self.away = False

    def start_poll(self, deployment: str) -> None:
        self.started.append(deployment)
        if self.away:
            raise Unavailable("Prefect", "ConnectError")


QUICK = Pace(shortest=0.01, longest=0.05, between=0.0)


@pytest.fixture
def passes(systems: Systems) -> Iterator[Passes]:
    systems.engine = passes = Passes()
    drain.reset()
    yield passes
    drain.reset()


def post(systems: Systems) -> None:
    with smtplib.SMTP("127.0.0.1", systems.settings.smtp.port) as smtp:
        smtp.sendmail(MAJU, [OURS], mail(MAJU))


def listening(systems: Systems, passes: Passes, pace: Pace = QUICK) -> list[threading.Thread]:
    """Begin to listen where one mail lies already, so that it is heard when all is ready."""
    post(systems)
    threads = listen_to_mailboxes(systems, pace)
    assert eventually(lambda: passes.started) == ["receive-mail"]
    return threads


def stopped(systems: Systems, threads: list[threading.Thread]) -> bool:
    """Whether they end when the worker stops; one more mail lets them see it."""
    drain.begin()
    post(systems)
    for thread in threads:
        thread.join(60)
    return not any(thread.is_alive() for thread in threads)


def test_each_new_mail_starts_a_pass_until_the_worker_stops(systems: Systems, passes: Passes) -> None:
    threads = listening(systems, passes)
    assert all(thread.daemon for thread in threads), "they do not hold the worker's end up"
    for number in (2, 3):
        post(systems)
        assert eventually(lambda number=number: len(passes.started) >= number)  # type: ignore[misc]
    assert set(passes.started) == {"receive-mail"}
    before = len(passes.started)
    assert stopped(systems, threads)
    assert len(passes.started) == before


def test_many_mails_at_once_are_one_matter(systems: Systems, passes: Passes) -> None:
    going_on, heard, real = threading.Event(), list[Mailbox](), systems.ems.listen

    def counted(box: Mailbox) -> Iterator[None]:
        for _ in real(box):
            yield
            heard.append(box)  # and it has been told

    systems.ems = with_methods(systems.ems, listen=counted)
    threads = listening(systems, passes, Pace(wait=lambda _: going_on.wait(60)))
    for number in range(2, 7):
        post(systems)
        assert eventually(lambda number=number: len(heard) == number)  # type: ignore[misc]
    assert passes.started == ["receive-mail"]
    going_on.set()
    assert eventually(lambda: len(passes.started) == 2), "what came meanwhile has one pass"
    assert stopped(systems, threads)
    assert len(passes.started) == 2


def test_a_connection_that_ends_is_made_anew_and_what_came_meanwhile_is_found(systems: Systems, passes: Passes) -> None:
    (box,) = systems.settings.mailboxes
    with cutting(box.port, 0, 200, 800) as port:
        box.port = port
        threads = listening(systems, passes)
        # one may come while no connection is there: the next one finds it
        assert eventually(lambda: post(systems) or len(passes.started) >= 2)  # type: ignore[func-returns-value]
        assert stopped(systems, threads)


def test_a_mailbox_that_is_away_is_tried_with_growing_pauses(systems: Systems, passes: Passes) -> None:
    pauses: list[float] = []

    def waited(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 11:
            drain.begin()

    (box,) = systems.settings.mailboxes
    box.port = free_port()
    listen(systems, box, threading.Event(), Pace(wait=waited))
    assert pauses == [2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]
    assert passes.started == []


def test_a_connection_that_a_router_forgets_is_soon_made_anew(systems: Systems, passes: Passes) -> None:
    pauses: list[float] = []

    def waited(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 3:
            drain.begin()

    def forgotten(box: Mailbox) -> Iterator[None]:
        raise Unavailable("imap", "ConnectionResetError")

    systems.ems = with_methods(systems.ems, listen=forgotten)
    pace = Pace(wait=waited, now=count(0, 240).__next__)
    listen(systems, systems.settings.mailboxes[0], threading.Event(), pace)
    assert pauses == [pace.shortest] * 3


def test_a_defect_does_not_end_the_listening(
    systems: Systems, passes: Passes, caplog: pytest.LogCaptureFixture
) -> None:
    real = systems.ems.listen

    def breaks_once(box: Mailbox) -> Iterator[None]:
        systems.ems = with_methods(systems.ems, listen=real)
        raise ZeroDivisionError

    systems.ems = with_methods(systems.ems, listen=breaks_once)
    threads = listening(systems, passes)
    post(systems)
    assert eventually(lambda: passes.started)
    assert "a defect" in caplog.text
    assert stopped(systems, threads)


@pytest.mark.parametrize(("kind", "listens"), [("process", 1), ("layanan", 0)])
def test_beside_prefects_own_worker_the_service_listens(
    kind: str, listens: int, systems: Systems, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[Systems] = []
    monkeypatch.setattr(flows.listen, "listen_to_mailboxes", heard.append)
    monkeypatch.setattr("flows.service.pause", Mock(side_effect=KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        Service(systems.settings.model_copy(update={"worker_type": kind})).watch()
    assert len(heard) == listens


def test_an_engine_that_is_away_does_not_end_the_listening(systems: Systems, passes: Passes) -> None:
    passes.away = True
    threads = listening(systems, passes)
    post(systems)
    assert eventually(lambda: len(passes.started) >= 2)
    assert stopped(systems, threads)


def test_who_does_not_want_it_has_no_connection(systems: Systems, passes: Passes) -> None:
    systems.settings.mailboxes[0].idle = False
    assert listen_to_mailboxes(systems) == []


def test_a_pass_is_a_run_of_the_deployment(stack: Stack) -> None:
    engine = PrefectEngine(stack.settings)
    with SyncPrefectClient(api=stack.settings.prefect_api_url) as client:
        deployment = client.read_deployment_by_name("receive-mail/receive-mail")
        of_it = FlowRunFilter(deployment_id=FlowRunFilterDeploymentId(any_=[deployment.id]))
        before = {run.id for run in client.read_flow_runs(flow_run_filter=of_it)}
        engine.start_poll("receive-mail")
        runs = client.read_flow_runs(flow_run_filter=of_it)
        (asked_for,) = [run for run in runs if run.id not in before and not run.auto_scheduled]
        client.delete_flow_run(asked_for.id)
