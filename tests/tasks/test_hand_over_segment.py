"""W-89: another desk serves this customer."""

from adapters.wiring import Systems
from models.facts import Segment
from models.tables import Message
from tasks.hand_over_segment import hand_over_segment
from tests.cases import BANK, done, latest, need, opened, rows, text

BANKS = {"customer_id": "C-5", "segment": Segment.ENTERPRISE, "ours": False}


def test_the_customer_is_told_the_desk_and_the_mails_outcome_is_this(wired: Systems) -> None:
    case = opened(wired, BANK)
    assert done(hand_over_segment, case, need(**BANKS)).desk == "Enterprise Care"
    assert "enterprise.care@telkom.example" in text(case, "hand_over_segment")
    (mail,) = rows(wired, Message)
    assert (mail.outcome, mail.reason) == ("other_segment", "segment DES: Enterprise Care")
    assert mail.case_id == case.case_id


def test_a_segment_without_a_desk_is_a_missing_fact(wired: Systems) -> None:
    wired.settings.policy.segment_desks = {"DGS": "Government Care <government.care@telkom.example>"}
    case = opened(wired, BANK)
    hand_over_segment.do_now(case, need(**BANKS))
    record = latest(case, "hand_over_segment")
    assert (record.state, record.output["fact"]) == ("failed", "desk")
    assert rows(wired, Message)[0].outcome == "opened"
