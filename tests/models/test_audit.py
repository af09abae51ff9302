"""The rules of the audit log: canonical JSON, hashes, and what may stand in a row."""

import json
from datetime import UTC, datetime, timedelta, timezone
from types import UnionType
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.audit import START, Action, Entry, canonical, chained, content_hash, moment, row_hash
from models.forms import FORMS
from tests.verify_audit import canonical as strangers

NOON = datetime(2026, 11, 30, 12, 0, 0, 7, tzinfo=UTC)


def test_canonical_json_is_that_of_rfc_8785() -> None:
    # its section 3.2.2's example, without the numbers that are none of ours
    given = json.loads(
        r'{"string": "\u20ac$\u000F\u000aA\u0027\u0042\u0022\u005c\\\"\/", "literals": [null, true, false]}'
    )
    assert canonical(given) == b'{"literals":[null,true,false],"string":"\xe2\x82\xac$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'


@given(st.dictionaries(st.text(st.characters(codec="ascii")), st.text() | st.integers() | st.none()))
def test_a_stranger_writes_the_same(row: dict[str, Any]) -> None:
    assert canonical(row) == strangers(row).encode()


def test_a_row_stands_for_its_predecessor() -> None:
    first, _ = chained(Entry(Action.DECIDED, NOON, "Sari"), 1, START)
    second, _ = chained(Entry(Action.DECIDED, NOON, "Sari"), 2, first["hash"])
    assert second["previous"] == first["hash"] == row_hash(first)
    for name in set(second) - {"hash"}:
        assert row_hash(second | {name: "another"}) != second["hash"], name


def test_times_are_text_in_order_whatever_their_zone() -> None:
    jakarta = timezone(timedelta(hours=7))
    assert moment(NOON.astimezone(jakarta)) == "2026-11-30T12:00:00.000007Z"
    assert moment(NOON.replace(microsecond=0)) == "2026-11-30T12:00:00.000000Z"


def test_nobody_guesses_what_a_hash_stands_for_without_its_salt() -> None:
    entry = Entry(Action.DECIDED, NOON, "Sari", before="0811-1234-567", after={"choice": "APPROVE"})
    (one, salt), (two, other) = chained(entry, 1, START), chained(entry, 1, START)
    assert one["after"] != two["after"]
    assert salt["salt"] != other["salt"]
    assert one["after"] == content_hash(salt["salt"], {"choice": "APPROVE"})
    # the digits alone may stand in a hash by chance
    assert "0811-" not in str(one)
    assert "0811" not in str({name: one[name] for name in one if name not in {"before", "after", "previous", "hash"}})


def test_where_there_is_nothing_no_hash_stands() -> None:
    row, _ = chained(Entry(Action.SIGNED_IN, NOON, "Sari"), 1, START)
    assert (row["before"], row["after"]) == ("", "")


def test_a_fraction_is_refused_because_programs_write_it_differently() -> None:
    with pytest.raises(ValueError, match=r"1\.5 is no whole number"):
        content_hash("", {"deep": [1.5]})
    with pytest.raises(ValueError, match="not JSON compliant"):
        content_hash("", float("nan"))


def test_no_form_has_a_fraction() -> None:
    for form in FORMS.values():
        for name, field in form.model_fields.items():
            kind = field.annotation
            parts = get_args(kind) if isinstance(kind, UnionType) else (kind,)
            assert float not in parts, f"{form.__name__}.{name}: the audit log could not hash it"


def test_any_text_that_a_form_takes_can_be_hashed() -> None:
    assert content_hash("", {"note": "\ud800 \x00 \U0001f600"})
