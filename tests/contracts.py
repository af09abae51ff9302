"""What we use of a library beyond its documented API: each part with what it must look like, and where to look if not.

A library's private parts stand in one module of ours. The test beside that module lists them as :class:`Private`, and
calls ``hold`` for each. A new version that moves one then fails in that one place, in seconds, and says what to do.
"""

import importlib
import inspect
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Private:
    """One part.

    Args:
        module: that has it.
        name: of the attribute, with dots; of a class or function whose source has ``mentions``.
        why: what we use it for, and what to look at when it has changed.
        signature: as ``inspect.signature`` shows it; empty for what is no function.
        mentions: words that its source must have: an attribute of an instance, a sentence that we read, a step.
    """

    module: str
    name: str
    why: str
    signature: str = ""
    mentions: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.module}:{self.name}"

    def hold(self) -> None:
        """Fail, and say where to look, unless the part is as it was."""
        found: Any = importlib.import_module(self.module)
        for name in self.name.split("."):
            assert hasattr(found, name), f"{self} is gone. {self.why}"
            found = getattr(found, name)
        if self.signature:
            now = str(inspect.signature(found))
            assert now == self.signature, f"{self} was {self.signature} and is {now}. {self.why}"
        source = inspect.getsource(found) if self.mentions else ""
        for words in self.mentions:
            assert words in source, f"{self} no longer has “{words}”. {self.why}"
