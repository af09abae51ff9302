"""People in To or Cc of the customer's mails: their replies belong to the case (SOP 5.3).

They become parties of the case. A mail of theirs joins it only if it answers a mail or letter of the case, or names it.
Letters go to the customer; copies go to them only if the settings or a person say so.
"""

from datetime import datetime

from sqlmodel import Session

from adapters.wiring import Systems
from models.mail import ParsedMail
from models.tables import Case, Party

MOST = 20
"""Most people that one mail may add."""
BY_CC = "Cc"
"""Recorded in place of the person who added them."""


def add_copied(session: Session, systems: Systems, mail: ParsedMail, case: Case, now: datetime) -> None:
    """Add these people if the customer's own address sent the mail and there is no doubt about the sender."""
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
