"""Activity 11: give the information the customer asked for (SOP 7.11, 5.5)."""

from models.letter import InformationFacts
from models.need import Output
from tasks.find_information import Information
from tasks.run.activity import activity
from tasks.run.work import Work


class Given(Output):
    """The letter with the information."""

    letter: str


@activity(11)
def give_information(work: Work, information: Information, *, written_by: str = "") -> Given:
    """Write the customer the answer, with related products."""
    facts = InformationFacts(answer=information.answer, related_products=information.related_products)
    work.performer = written_by
    return Given(letter=work.letter(facts, written_by_person=bool(written_by)))
