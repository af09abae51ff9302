"""Activity 1: receive the e-mail and analyse what the customer explains (SOP 7.1)."""

from models.analysis import Analysis, Kind
from models.facts import Customer, Segment, Tier
from models.need import Need
from tasks.activity import activity
from tasks.work import Work


@activity(1)
def receive_and_analyse(work: Work, message_id: int, earlier: Need | None = None) -> Need:
    """Read one mail of the case: what does it want, and whose is it?

    With an ``earlier`` need, the mail answers our question: what it does not tell anew stays as it was. Customer
    data is opened for an address on record only (SISKA); a number that a stranger names opens nothing.
    """
    mail = work.message(message_id)
    analysis = work.systems.analyser.analyse(mail.subject, mail.new_text, sender_name=mail.sender_name)
    customer = work.systems.siska.customer_by_address(work.case.address)
    need = _need(work, mail.id or 0, analysis, customer)
    if earlier is not None:
        need = _added(earlier, need)
    work.change(
        kind=need.kind.value,
        topic=need.topic,
        service_number=need.service_number,
        customer_id=need.customer_id,
        segment="" if need.segment is Segment.UNKNOWN else need.segment.value,
        tier=need.tier.value if need.customer_id else "",
        name=customer.name if customer else work.case.name,
        language=analysis.language.value,
    )
    return need


def _need(work: Work, message_id: int, analysis: Analysis, customer: Customer | None) -> Need:
    policy = work.settings.policy
    segment = customer.segment if customer else Segment.UNKNOWN
    # a follow-up that intake could not tie to a case is a matter for the agent's eye
    sure = analysis.sure(policy.analysis_threshold) and analysis.kind.value is not Kind.FOLLOW_UP
    return Need(
        message_id=message_id,
        kind=analysis.kind.value,
        topic=analysis.topic.value,
        products=analysis.products.value,
        service_number=_service_number(analysis, customer),
        urgency=analysis.urgency.value,
        sure=sure,
        confidence=min(analysis.kind.confidence, analysis.topic.confidence),
        wants_escalation=analysis.wants_escalation.value,
        customer_id=customer.customer_id if customer else "",
        segment=segment,
        tier=customer.tier if customer else Tier.REGULAR,
        ours=segment is Segment.UNKNOWN or segment.value in policy.our_segments,
    )


def _service_number(analysis: Analysis, customer: Customer | None) -> str:
    """The line that the matter is about: named and the customer's own, else the customer's only one."""
    if customer is None:
        return ""
    named = [number.value for number in analysis.service_numbers if number.value in customer.service_numbers]
    if named:
        return named[0]
    return customer.service_numbers[0] if len(customer.service_numbers) == 1 else ""


def _added(earlier: Need, answer: Need) -> Need:
    """The earlier need, with what the answer told."""
    return earlier.model_copy(
        update={
            "message_id": answer.message_id,
            "service_number": answer.service_number or earlier.service_number,
            "customer_id": answer.customer_id or earlier.customer_id,
            "segment": answer.segment if answer.customer_id else earlier.segment,
            "tier": answer.tier if answer.customer_id else earlier.tier,
            "ours": answer.ours if answer.customer_id else earlier.ours,
            "wants_escalation": earlier.wants_escalation or answer.wants_escalation,
        }
    )
