"""Seconds between two times, as SQL of both databases."""

from typing import Any

from sqlalchemy import Float
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement


class Elapsed(FunctionElement[float]):
    """``Elapsed(start, end)``: seconds from ``start`` to ``end``, exact to a millisecond."""

    type = Float()
    inherit_cache = True


@compiles(Elapsed, "sqlite")
def _sqlite(element: Elapsed, compiler: Any, **kw: Any) -> str:
    start, end = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"((julianday({end}) - julianday({start})) * 86400)"


@compiles(Elapsed, "postgresql")
def _postgresql(element: Elapsed, compiler: Any, **kw: Any) -> str:
    start, end = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"extract(epoch from ({end} - {start}))"
