"""One client of Prefect's API, and what its errors mean. Held by `tests/tasks/run/test_waits.py` and its neighbours."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cached_property

import httpx
from prefect.client.orchestration import SyncPrefectClient
from prefect.exceptions import ObjectNotFound, PrefectHTTPStatusError

from models.errors import Refused, Unavailable
from models.settings import Settings

SYSTEM = "Prefect"
PAGE = 200
"""Runs that the server gives at a time."""


class Api:
    """Prefect's server, by the settings; connects when it is first asked."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    @cached_property
    def client(self) -> SyncPrefectClient:
        """The client, with its connections."""
        return SyncPrefectClient(api=self.settings.prefect_api_url)

    def answers(self) -> bool:
        """Whether the server answers; asked once."""
        with suppress(httpx.HTTPError):
            return httpx.get(f"{self.settings.prefect_api_url}/health", timeout=2).is_success
        return False


@contextmanager
def api_errors() -> Iterator[None]:
    """Translate the client's errors.

    Raises:
        Unavailable: trying again helps.
        Refused: it does not.
    """
    try:
        yield
    except ObjectNotFound as error:
        raise Refused(SYSTEM, "not found; are the flows deployed? (layanan deploy)") from error
    except PrefectHTTPStatusError as error:
        status = error.response.status_code
        if status in {408, 429} or status >= 500:
            raise Unavailable(SYSTEM, f"answered {status}") from error
        raise Refused(SYSTEM, f"answered {status}") from error
    except httpx.TransportError as error:
        raise Unavailable(SYSTEM, type(error).__name__) from error
