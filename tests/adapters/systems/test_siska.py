"""SISKA over its wire, real and simulated (SOP 11.1 SISKA)."""

from typing import Any

import pytest

from adapters.systems.siska import Siska
from models.errors import Refused
from models.facts import Customer, Segment, Tier
from tests.adapters.systems.back_office import Answer, BackOffice, Request, scripted

BUDI = Customer(
    customer_id="C-1",
    name="Budi Santoso",
    addresses=("budi@example.com", "santoso@example.org"),
    segment=Segment.CONSUMER,
    tier=Tier.GOLD,
    service_numbers=("122345678901",),
    phone="0812000111",
    product="IndiHome 50 Mbps",
)


@pytest.fixture
def siska(office: BackOffice) -> Siska:
    return Siska(office.settings("siska"))


@pytest.mark.parametrize("address", ["budi@example.com", "BUDI@example.COM", "santoso@example.org"])
def test_by_address(siska: Siska, address: str) -> None:
    assert siska.customer_by_address(address) == BUDI


@pytest.mark.parametrize("address", ["budi@ｅｘａｍｐｌｅ.com", "budi@example.com.", "budi@exam\u00adple.com"])
def test_an_address_that_only_becomes_one_on_record_is_nobodys(siska: Siska, address: str) -> None:
    assert siska.customer_by_address(address) is None


def test_by_service_number_and_by_id(siska: Siska) -> None:
    assert siska.customer_by_service_number("122345678901") == BUDI
    assert siska.customer("C-1") == BUDI


def test_an_organization_goes_by_its_trading_name(siska: Siska) -> None:
    found = siska.customer_by_service_number("4700001-0021497479")
    assert found is not None
    assert (found.name, found.segment, found.tier) == ("PT Maju", Segment.BUSINESS, Tier.DIAMOND)
    assert found.phone is None


def test_nobody(siska: Siska) -> None:
    assert siska.customer_by_address("udi@example.com") is None
    assert siska.customer_by_service_number("1") is None
    with pytest.raises(Refused, match="404"):
        siska.customer("C-9")


def test_an_address_of_two_customers_is_nobodys(siska: Siska) -> None:
    assert siska.customer_by_address("keluarga@example.com") is None


def test_of_several_customers_with_an_address_the_named_line_tells_who_is_meant(siska: Siska) -> None:
    found = siska.customer_by_address("keluarga@example.com", ["122345678903"])
    assert found is not None
    assert found.customer_id == "C-3"
    # of somebody else's line, or of none that anybody has, nothing is told
    assert siska.customer_by_address("keluarga@example.com", ["122345678901", "1"]) is None


def test_of_several_customers_only_the_one_that_is_meant_is_fetched(office: BackOffice, siska: Siska) -> None:
    siska.customer_by_address("keluarga@example.com", ["122345678901", "122345678903", "1"])
    names = [parts[1] for one in office.exchanges if len(parts := one.path.split("/v4/")) > 1]
    assert [name for name in names if name.startswith("customer/")] == []
    assert sum(name.startswith(("individual/", "organization/")) for name in names) == 1


def test_an_ended_product_leads_to_nobody(siska: Siska) -> None:
    assert siska.customer("C-4").service_numbers == ()
    assert siska.customer_by_service_number("122345678904") is None


def careless(request: Request) -> tuple[int, dict[str, str], Any]:
    """Answers as a server that ignores every filter, and knows customers with odd records."""
    name = request.path.split("/v4/")[1]
    return 200, {"X-Total-Count": "2"}, RECORDS[name]


ODD = {
    "id": "C-8",
    "name": "On record",
    "engagedParty": {"id": "P-8", "@referredType": "Individual"},
    "characteristic": [{"name": "segment", "value": "XYZ"}],
    "contactMedium": [
        {"mediumType": "email", "characteristic": {"emailAddress": "odd@example.com"}},
        {"mediumType": "post", "characteristic": {"city": "Bandung"}},
    ],
}
OTHER = {"id": "C-7", "engagedParty": {"id": "P-7", "@referredType": "Organization"}}
RECORDS: dict[str, Any] = {
    "customer": [OTHER, ODD],
    "customer/C-8": ODD,
    "individual/P-8": {"id": "P-8", "givenName": "Sukarno", "familyName": "Sukarno"},
    "product": [
        {
            "productCharacteristic": [{"name": "speed", "value": 7}, {"name": "serviceNumber", "value": number}],
            "relatedParty": [
                {"id": "R-1", "role": "reseller", "@referredType": "Organization"},
                {"id": owner, "role": "customer", "@referredType": "Customer"},
            ],
        }
        for owner, number in (("C-7", "7"), ("C-8", "8"))
    ],
}


def test_a_server_that_ignores_filters() -> None:
    with scripted(careless) as server:
        siska = Siska(server.settings)
        found = siska.customer_by_address("odd@example.com")
        assert siska.customer_by_address("nobody@example.com") is None
        assert siska.customer_by_service_number("8") == found
        assert siska.customer_by_service_number("speed") is None
    assert found == Customer(
        customer_id="C-8",
        name="Sukarno",
        addresses=("odd@example.com",),
        segment=Segment.UNKNOWN,
        tier=Tier.REGULAR,
        service_numbers=("8",),
    )


@pytest.mark.parametrize(
    "party",
    [None, {"id": "P-9"}, {"id": "P-8", "@referredType": "Robot"}, {"id": "P-9", "@referredType": "Individual"}],
)
def test_a_party_that_is_of_no_known_kind_or_not_there(party: Any) -> None:
    odd = {"id": "C-8", "name": "Sukarno", "engagedParty": party}

    def answer(request: Request) -> Answer:
        if "/party/" in request.path:
            return 404, {}, {}
        return 200, {}, (odd if request.path.endswith("C-8") else [])

    with scripted(answer) as server:
        assert Siska(server.settings).customer("C-8").name == "Sukarno"
