"""Listens to each mailbox (IMAP IDLE), and starts a poll when mail comes.

Scheduled polls find what listening misses. The threads run in the worker and end with it; with Prefect's own worker,
they run in `layanan up`.
"""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from adapters.wiring import Systems
from flows.receive_mail import receive_mail
from models.errors import LayananError
from models.settings import Mailbox
from tasks.run import drain

log = logging.getLogger("layanan.listen")


@dataclass(frozen=True)
class Pace:
    """How long listening pauses, in seconds, and how it does."""

    shortest: float = 1.0
    """Pause before a mailbox is tried again after its connection failed; each pause is twice the one before."""
    longest: float = 300.0
    lasted: float = 60.0
    """After so long a lost session counts as one that worked, and is opened again soon: routers end silent ones."""
    between: float = 1.0
    """Between two polls; one poll takes all mail that has come meanwhile, in any mailbox."""
    wait: Callable[[float], object] = drain.asked_within
    now: Callable[[], float] = time.monotonic


USUAL = Pace()


def listen_to_mailboxes(systems: Systems, pace: Pace = USUAL) -> list[threading.Thread]:
    """Listen in a thread for each mailbox with `idle`, and start polls in one more thread."""
    news = threading.Event()
    listening = [partial(listen, systems, box, news, pace) for box in systems.settings.mailboxes if box.idle]
    starting = [partial(start_polls, systems, news, pace)] if listening else []
    threads = [threading.Thread(target=work, name="listen", daemon=True) for work in (*listening, *starting)]
    for thread in threads:
        thread.start()
    return threads


def listen(systems: Systems, box: Mailbox, news: threading.Event, pace: Pace = USUAL) -> None:
    """Set ``news`` when there may be mail, until the worker stops; a lost connection is opened again."""
    pause = pace.shortest
    while not drain.asked():
        began = pace.now()
        try:
            for _ in systems.ems.listen(box):
                news.set()
                if drain.asked():
                    return
        except LayananError as error:
            log.warning("not listening to a mailbox of %s: %s", box.site, error)
        except Exception:
            log.exception("a defect: not listening to a mailbox of %s", box.site)
        else:
            continue
        pause = pace.shortest if pace.now() - began > pace.lasted else min(2 * pause, pace.longest)
        log.info("listening to a mailbox of %s again in %.0f s", box.site, pause)
        pace.wait(pause)


def start_polls(systems: Systems, news: threading.Event, pace: Pace = USUAL) -> None:
    """Start a poll when ``news`` is set, until the worker stops."""
    while news.wait() and not drain.asked():
        news.clear()
        try:
            systems.engine.start_poll(receive_mail.name)
        except LayananError as error:
            log.warning("new mail waits for the next scheduled poll: %s", error)
        except Exception:
            log.exception("a defect: new mail waits for the next scheduled poll")
        pace.wait(pace.between)
