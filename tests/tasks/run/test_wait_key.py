"""Keys of waits, written and read."""

import pytest

from models.forms.complaint import Escalation, UnitProgress
from tasks.run.wait_key import WaitKey


@pytest.mark.parametrize(
    ("key", "text"),
    [
        (WaitKey.of_form(UnitProgress, 2), "unit-progress-2"),
        (WaitKey("unit-progress-2", 3), "unit-progress-2-r3"),
        (WaitKey.of_opening("inform_result", 1), "inform-result-1-opening"),
        (WaitKey.of_fix("hand_over_segment", 1, 2), "hand-over-segment-1-fix2"),
        (WaitKey.of_fix("closing", 1, 1).for_leader, "closing-1-fix1-leader"),
        (WaitKey("closing-period-1", 2).for_undelivered, "closing-period-1-undelivered2"),
    ],
)
def test_what_is_written_is_read_as_the_same(key: WaitKey, text: str) -> None:
    """Open cases hold these words: they never change."""
    assert str(key) == text
    assert WaitKey.parse(text) == key


def test_earlier_times_at_the_same_form_are_known() -> None:
    assert [str(key) for key in WaitKey.of_form(Escalation, 3).earlier(Escalation)] == ["escalation-2", "escalation-1"]
    assert WaitKey.of_fix("closing", 3, 1).earlier(Escalation) == []
