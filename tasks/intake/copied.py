"""Who stood beside us in To or Cc of the customer's mails: what they answer belongs to the case (SOP 5.3).

They are parties of the case whose mails belong to it only where they answer a mail or letter of it, or name it. Letters
go to the customer; a copy goes to them only where the settings or a person say so.
"""

from datetime import datetime

from sqlmodel import Session

from adapters.wiring import Systems
from models.mail import ParsedMail
from models.tables import Case, Party

MOST = 20
"""Such people that one mail may bring."""
BY_CC = "Cc"
"""Who has added them, in a person's place."""


def add_copied(session: Session, systems: Systems, mail: ParsedMail, case: Case, now: datetime) -> None:
    """Add them, where the customer's own address wrote the mail and nothing speaks against that."""
    if mail.sender != case.address or mail.forged or case.sender_doubt or mail.passed_on == "form":
        return
    settings = systems.settings
    nobody = {case.address, *settings.segment_desk_addresses, *settings.forms}
    others = [one for one in mail.recipients if one not in nobody and not settings.is_ours(one)]
    for address in others[:MOST]:
        if session.get(Party, (case.key, address)) is None:
            party = Party(case_id=case.key, address=address, added_by=BY_CC, added_at=now, copied=True)
            session.add(party)
    if others and settings.letters_to_cc:
        session.flush()
