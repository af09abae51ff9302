"""TELKOM.CENTER over its wire, real and simulated (SOP 11.1 TELKOM.CENTER)."""

import pytest

from adapters.systems.telkom_center import DEPTH, MOST, TelkomCenter
from models.errors import Refused
from models.facts import Resource
from tests.adapters.systems.back_office import BackOffice, Request, scripted


def test_walks_from_the_port_and_does_not_run_in_circles(office: BackOffice) -> None:
    port, device, metro = TelkomCenter(office.settings("telkom_center")).topology("PORT-4700001-0021497479")
    assert port == Resource(
        resource_id="PORT-4700001-0021497479",
        name="GigabitEthernet0/0/1",
        operational=False,
        status="alarm",
        device="Bandung/Dago/BDG-DGO-OLT-01",
        traffic_target="4700001-0021497479",
    )
    assert (device.name, device.operational) == ("Bandung/Dago/BDG-DGO-OLT-01", True)
    assert metro.device is None
    assert office.requests("telkom_center") == ["GET"] * 3


def test_no_such_resource(office: BackOffice) -> None:
    with pytest.raises(Refused, match="404"):
        TelkomCenter(office.settings("telkom_center")).topology("PORT-1")


def inventory(*, children: int) -> list[str]:
    """Walk an endless tree, each of whose resources has this many children."""

    def answer(request: Request) -> tuple[int, dict[str, str], object]:
        name = request.path.rpartition("/")[2]
        related = [{"relationshipType": "feeds", "resource": {"id": f"{name}{n}"}} for n in range(children)]
        return 200, {}, {"id": name, "resourceRelationship": related}

    with scripted(answer) as server:
        return [one.resource_id for one in TelkomCenter(server.settings).topology("R")]


def test_depth_and_number_are_bounded() -> None:
    assert inventory(children=1) == ["R" + "0" * steps for steps in range(DEPTH + 1)]
    assert len(inventory(children=4)) == MOST


def test_states() -> None:
    with scripted(lambda _: (200, {}, {"id": "R"})) as server:
        (found,) = TelkomCenter(server.settings).topology("R")
    assert found == Resource(resource_id="R", name="R", operational=None, status=None)
    for word, operational in (("enabled", True), ("DISABLE", False), ("asleep", None), (None, None), (7, None)):
        odd = {"id": "R", "operationalState": word}
        with scripted(lambda _, odd=odd: (200, {}, odd)) as server:  # type: ignore[misc]
            assert TelkomCenter(server.settings).topology("R")[0].operational is operational


def test_a_neighbour_that_is_not_there_or_broken_keeps_none_from_being_seen() -> None:
    def answer(request: Request) -> tuple[int, dict[str, str], object]:
        name = request.path.rpartition("/")[2]
        related = [{"relationshipType": "feeds", "resource": {"id": one}} for one in ("gone", "broken", "B")]
        if name == "gone":
            return 404, {}, {}
        return 200, {}, {"id": 7 if name == "broken" else name, "resourceRelationship": related if name == "A" else []}

    with scripted(answer) as server:
        assert [one.resource_id for one in TelkomCenter(server.settings).topology("A")] == ["A", "B"]
