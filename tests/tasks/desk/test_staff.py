"""The staff: who joins, is away, stands in for whom, and leaves; by commands and on each kind of database."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlmodel import select

import layanan
from adapters.case_store.store import Store
from adapters.wiring import Systems
from models.audit import Action, AuditRow
from models.author import Author
from models.errors import Refused, WrongUse
from models.settings import Settings
from models.staff import SignedIn, Staff
from tasks.desk import staff
from tasks.desk.entrants import Entrant, entrant, entrants_of
from tasks.desk.passwords import matches
from tests.test_layanan import alone, prepared, systems

__all__ = ["alone", "prepared", "systems"]

NOW = datetime(2026, 11, 30, 3, 0, tzinfo=UTC)
ADMIN = Author.of(Staff(id=1, name="Adi", email="adi@telkom.example"), SignedIn.PASSWORD_AND_CODE)


@pytest.fixture
def here(store: Store, tmp_path: Path) -> Systems:
    """Systems with a case store, on each kind of database."""
    found = Systems(Settings(home=tmp_path / "home"))
    found.store = store
    return found


def somebody(name: str, roles: str = "agent_0", **more: str) -> Entrant:
    return entrant({"name": name, "email": f"{name.lower()}@telkom.example", "roles": roles, **more})


def stored(here: Systems, name: str) -> Staff:
    with here.store.read() as session:
        return session.exec(select(Staff).where(Staff.name == name)).one()


def test_somebody_joins_with_a_first_password(here: Systems) -> None:
    (rina,) = staff.join(here, [somebody("Rina", "team_leader", site="JKT")], ADMIN)
    (sari,) = staff.join(here, [somebody("Sari", leader="Rina@telkom.example", deputy="rina@telkom.example")], ADMIN)
    kept = stored(here, "Sari")
    assert (kept.leader_id, kept.deputy_id) == (rina.staff.key, rina.staff.key)
    assert sari.password not in str(kept.model_dump())
    assert matches(kept.password, sari.password)
    assert kept.password_expires is not None
    with here.store.read() as session:
        rows = session.exec(select(AuditRow)).all()
    assert [(row.action, row.actor, row.subject) for row in rows] == [
        (Action.STAFF_CHANGED, "Adi", f"staff {rina.staff.key} added"),
        (Action.STAFF_CHANGED, "Adi", f"staff {sari.staff.key} added"),
    ]


@pytest.mark.parametrize(
    ("entered", "says"),
    [
        ({"name": "S"}, "name: String should have at least 2"),
        ({"name": "Sari\u202e"}, "name: Value error, it has a sign that cannot be seen"),
        ({"email": "sari"}, "email: "),
        ({"roles": ""}, "roles: List should have at least 1"),
        ({"roles": "agent_0 boss"}, "roles: 'boss' is none of agent_0, agent_1"),
        ({"site": "SUB"}, "site: Input should be 'JKT' or 'BDG'"),
        ({"hours": "8-17"}, "hours: "),
        ({"hours": "25:00-30:00"}, "hours: "),
        ({"languages": "id, nl"}, "languages: "),
    ],
)
def test_what_is_entered_wrong_is_named(entered: dict[str, str], says: str) -> None:
    with pytest.raises(WrongUse, match=says):
        entrant({"name": "Sari", "email": "sari@telkom.example", "roles": "agent_0"} | entered)


CIRCLE = ("sari@telkom.example", "tono@telkom.example", "ani@telkom.example", "sari@telkom.example")
FILE = """\ufeffname;email;roles;site;deputy;leader
Rina;rina@telkom.example;team_leader;JKT;;
"Sari ""Ayu"" Dewi";sari@telkom.example;agent_0 agent_1;JKT;tono@telkom.example;rina@telkom.example

