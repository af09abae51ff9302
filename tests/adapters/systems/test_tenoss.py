"""TENOSS over its wire, real and simulated (SOP 11.1 TENOSS)."""

from adapters.systems.tenoss import Tenoss
from models.facts import Service
from tests.adapters.systems.back_office import BackOffice, Request, scripted


def test_a_link_with_the_resources_beneath_it(office: BackOffice) -> None:
    (service,) = Tenoss(office.settings("tenoss")).services("C-2")
    assert service == Service(
        service_id="4700001-0021497479",
        state="active",
        enabled=False,
        started=True,
        resources=("PORT-4700001-0021497479",),
    )
    assert service.failed


def test_services_without_resources(office: BackOffice) -> None:
    tenoss = Tenoss(office.settings("tenoss"))
    (line,) = tenoss.services("C-1")
    (ended,) = tenoss.services("C-4")
    assert (line.state, line.failed, line.resources) == ("active", False, ())
    assert (ended.state, ended.enabled) == ("terminated", False)
    assert tenoss.services("C-9") == ()


def test_a_server_that_ignores_filters() -> None:
    def answer(request: Request) -> tuple[int, dict[str, str], object]:
        if request.path.endswith("/RFS"):
            return 200, {}, {"id": "RFS", "supportingResource": [{"id": "P-2"}]}
        party = {"@referredType": "Customer"}
        theirs = {
            "id": "S-1",
            "relatedParty": [{"id": "C-1", **party}],
            "supportingResource": [{"id": "P-1"}],
            "supportingService": [{"id": "RFS"}],
        }
        anothers = {"id": "S-2", "relatedParty": [{"id": "C-2", **party}]}
        return 200, {"X-Total-Count": "2"}, [anothers, theirs]

    with scripted(answer) as server:
        found = Tenoss(server.settings).services("C-1")
    assert found == (Service(service_id="S-1", state="unknown", enabled=None, started=None, resources=("P-1", "P-2")),)
