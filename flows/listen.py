"""Hears of new mail: each mailbox is listened to (IMAP IDLE), and a pass of intake starts when some comes.

The passes by schedule stay beneath it: they find what is not heard. The threads are the worker's, and end with it;
beside Prefect's own worker they are those of `layanan up`.
"""

import logging
import threading
import time
from functools import partial

from adapters.wiring import Systems
from flows.receive_mail import receive_mail
from models.errors import LayananError
from models.settings import Mailbox
from tasks.run import drain

log = logging.getLogger("layanan.listen")

SHORTEST_PAUSE, LONGEST_PAUSE = 1.0, 300.0
"""Seconds before a mailbox that could not be listened to is tried again."""
LASTED = 60.0
"""Seconds from which on a session has worked, and is made anew soon: routers end those that are silent."""
BETWEEN = 1.0
"""Seconds between two passes: one pass takes all that came meanwhile, to whichever mailbox."""


def listen_to_mailboxes(wired: Systems) -> list[threading.Thread]:
    """Begin to listen, in one thread for each mailbox that is to be listened to, and one that starts passes."""
    news = threading.Event()
    listening = [partial(listen, wired, box, news) for box in wired.settings.mailboxes if box.idle]
    starting = [partial(start_polls, wired, news)] if listening else []
    threads = [threading.Thread(target=work, name="listen", daemon=True) for work in (*listening, *starting)]
    for thread in threads:
        thread.start()
    return threads


def listen(wired: Systems, box: Mailbox, news: threading.Event) -> None:
    """Tell that there may be mail, until the worker stops; a connection that ends is made anew."""
    pause = SHORTEST_PAUSE
    while not drain.asked():
        began = time.monotonic()
        try:
            for _ in wired.ems.listen(box):
                news.set()
                if drain.asked():
                    return
        except LayananError as error:
            log.warning("a mailbox of %s is not listened to: %s", box.site, error)
        except Exception:
            log.exception("a defect: a mailbox of %s is not listened to", box.site)
        else:
            continue
        pause = SHORTEST_PAUSE if time.monotonic() - began > LASTED else min(2 * pause, LONGEST_PAUSE)
        log.info("it is tried again in %.0f s", pause)
        drain.asked_within(pause)


def start_polls(wired: Systems, news: threading.Event) -> None:
    """Start a pass when there are news, until the worker stops."""
    while news.wait() and not drain.asked():
        news.clear()
        try:
            wired.engine.start_poll(receive_mail.name)
        except LayananError as error:
            log.warning("new mail waits for the next pass by schedule: %s", error)
        except Exception:
            log.exception("a defect: new mail waits for the next pass by schedule")
        drain.asked_within(BETWEEN)
