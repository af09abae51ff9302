"""The one place that chooses adapters. Nothing connects before its first use.

Held by `tests/tasks/upkeep/test_doctor.py`, which looks at each of them.
"""

import atexit
from functools import cached_property, lru_cache

from adapters.analyser.rules import RuleAnalyser
from adapters.case_store.store import Store
from adapters.clock import Clock, SystemClock, clock_of
from adapters.console import logs
from adapters.ems import Ems, ImapSmtp
from adapters.engine.runs import PrefectEngine
from adapters.letters.canned_answers import TemplateAnswers
from adapters.letters.writer import TemplateLetters
from adapters.systems.embassy import Embassy
from adapters.systems.epayment import EPayment
from adapters.systems.mrtg import Mrtg
from adapters.systems.mycx import MyCx
from adapters.systems.nossa import Nossa
from adapters.systems.securecrt import SecureCrt
from adapters.systems.siska import Siska
from adapters.systems.system_gate import SystemGate
from adapters.systems.telkom_center import TelkomCenter
from adapters.systems.tenoss import Tenoss
from models.settings import HttpName, HttpSystem, Settings, load_settings

SYSTEMS: dict[HttpName, str] = {
    "mycx": "My CX",
    "nossa": "NOSSA",
    "siska": "SISKA",
    "epayment": "E-Payment",
    "tenoss": "TENOSS",
    "telkom_center": "TELKOM.CENTER",
    "embassy": "EMBASSY",
}
"""Back-office systems by the name of their settings."""


class Systems:
    """Everything outside our code, as the settings choose it. Each part is made at its first use."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.machine_clock: Clock = SystemClock()
        """For leases, which a moved business clock must not end."""

    @cached_property
    def clock(self) -> Clock:
        """The business clock."""
        return clock_of(self.settings)

    @cached_property
    def store(self) -> Store:
        """The case store."""
        return Store.of(self.settings)

    @cached_property
    def engine(self) -> PrefectEngine:
        """The workflow engine."""
        return PrefectEngine(self.settings)

    @cached_property
    def ems(self) -> Ems:
        """Mailboxes and the SMTP relay."""
        ems = ImapSmtp(self.settings)
        atexit.register(ems.close)  # logs out of the servers
        return ems

    @cached_property
    def letters(self) -> TemplateLetters:
        """Writes letters."""
        return TemplateLetters(self.settings)

    @cached_property
    def analyser(self) -> RuleAnalyser:
        """Analyses what a mail is about."""
        return RuleAnalyser()

    @cached_property
    def canned_answers(self) -> TemplateAnswers:
        """Canned answers to general questions."""
        return TemplateAnswers()

    def behind(self, name: HttpName) -> HttpSystem:
        """The settings of a back-office system; its time zone is ours unless they name one."""
        system: HttpSystem = getattr(self.settings, name)
        return system.model_copy(update={"timezone": system.timezone or self.settings.timezone})

    def gate(self, name: HttpName) -> SystemGate:
        """The gate of a back-office system, which the whole service shares."""
        system: HttpSystem = getattr(self.settings, name)
        return SystemGate(self.store, name, SYSTEMS[name], self.machine_clock, self.settings.zone, system.timeout)

    @cached_property
    def siska(self) -> Siska:
        """Customers."""
        return Siska(self.behind("siska"), self.gate("siska"))

    @cached_property
    def epayment(self) -> EPayment:
        """Bills."""
        return EPayment(self.behind("epayment"), self.gate("epayment"))

    @cached_property
    def tenoss(self) -> Tenoss:
        """Data and internet services."""
        return Tenoss(self.behind("tenoss"), self.gate("tenoss"))

    @cached_property
    def telkom_center(self) -> TelkomCenter:
        """Topology of links."""
        return TelkomCenter(self.behind("telkom_center"), self.gate("telkom_center"))

    @cached_property
    def embassy(self) -> Embassy:
        """Line measurements."""
        return Embassy(self.behind("embassy"), self.gate("embassy"))

    @cached_property
    def mycx(self) -> MyCx:
        """Trouble tickets."""
        return MyCx(self.behind("mycx"), self.gate("mycx"))

    @cached_property
    def nossa(self) -> Nossa:
        """Progress of tickets at the units."""
        return Nossa(self.behind("nossa"), self.gate("nossa"))

    @cached_property
    def mrtg(self) -> Mrtg:
        """Traffic of links."""
        return Mrtg(self.settings.mrtg, self.clock)

    @cached_property
    def securecrt(self) -> SecureCrt:
        """Device sessions."""
        return SecureCrt(self.settings.securecrt)


@lru_cache(maxsize=1)
def load_systems() -> Systems:
    """This process's systems, by its settings. Its log lines get the format of the settings, too."""
    settings = load_settings()
    logs.configure(settings)
    return Systems(settings)
