import json
import logging
from collections.abc import Iterator

import prefect  # noqa: F401 - its handlers are there when ours are set up, as in the worker
import pytest
from prefect.logging.handlers import APILogHandler
from structlog.contextvars import bound_contextvars

from adapters.console.logs import configure, mask
from models.errors import Defect, Unavailable
from models.settings import Settings, load_settings

log = logging.getLogger("layanan.test")
WORDS = "Isi surat pelanggan"


@pytest.fixture(autouse=True)
def own_logging() -> Iterator[None]:
    """Leave logging as it was."""
    known = [logger for logger in logging.root.manager.loggerDict.values() if isinstance(logger, logging.Logger)]
    before = [(logger, logger.handlers[:], logger.level, logger.filters[:]) for logger in [logging.getLogger(), *known]]
    yield
    for logger, handlers, level, filters in before:
        logger.handlers[:], logger.filters[:] = handlers, filters
        logger.setLevel(level)


def settings(**more: str) -> Settings:
    return load_settings(_env_file=None, **more)


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, str]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


@pytest.mark.parametrize(
    "text",
    [
        "budi.s+x@pelanggan.example",
        "<jkt-1.closing.1.ab@telkom.example>",
        "'a@b'",
        "mailto:Siti_99@mail.telkom.co.id,",
        "sari@[10.0.0.1]",
        "postgresql://layanan:geheim@db/x",
    ],
)
def test_an_address_is_masked(text: str) -> None:
    assert "@" not in mask(f"to {text} now")
    assert mask(f"to {text} now").startswith("to ")
    assert mask(f"to {text} now").endswith(" now")


def test_what_is_no_address_stays() -> None:
    assert mask("case JKT-0000001 at 10:00, My CX: 503 (retry)") == "case JKT-0000001 at 10:00, My CX: 503 (retry)"


def test_a_json_line_has_case_level_logger_and_no_address(capsys: pytest.CaptureFixture[str]) -> None:
    configure(settings(log_format="json"))
    with bound_contextvars(case="JKT-0000007"):
        log.warning("a letter to %s waits", "budi@pelanggan.example")
    (line,) = lines(capsys)
    assert line["event"] == "a letter to <address> waits"
    assert (line["case"], line["level"], line["logger"]) == ("JKT-0000007", "warning", "layanan.test")
    assert line["timestamp"].endswith("Z")
    assert "clock" not in line


def test_an_engines_record_names_its_run_and_a_cases_run_its_case(capsys: pytest.CaptureFixture[str]) -> None:
    configure(settings(log_format="json"))
    engine = logging.getLogger("prefect.flow_runs.test")
    run = {"flow_run_id": "r-1", "send_to_api": False}
    engine.warning("goes", extra=run | {"flow_run_name": "JKT-0000001", "flow_name": "handle-case"})
    engine.warning("goes", extra=run | {"flow_run_name": "odd-owl", "flow_name": "receive-mail"})
    case, other = lines(capsys)
    assert (case["case"], case["run_id"]) == ("JKT-0000001", "r-1")
    assert (other["run"], "case" in other) == ("odd-owl", False)


@pytest.mark.parametrize("log_format", ["readable", "json"])
def test_every_line_of_a_rehearsal_says_so(log_format: str, capsys: pytest.CaptureFixture[str]) -> None:
    configure(settings(clock="simulated", log_format=log_format))
    log.info("one")
    logging.getLogger("adapters.ems").warning("two")
    logging.getLogger("some.library").warning("three")
    written = capsys.readouterr().err.splitlines()
    assert len(written) == 3
    assert all("SIMULATED CLOCK" in line for line in written)


@pytest.mark.parametrize("log_format", ["readable", "json"])
def test_a_traceback_shows_where_but_not_the_words_of_foreign_errors(
    log_format: str, capsys: pytest.CaptureFixture[str]
) -> None:
    configure(settings(log_format=log_format))
    try:
        try:
            int(WORDS)
        except ValueError as error:
            raise Defect("defect: in line 7") from error
    except Defect:
        log.exception("broke")
    written = capsys.readouterr().err
    assert WORDS not in written
    assert "ValueError" in written
    assert "Defect: defect: in line 7" in written
    assert "test_logs.py" in written


def test_what_a_system_said_is_told_in_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    """While a data base is away nobody reads a traceback every ten seconds."""
    configure(settings(log_format="readable"))
    try:
        try:
            int(WORDS)
        except ValueError as error:
            raise Unavailable("My CX", "503") from error
    except Unavailable:
        log.exception("broke")
    assert capsys.readouterr().err.splitlines()[1:] == ["Unavailable: My CX: 503"]


def test_the_level_holds_for_ours_and_libraries_stay_quiet(capsys: pytest.CaptureFixture[str]) -> None:
    configure(settings(log_level="DEBUG", log_format="json"))
    log.debug("detail")
    logging.getLogger("httpx").info("GET https://siska.example/?email=budi")
    assert [line["event"] for line in lines(capsys)] == ["detail"]
    configure(settings(log_level="ERROR", log_format="json"))
    log.warning("not now")
    logging.getLogger("some.library").warning("not now")
    assert lines(capsys) == []


def test_it_may_be_set_up_twice(capsys: pytest.CaptureFixture[str]) -> None:
    configure(settings(log_format="json"))
    configure(settings(log_format="json"))
    log.info("once")
    logging.getLogger("prefect.test").warning("once")
    assert [line["event"] for line in lines(capsys)] == ["once", "once"]


def test_a_run_that_goes_to_sleep_is_no_error(capsys: pytest.CaptureFixture[str]) -> None:
    configure(settings(log_format="json"))
    engine = logging.getLogger("prefect.flow_runs")
    engine.error("Finished in state Suspended(type=PAUSED)", extra={"send_to_api": False})
    engine.error("Finished in state Failed()", extra={"send_to_api": False})
    assert [line["level"] for line in lines(capsys)] == ["info", "error"]


def test_what_goes_to_the_engines_own_log_is_as_discreet() -> None:
    configure(settings())
    (handler,) = [one for one in logging.getLogger("prefect.task_runs").handlers if isinstance(one, APILogHandler)]
    try:
        int(WORDS)
    except ValueError as error:
        record = log.makeRecord("x", logging.ERROR, "f", 1, "to %s", ("a@b.example",), (ValueError, error, None))
    written = handler.format(record)
    assert written.startswith("to <address>")
    assert WORDS not in written
    assert written.endswith("ValueError")
