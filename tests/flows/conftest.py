"""What the tests of whole flows share."""

import pytest

from adapters.wiring import Systems
from tests.adapters.ems.world import World


@pytest.fixture
def outside(systems: Systems, genuine: World) -> Systems:
    """The service with Dovecot and Postfix."""
    systems.settings.mailboxes, systems.settings.smtp = genuine.settings.mailboxes, genuine.settings.smtp
    return systems