Tono;tono@telkom.example;agent_1;JKT;;rina@telkom.example
"""


def test_a_file_is_imported(here: Systems) -> None:
    assert len(staff.join(here, entrants_of(FILE), ADMIN)) == 3
    assert stored(here, 'Sari "Ayu" Dewi').roles == ["AGENT_0", "AGENT_1"]
    assert stored(here, 'Sari "Ayu" Dewi').deputy_id == stored(here, "Tono").key


def test_every_fault_of_a_file_is_named_with_its_line_and_nobody_joins(here: Systems) -> None:
    staff.join(here, [somebody("Rina", "team_leader")], ADMIN)
    lines = (
        "name,email,roles,leader,deputy",
        "Sari,sari@telkom.example,agent_0,budi@telkom.example,tono@telkom.example",
        "Tono,tono@telkom.example,agent_0,rina@telkom.example,ani@telkom.example",
        "Ani,ani@telkom.example,agent_0,tono@telkom.example,sari@telkom.example",
        "rina,rina2@telkom.example,agent_0,,",
        "Dodi,RINA@telkom.example,agent_0,,",
        "Eko,eko@telkom.example,agent_0,,dodi@telkom.example",
        "Feri,feri@telkom.example,agent_0,,feri@telkom.example",
        "system,gani@telkom.example,agent_0,,",
    )
    with pytest.raises(WrongUse) as raised:
        staff.join(here, entrants_of("\n".join(lines)), ADMIN)
    assert str(raised.value).splitlines() == [
        "line 2: leader: nobody has the e-mail budi@telkom.example",
        f"line 2: deputy: a circle: {' → '.join(CIRCLE)}",
        f"line 3: deputy: a circle: {' → '.join([*CIRCLE[1:], CIRCLE[1]])}",
        "line 4: leader: tono@telkom.example is neither team leader nor supervisor",
        f"line 4: deputy: a circle: {' → '.join([CIRCLE[2], *CIRCLE[:3]])}",
        "line 5: name: rina is somebody else's, or twice in the list",
        "line 6: email: rina@telkom.example is on the staff already, or twice in the list",
        "line 7: deputy: nobody has the e-mail dodi@telkom.example",
        "line 8: deputy: a circle: feri@telkom.example → feri@telkom.example",
        "line 9: name: system is somebody else's, or twice in the list",
    ]
    with here.store.read() as session:
        assert [one.name for one in session.exec(select(Staff))] == ["Rina"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "line 1: the column name is missing"),
        ("nama,email,roles\n", "line 1: there is no column 'nama'"),
        ("name,email,roles\nSari,sari@telkom.example\n", "line 2: it has not the 3 columns"),
        ("name,email,roles\nSari,sari@telkom.example,agent_0,x\n", "line 2: it has not the 3 columns"),
        ("name,email,roles\n,,\nSari,sari,agent_0\n", "line 2: name: .*\nline 3: email: "),
    ],
)
def test_a_file_that_cannot_be_read_so(text: str, says: str) -> None:
    with pytest.raises(WrongUse, match=says):
        entrants_of(text)


def test_whoever_comes_back_is_the_same_person(here: Systems) -> None:
    (sari,) = staff.join(here, [somebody("Sari")], ADMIN)
    (tono,) = staff.join(here, [somebody("Tono", deputy="sari@telkom.example")], ADMIN)
    gone = staff.remove(here, "sari@telkom.example", ADMIN)
    assert (gone.active, gone.password, gone.sessions) == (False, "", 1)
    assert stored(here, "Tono").deputy_id is None
    with pytest.raises(WrongUse, match="nobody on the staff"):
        staff.reset(here, "sari@telkom.example", ADMIN)
    (again,) = staff.join(here, [somebody("Sari", "agent_1")], ADMIN)
    assert (again.staff.key, again.staff.active, again.staff.roles) == (sari.staff.key, True, ["AGENT_1"])
    assert tono.staff.key != sari.staff.key


def test_the_last_administrator_stays(here: Systems) -> None:
    first = staff.first_administrator(here)
    assert first is not None
    assert staff.first_administrator(here) is None
    with pytest.raises(Refused, match="the last administrator stays"):
        staff.remove(here, first.staff.email, ADMIN)
    staff.join(here, [somebody("Adi", "administrator")], ADMIN)
    staff.remove(here, first.staff.email, ADMIN)


def test_a_reset_ends_sessions_codes_and_locks(here: Systems) -> None:
    (sari,) = staff.join(here, [somebody("Sari")], ADMIN)
    with here.store.write() as session:
        row = session.get_one(Staff, sari.staff.key)
        row.code_secret, row.code_used, row.failures, row.locked_until = "S", 7, 9, NOW
    again = staff.reset(here, " Sari@telkom.example", ADMIN)
    kept = stored(here, "Sari")
    assert (kept.code_secret, kept.code_used, kept.failures, kept.locked_until, kept.sessions) == ("", 0, 0, None, 1)
    assert matches(kept.password, again.password)
    assert not matches(kept.password, sari.password)


def test_deputies_in_a_circle_are_refused(here: Systems) -> None:
    staff.join(here, [somebody(name) for name in ("Sari", "Tono", "Rina")], ADMIN)
    staff.set_deputy(here, "sari@telkom.example", "tono@telkom.example", ADMIN)
    staff.set_deputy(here, "tono@telkom.example", "rina@telkom.example", ADMIN)
    with pytest.raises(WrongUse, match="a circle: rina@telkom"):
        staff.set_deputy(here, "rina@telkom.example", "sari@telkom.example", ADMIN)
    assert stored(here, "Rina").deputy_id is None
    staff.set_deputy(here, "tono@telkom.example", "", ADMIN)
    staff.set_deputy(here, "rina@telkom.example", "sari@telkom.example", ADMIN)


def test_absence(here: Systems) -> None:
    staff.join(here, [somebody("Sari")], ADMIN)
    with pytest.raises(WrongUse, match="until: it must be after from"):
        staff.set_absence(here, "sari@telkom.example", NOW, NOW, ADMIN)
    sari = staff.set_absence(here, "sari@telkom.example", NOW, NOW + timedelta(days=1), ADMIN)
    assert [sari.absent(NOW + timedelta(hours=hours)) for hours in (-1, 0, 23, 24)] == [False, True, True, False]
    assert not staff.set_absence(here, "sari@telkom.example", None, None, ADMIN).absent(NOW)


def person(key: int, deputy: int | None = None, *, away: bool = False, active: bool = True) -> Staff:
    since = NOW if away else None
    return Staff(id=key, name=str(key), email=str(key), deputy_id=deputy, absent_from=since, active=active)


@pytest.mark.parametrize(
    ("people", "instead"),
    [
        ([person(1, 2)], 1),
        ([person(1, 2, away=True), person(2)], 2),
        ([person(1, 2, away=True), person(2, 3, away=True), person(3)], 3),
        ([person(1, 2, away=True), person(2, 3, active=False), person(3)], 3),
        ([person(1, 2, away=True), person(2, 1, away=True)], None),
        ([person(1, 1, away=True)], None),
        ([person(1, away=True)], None),
        ([person(1, 9, away=True)], None),
    ],
)
def test_who_stands_in(people: list[Staff], instead: int | None) -> None:
    found = staff.stands_in(people[0], {one.key: one for one in people}, NOW)
    assert (found.id if found else None) == instead


def test_the_commands(systems: Systems, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "staf.csv").write_text(FILE)
    assert layanan.main(["staff", "import", str(tmp_path / "staf.csv")]) == 0
    assert layanan.main(["staff", "import", str(tmp_path / "staf.csv")]) == 2
    assert "line 2: email: rina@telkom.example is on the staff already" in capsys.readouterr().err
    add = ["staff", "add", "dewi@telkom.example", "--name", "Dewi", "--role", "agent_0", "--role", "monitoring"]
    assert layanan.main(add) == 0
    said = capsys.readouterr().out.splitlines()
    assert matches(stored(systems, "Dewi").password, said[0].split()[1])
    assert layanan.main(["staff", "deputy", "dewi@telkom.example", "tono@telkom.example"]) == 0
    dates = ["--from", "2026-12-24", "--until", "2026-12-25"]
    assert layanan.main(["staff", "absent", "dewi@telkom.example", *dates]) == 0
    assert stored(systems, "Dewi").absent_until == datetime(2026, 12, 25, 17, 0, tzinfo=UTC)
    assert layanan.main(["staff", "absent", "dewi@telkom.example", "--from", "besok"]) == 2
    assert layanan.main(["staff", "absent", "dewi@telkom.example", "--back"]) == 0
    assert layanan.main(["staff", "absent", "dewi@telkom.example"]) == 0
    capsys.readouterr()
    assert layanan.main(["staff", "list", "--json"]) == 0
    listed = capsys.readouterr().out
    assert "agent_0 monitoring" in listed
    assert "first password" in listed
    assert said[0].split()[1] not in listed
    assert layanan.main(["staff", "reset", "dewi@telkom.example"]) == 0
    assert layanan.main(["staff", "remove", "dewi@telkom.example"]) == 0
    assert layanan.main(["staff", "remove", "dewi@telkom.example"]) == 2
