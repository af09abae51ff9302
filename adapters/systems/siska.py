"""SISKA (SOP 11.1 SISKA): customers (TMF629 v4), their names (TMF632 v4) and products (TMF637 v4).

Guesses, because the APIs have no field for them: segment and tier are customer characteristics of those names, and
a product's service number is its characteristic ``serviceNumber``.
"""

from collections.abc import Callable, Iterable

from pydantic import Field

from adapters.systems.gate import Gate
from adapters.systems.http import NotFound
from adapters.systems.records import Characteristic, Entity, Wire, characteristic
from adapters.systems.tmf import TmfClient
from models.errors import BrokenAnswer
from models.facts import Customer, Segment, Tier
from models.mail import lower_case
from models.settings import HttpSystem

CUSTOMER = "customerManagement/v4/customer"
PRODUCT = "productInventory/v4/product"
PARTY = {"Individual": "party/v4/individual", "Organization": "party/v4/organization"}
# TMF637 spells "aborted " with a trailing blank
ENDED_PRODUCTS = frozenset({"cancelled", "terminated", "aborted", "aborted "})


class MediumCharacteristic(Wire):
    """An address or a telephone number."""

    email_address: str | None = None
    phone_number: str | None = None


class ContactMedium(Wire):
    """One way to reach the customer."""

    characteristic: MediumCharacteristic = MediumCharacteristic()


class EngagedParty(Entity):
    """Who the customer is."""

    referred_type: str = Field(default="", alias="@referredType")


class SiskaCustomer(Entity):
    """What we read of a customer."""

    name: str = ""
    engaged_party: EngagedParty | None = None
    characteristic: tuple[Characteristic, ...] = ()
    contact_medium: tuple[ContactMedium, ...] = ()

    @property
    def addresses(self) -> tuple[str, ...]:
        """Mail addresses, lower case."""
        media = (medium.characteristic.email_address for medium in self.contact_medium)
        return tuple(lower_case(address) for address in media if address)


class PartyDetails(Entity):
    """What we read of an individual or an organization. Many Indonesians have only one name."""

    full_name: str = ""
    formatted_name: str = ""
    given_name: str = ""
    family_name: str = ""
    trading_name: str = ""
    name: str = ""

    @property
    def shown_name(self) -> str:
        """The name for letters; empty if there is none."""
        parts = dict.fromkeys((self.given_name, self.family_name))
        joined = " ".join(part for part in parts if part)
        return self.full_name or self.formatted_name or joined or self.trading_name or self.name


class RelatedParty(Entity):
    """Somebody's role in a product."""

    role: str | None = None


class Product(Wire):
    """What we read of a product."""

    name: str | None = None
    status: str | None = None
    product_characteristic: tuple[Characteristic, ...] = ()
    related_party: tuple[RelatedParty, ...] = ()

    @property
    def service_number(self) -> str | None:
        """The line's number."""
        return characteristic(self.product_characteristic, "serviceNumber")

    @property
    def customer_id(self) -> str | None:
        """The id of its customer."""
        return next((party.id for party in self.related_party if party.role == "customer"), None)


class Siska:
    """Knows the customers. Errors are those of :class:`adapters.systems.http.HttpCalls`."""

    def __init__(self, settings: HttpSystem, gate: Gate | None = None) -> None:
        self._client = TmfClient("SISKA", settings, gate)

    def customer_by_address(self, address: str, lines: Iterable[str] = ()) -> Customer | None:
        """The customer with this mail address on record, in upper or lower case; None: none, or several.

        Args:
            lines: service numbers that a mail names: of several customers with the address, the owner is meant.
        """
        wanted = lower_case(address)
        filters = {"contactMedium.characteristic.emailAddress": wanted}
        found = self._client.search(CUSTOMER, SiskaCustomer, filters, lambda one: wanted in one.addresses)
        if len(found) > 1:
            owners = set(map(self._owner, lines))
            found = tuple(one for one in found if one.id in owners)
        return self._fact(found[0]) if len(found) == 1 else None

    def customer_by_service_number(self, number: str) -> Customer | None:
        """The customer of the product with this service number; ended products do not count."""
        customer_id = self._owner(number)
        return self.customer(customer_id) if customer_id else None

    def customer(self, customer_id: str) -> Customer:
        """The customer with this id."""
        return self._fact(self._client.get(CUSTOMER, customer_id, SiskaCustomer))

    def _owner(self, number: str) -> str | None:
        """The id of the customer whose line has this service number."""
        filters = {"productCharacteristic.value": number}
        products = self._products(filters, lambda product: product.service_number == number)
        return next((product.customer_id for product in products if product.customer_id), None)

    def _products(self, filters: dict[str, str], ours: Callable[[Product], bool | None]) -> list[Product]:
        products = self._client.search(PRODUCT, Product, filters, ours)
        return [product for product in products if product.status not in ENDED_PRODUCTS]

    def _party(self, known: EngagedParty | None) -> PartyDetails | None:
        """Who the customer is, if SISKA says so; the customer has a name even without it."""
        if known is None or known.referred_type not in PARTY:
            return None
        try:
            return self._client.get(PARTY[known.referred_type], known.id, PartyDetails)
        except (NotFound, BrokenAnswer):
            return None

    def _fact(self, customer: SiskaCustomer) -> Customer:
        party = self._party(customer.engaged_party)
        products = self._products(
            {"relatedParty.id": customer.id},
            lambda product: None if product.customer_id is None else product.customer_id == customer.id,
        )
        phones = (medium.characteristic.phone_number for medium in customer.contact_medium)
        segment = characteristic(customer.characteristic, "segment")
        tier = characteristic(customer.characteristic, "tier")
        return Customer(
            customer_id=customer.id,
            name=(party.shown_name if party else "") or customer.name,
            addresses=customer.addresses,
            segment=next((one for one in Segment if one == segment), Segment.UNKNOWN),
            tier=next((one for one in Tier if one == tier), Tier.REGULAR),
            service_numbers=tuple(product.service_number for product in products if product.service_number),
            phone=next((phone for phone in phones if phone), None),
            product=next((product.name for product in products if product.name), None),
        )
