"""Each half-public part of SQLAlchemy that the case store relies on, by name.

If one of these fails after an upgrade, read what it names in SQLAlchemy's release notes and adapt the module.
"""

import inspect
from typing import Any

from sqlalchemy import create_engine, event
from sqlalchemy.engine.default import DefaultDialect


def test_a_dialect_pings_a_connection_and_names_its_drivers_errors() -> None:
    where = "adapters/case_store/store.py: look at how sqlalchemy.pool pings (pool_pre_ping)"
    assert list(inspect.signature(DefaultDialect.do_ping).parameters) == ["self", "dbapi_connection"], where
    engine = create_engine("sqlite://")
    assert issubclass(engine.dialect.loaded_dbapi.Error, Exception), where
    with engine.connect() as connection:
        assert engine.dialect.do_ping(connection.connection.dbapi_connection) is True, where  # type: ignore[arg-type]


def test_the_pool_tells_of_each_checkout_and_checkin_with_a_record_that_lasts() -> None:
    engine, seen = create_engine("sqlite://"), []

    def checkin(_connection: Any, record: Any) -> None:
        record.info["used"] = True

    def checkout(_connection: Any, record: Any, _proxy: Any) -> None:
        seen.append(record.info.get("used", False))

    event.listen(engine, "checkin", checkin)
    event.listen(engine, "checkout", checkout)
    for _ in range(2):
        engine.connect().close()
    assert seen == [False, True], "adapters/case_store/store.py: look at the pool's events and _ConnectionRecord.info"
