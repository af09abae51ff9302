"""Log lines: readable or JSON, on stderr, with case and run where they are known.

Our own modules log with ``logging.getLogger("layanan.…")`` or their module's name; structlog renders those lines and
Prefect's alike. No line contains an e-mail address or the text of a library's error, which may quote a mail. This is
the last defence: our code logs neither in the first place.
"""

import logging
import re
import sys
import traceback
from collections.abc import Iterable
from types import TracebackType
from typing import Any

import structlog
from structlog.typing import EventDict, Processor

from adapters.engine.environment import SIMULATED
from models.errors import Defect, LayananError
from models.settings import Settings

OURS = ("layanan", "flows", "tasks", "adapters")
ADDRESS = re.compile(r"[^\s<>\"'(),:;=\[\]{}]+@\[?[^\s<>\"'(),:;=\[\]{}]*\w\]?")

ExcInfo = tuple[type[BaseException] | None, BaseException | None, TracebackType | None]


def configure(settings: Settings) -> None:
    """Send this process's log lines to stderr in the format of the settings. May be repeated.

    Prefect's handlers to its API stay, without addresses, too.
    """
    handler = _Console(sys.stderr)
    handler.setLevel(settings.log_level)
    handler.setFormatter(_formatter(settings))
    root = logging.getLogger()
    for logger in (root, *_known_loggers()):
        for other in logger.handlers[:]:
            if _is_console(other):
                logger.removeHandler(other)
                logger.addHandler(handler)
            elif _is_engines(other):
                other.setFormatter(_Discreet())
    if handler not in root.handlers:
        root.addHandler(handler)
    for name in OURS:
        logging.getLogger(name).setLevel(settings.log_level)
    engine = logging.getLogger("prefect.flow_runs")
    engine.removeFilter(_suspending_is_no_error)
    engine.addFilter(_suspending_is_no_error)


class _Console(logging.StreamHandler[Any]):
    """Our handler; its class distinguishes it from others."""


class _Discreet(logging.Formatter):
    """Plain lines without addresses, for Prefect's own log."""

    def format(self, record: logging.LogRecord) -> str:
        return mask(super().format(record))

    def formatException(self, exc_info: Any) -> str:
        return where(exc_info)


class _Rendered(structlog.stdlib.ProcessorFormatter):
    """structlog's lines without addresses."""

    def format(self, record: logging.LogRecord) -> str:
        return mask(super().format(record))


def mask(text: str) -> str:
    """The text with ``<address>`` in place of anything that looks like an e-mail address."""
    return ADDRESS.sub("<address>", text)


def where(exc_info: ExcInfo) -> str:
    """A traceback, with the text of our own errors only. Our named errors need no traceback."""
    error = exc_info[1]
    if error is None:
        return ""
    if isinstance(error, LayananError) and not isinstance(error, Defect):
        return f"{type(error).__qualname__}: {error}"
    before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    cause = f"{where((type(before), before, before.__traceback__))}\n\nthen:\n" if before else ""
    words = f": {error}" if isinstance(error, LayananError) else ""
    return f"{cause}{''.join(traceback.format_tb(error.__traceback__))}{type(error).__qualname__}{words}"


def _formatter(settings: Settings) -> logging.Formatter:
    def clock(_logger: Any, _method: str, event: EventDict) -> EventDict:
        if settings.clock == "simulated":
            event["clock"] = SIMULATED
        return event

    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _add_run,
        clock,
        structlog.processors.ExceptionRenderer(where),
    ]
    render: Processor = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if settings.log_format == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    return _Rendered(
        foreign_pre_chain=shared, processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, render]
    )


def _add_run(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """The run that logs: as Prefect's own records name it, else by Prefect's context variables."""
    record = event["_record"]
    name, identifier, flow = (getattr(record, key, None) for key in ("flow_run_name", "flow_run_id", "flow_name"))
    # a process that has not imported Prefect runs no flow
    if identifier is None and (engine := sys.modules.get("prefect.context")) and (run := engine.FlowRunContext.get()):
        name, identifier, flow = run.flow_run.name, run.flow_run.id, run.flow.name
    if identifier is not None:
        event["run_id"] = str(identifier)
    if name is not None:
        # the name of a case's run is the case's reference
        event["case" if flow == "handle-case" else "run"] = name
    if task := getattr(record, "task_run_name", None):
        event["task"] = task
    return event


def _suspending_is_no_error(record: logging.LogRecord) -> bool:
    """Log a suspension as INFO: Prefect logs every one as an error."""
    if record.levelno == logging.ERROR and record.getMessage().startswith("Finished in state Suspended"):
        record.levelno, record.levelname = logging.INFO, logging.getLevelName(logging.INFO)
    return True


def _is_console(handler: logging.Handler) -> bool:
    return isinstance(handler, _Console) or (isinstance(handler, logging.StreamHandler) and _is_engines(handler))


def _is_engines(handler: logging.Handler) -> bool:
    return type(handler).__module__.startswith("prefect.")


def _known_loggers() -> Iterable[logging.Logger]:
    return [known for known in logging.root.manager.loggerDict.values() if isinstance(known, logging.Logger)]
