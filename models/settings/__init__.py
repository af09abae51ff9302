"""Every setting of the service, with its default, unit and an example; :func:`load_settings` reads them.

The schema stands by subject in this folder's modules; ``schema`` has the settings as a whole, ``loading`` reads them.
"""

from models.settings.base import TokenSource, ZoneName
from models.settings.loading import load_settings
from models.settings.mail import Dkim, Mailbox, Smtp, Xoauth2
from models.settings.office import Office
from models.settings.policy import Limits, Policy
from models.settings.schema import Settings
from models.settings.sources import DEFAULT_FILE, PREFIX
from models.settings.systems import HttpName, HttpSystem, Mrtg, SecureCrt

__all__ = [
    "DEFAULT_FILE",
    "PREFIX",
    "Dkim",
    "HttpName",
    "HttpSystem",
    "Limits",
    "Mailbox",
    "Mrtg",
    "Office",
    "Policy",
    "SecureCrt",
    "Settings",
    "Smtp",
    "TokenSource",
    "Xoauth2",
    "ZoneName",
    "load_settings",
]
