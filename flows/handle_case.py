"""One case, from the first mail to closing: the SOP's flow, as it reads.

Prefect runs this body again from the top after every wait; what is recorded is not done again
(`tasks/run/activity.py`). So it reads no clock, does no I/O and draws no random number: flows decide, tasks act. At
every ``decide`` a person decides.
"""

from itertools import count
from typing import Any, TypeVar

from prefect import flow

from models.forms.analysis import (
    ConfirmAnalysis,
    ConfirmSender,
    SameMatter,
    SameMatterChoice,
    SenderChoice,
    TopicChoice,
)
from models.forms.answers import AnswerChoice, CustomerAnswer, UnclearAnswer, UnclearChoice, WriteAnswer
from models.forms.base import SYSTEM
from models.forms.closing import ClosingChoice, ClosingPeriod, DisputeChoice, DisputedClosing
from models.forms.complaint import (
    ApproveSolution,
    ComplaintForm,
    Escalation,
    EscalationChoice,
    HandlingStuck,
    ProgressChoice,
    SolutionChoice,
    StuckChoice,
    SupervisorChoice,
    SupervisorEscalation,
    UnitProgress,
)
from models.need import MISSING, Need, Path, Solution, Turn
from tasks.ask_customer import ask_customer
from tasks.closing import closing
from tasks.coordinate_with_unit import coordinate_with_unit
from tasks.end_case import end_case
from tasks.escalate_to_team_leader import escalate_to_team_leader
from tasks.find_information import Information, find_information
from tasks.first_response import first_response
from tasks.give_information import give_information
from tasks.hand_over_segment import hand_over_segment
from tasks.handle_complaint import handle_complaint
from tasks.handle_intensively import Handled, handle_intensively
from tasks.inform_result import inform_result
from tasks.inform_status import inform_status
from tasks.join_case import join_case
from tasks.receive_and_analyse import receive_and_analyse
from tasks.run.case_run import CaseRun
from tasks.run.waits import decide
from tasks.serve_complaint import serve_complaint
from tasks.solve_need import solve_need
from tasks.upkeep.merge_case import MERGED

D = TypeVar("D", bound=ComplaintForm)

MOST_QUESTIONS = 2
"""Number of questions to a customer, after which an agent reads the answers and decides."""


@flow(name="handle-case", persist_result=False)
def handle_case(case_id: int, reference: str) -> str:
    """A case by the SOP IN.OCC.TDSCC.P-05; returns its outcome."""
    case = CaseRun.begin(case_id)
    if case.merged:
        return MERGED
    need = of_certain_sender(case, receive_and_analyse(case))  # 1
    if is_old(case, need):
        return MERGED
    respond(case)
    need = complete(case, understand(case, need))
    for round_number in count(1):
        serve(case, need, round_number)
        if need.path is not Path.NOT_FOR_US:
            # a customer whom another desk serves gets no letter after the hand-over
            closing(case, handed_over=need.path is Path.OTHER_SEGMENT)  # 12
        reopened = until_silence(case, need)
        if reopened is None:
            break
        need = reopened
    return need.path.value


def respond(case: CaseRun) -> None:
    """5.2 with a person's help, if intake could not write the letter because a fact is missing."""
    tried = case.record(first_response.name, 1)
    if tried is not None and tried.output.get("fact"):
        first_response(case)


def serve(case: CaseRun, need: Need, round_number: int) -> None:
    """Do what the customer wants."""
    match need.path:
        case Path.OTHER_SEGMENT:
            hand_over_segment(case, need)  # W-89
        case Path.INFORMATION:
            inform(case, need)
        case Path.COMPLAINT:
            solve_complaint(case, need, round_number)


def of_certain_sender(case: CaseRun, need: Need) -> Need:
    """1 again, with the customer's data, once a person has confirmed the sender."""
    if not need.doubt:
        return need
    about = f"Pengirim meragukan / a doubtful sender: {need.doubt}"
    if need.perhaps:
        about += f"\n\nMenyebut kasus / it names the case {need.perhaps}"
    sender = decide(case, ConfirmSender, about=about)
    if sender.choice is SenderChoice.FORGED:
        return need.forged()
    return receive_and_analyse(case, need.message_id, vouched=True)  # 1


def understand(case: CaseRun, need: Need) -> Need:
    """1, with an agent's decision if the analysis is not sure."""
    return need if need.sure or need.path is Path.OTHER_SEGMENT else confirm(case, need)


def confirm(case: CaseRun, need: Need) -> Need:
    """An agent says what the customer wants."""
    about = f"Analisa kurang yakin / the analysis is not sure ({need.confidence:.0%})"
    if need.unread:
        about = f"{MUST_BE_READ}: {need.unread}"
    agent = decide(
        case,
        ConfirmAnalysis,
        about=about,
        topic=TopicChoice[need.topic],
        service_number=need.service_number,
    )
    return need.confirmed(agent.need.kind, agent.topic.topic, agent.service_number)


def is_old(case: CaseRun, need: Need) -> bool:
    """SOP 5.3: whether the mail belongs to an open case; an agent decides if that is doubtful."""
    if not need.perhaps_id:
        return False
    agent = decide(case, SameMatter, about=f"{PERHAPS_OLD}\n\n{need.perhaps}")
    return agent.choice is SameMatterChoice.JOIN and join_case(case, need.perhaps_id, agent.by).joined  # 5.3


def complete(case: CaseRun, need: Need) -> Need:
    """SOP 5.4: ask the customer for what is missing before the case continues."""
    for question in count(1):
        if not need.missing:
            return need
        if question > MOST_QUESTIONS:
            agent = decide(case, UnclearAnswer, about=f"{ANSWER_IS_UNCLEAR}: {told_missing(need)}")
            if agent.choice is UnclearChoice.CLOSE:
                return need.left_unanswered()
            if agent.choice is UnclearChoice.FOUND:
                need = receive_and_analyse(case, need.message_id, need, told_number=agent.service_number)  # 1
                if need.customer_id:
                    return need  # even if the sender's address is not on record: then no data are shown
                continue
        ask_customer(case, need)
        answer = decide(case, CustomerAnswer, about="Kami bertanya kepada pelanggan / we asked the customer")
        if answer.choice is AnswerChoice.NO_ANSWER:
            return need.left_unanswered()
        need = receive_and_analyse(case, answer.message, need, told_number=answer.service_number)  # 1
        if need.unread:
            need = confirm(case, need)
    raise AssertionError("unreachable")


def told_missing(need: Need) -> str:
    """What is missing, in words."""
    return "; ".join(MISSING[one] for one in need.missing)


def inform(case: CaseRun, need: Need) -> None:
    """3 → 11: answer a request for information (SOP W-75)."""
    information = find_information(case, need)  # 3
    written_by = ""
    if not information.answer:
        agent = decide(case, WriteAnswer, about="Belum ada jawaban siap pakai / there is no prepared answer")
        related = tuple(name.strip() for name in agent.related_products.split(",") if name.strip())
        information = Information(answer=agent.answer, related_products=related)
        written_by = agent.by
    give_information(case, information, written_by=written_by)  # 11


def solve_complaint(case: CaseRun, need: Need, round_number: int) -> None:
    """2 → 4 → 5 → 10, or through the units: 6 → 7 (9, 8) → 10 (SOP W-76)."""
    complaint = serve_complaint(case, need)  # 2
    diagnosis = handle_complaint(case, need, complaint)  # 4
    if diagnosis.solution is not None:
        approval = approve(case, None, diagnosis.solution, "Solusi ditemukan saat ini juga / solved there and then")
        if approval.choice is SolutionChoice.SEND:
            solution = Solution(cause=approval.cause, repair=approval.repair)
            solve_need(case, solution, approved_by=approval.by)  # 5
            inform_result(case, solution, None, approved_by=approval.by)  # 10
            return
    handled = handle_intensively(case, complaint, diagnosis, round_number)  # 6
    turn = Turn(unit=diagnosis.unit)
    wants_escalation = need.wants_escalation
    while turn.solution is None:
        if turn.unit:
            handled = coordinate_with_unit(case, handled, turn.unit, turn.reason).new_ticket or handled  # 7
            turn = Turn(reason=ASKED_FOR) if wants_escalation else follow_unit(case, handled, turn.unit)
            wants_escalation = False
        elif turn.back_to_agent:
            handled = handle_intensively(case, complaint, diagnosis, round_number)  # 6
            turn = agents_turn(case, handled, turn.reason)
        else:
            turn = escalate(case, handled, turn.reason)
    inform_result(case, turn.solution, handled, approved_by=turn.by)  # 10


def follow_unit(case: CaseRun, handled: Handled, unit: str) -> Turn:
    """While the unit works: 9 at intervals, until it reports or the case must be escalated."""
    while True:
        progress = decide(case, UnitProgress, about=f"Tiket {handled.ticket_id} · {unit}")
        match progress.choice:
            case ProgressChoice.REPAIRED:
                report = Solution(cause=progress.cause, repair=progress.repair)
                return approved(
                    case, handled, unit, report, f"Unit {unit} melapor selesai / the unit reports the repair"
                )
            case ProgressChoice.UPDATE:
                inform_status(case, handled)  # 9
            case ProgressChoice.CUSTOMER_WROTE:
                informed = inform_status(case, handled, progress.message)  # 9
                if informed.wants_escalation:
                    return Turn(reason=ASKED_FOR)
                if informed.unread:
                    return approved(case, handled, unit, NOT_TOLD, f"{MUST_BE_READ}: {informed.unread}")
                if informed.says_solved:
                    return approved(case, handled, unit, NOT_TOLD, SAYS_SOLVED)
            case ProgressChoice.ESCALATE:
                return Turn(reason=progress.note or "Terlambat atau macet / late or stuck")


def approved(case: CaseRun, handled: Handled, unit: str, report: Solution, about: str) -> Turn:
    """The agent checks that the complaint is solved; otherwise the unit continues."""
    approval = approve(case, handled, report, about)
    if approval.choice is SolutionChoice.SEND:
        return Turn(solution=Solution(cause=approval.cause, repair=approval.repair), by=approval.by)
    return Turn(unit=unit, reason="Belum selesai menurut agent / not solved, says the agent")


def escalate(case: CaseRun, handled: Handled, reason: str) -> Turn:
    """8: the team leader decides, or the supervisor."""
    escalate_to_team_leader(case, handled, reason)  # 8
    leader = on_desk(case, handled, Escalation, about=f"{reason} (tiket {handled.ticket_id})", unit=handled.unit)
    match leader.choice:
        case EscalationChoice.TAKE_OVER:
            return Turn(solution=Solution(cause=leader.cause, repair=leader.repair), by=leader.by)
        case EscalationChoice.BACK_TO_AGENT:
            return Turn(back_to_agent=True, reason=leader.note)
        case EscalationChoice.OTHER_UNIT:
            return Turn(unit=leader.unit, reason=leader.note)
    about = f"Diteruskan oleh / passed on by {leader.by}: {leader.note or reason}"
    supervisor = on_desk(case, handled, SupervisorEscalation, about=about)
    match supervisor.choice:
        case SupervisorChoice.TAKE_OVER:
            return Turn(solution=Solution(cause=supervisor.cause, repair=supervisor.repair), by=supervisor.by)
        case SupervisorChoice.TELKOM:
            return Turn(unit=case.telkom, reason=supervisor.note)  # SOP 5.6
    return Turn(back_to_agent=True, reason=supervisor.note)


def agents_turn(case: CaseRun, handled: Handled, note: str) -> Turn:
    """The case is back with the agent, who decides how it continues."""
    agent = on_desk(case, handled, HandlingStuck, about=f"Kembali ke agent / back with the agent: {note or '-'}")
    match agent.choice:
        case StuckChoice.SOLVED:
            return Turn(solution=Solution(cause=agent.cause, repair=agent.repair), by=agent.by)
        case StuckChoice.COORDINATE:
            return Turn(unit=agent.unit, reason=agent.note)
    return Turn(reason=agent.note or "Diminta agent / asked for by the agent")


def approve(case: CaseRun, handled: Handled | None, solution: Solution, about: str) -> ApproveSolution:
    """A person approves the solution letter of a complaint."""
    return on_desk(case, handled, ApproveSolution, about=about, cause=solution.cause, repair=solution.repair)


def on_desk(case: CaseRun, handled: Handled | None, form: type[D], *, about: str, **first_answers: Any) -> D:
    """A person decides. Until then, a customer whose complaint has a ticket gets updates and answers: 9 (SOP 5.8)."""
    shown = about
    while True:
        answer = decide(case, form, about=shown, **first_answers)
        if answer.decided:
            return answer
        if handled is not None:
            inform_status(case, handled, answer.message, escalated=form in {Escalation, SupervisorEscalation})  # 9
        elif answer.choice.name == "UPDATE":
            if answer.by == SYSTEM:
                return answer  # nobody has approved the solution in time: the case goes to the unit
            shown = f"{NOTHING_TO_TELL}\n\n{about}"


def until_silence(case: CaseRun, need: Need) -> Need | None:
    """After the closing letter: silence ends the case (None); an answer that says more than thanks may reopen it.

    If the case was handed over (SOP W-89), the answer goes to the segment desk: it neither reopens the case nor gets a
    letter.
    """
    told = need.path is not Path.NOT_FOR_US
    about = HANDED_OVER if need.path is Path.OTHER_SEGMENT else CLOSING_IS_OUT
    while True:
        answer = decide(case, ClosingPeriod, about=about) if told else None
        if answer is None or answer.choice is ClosingChoice.SILENCE:
            if end_case(case, need.path.value).ended:
                return None
            told = True  # a mail came at the last moment, or a letter is not out yet: wait again
            continue
        if need.path is Path.OTHER_SEGMENT:
            hand_over_segment(case, need, answer.message)  # W-89: the answer, too, and no letter
            continue
        reply = receive_and_analyse(case, answer.message, after_closing=True)  # 1
        if not reply.thanks_alone:
            agent = decide(case, DisputedClosing, about=AROUND_CLOSING)
            if agent.choice is DisputeChoice.REOPEN:
                need = of_certain_sender(case, need.again(reply))
                return complete(case, understand(case, need))


ANSWER_IS_UNCLEAR = "Pelanggan menjawab, tetapi masih kurang / the customer answered, but this is still missing"
MUST_BE_READ = "Email ini harus dibaca agent / an agent must read this mail"
NOTHING_TO_TELL = "⚠ Belum ada tiket, jadi belum ada kabar / there is no ticket yet, so nothing to tell"
NOT_TOLD = Solution(cause="", repair="")
SAYS_SOLVED = "Pelanggan menulis bahwa sudah normal / the customer writes that it works again"
ASKED_FOR = "Diminta pelanggan / asked for by the customer"
PERHAPS_OLD = "Mungkin keluhan yang sudah ada / perhaps a matter that is open already"
HANDED_OVER = "Diteruskan ke desk segmennya; jawaban pelanggan ikut diteruskan / handed over, and so are answers"
CLOSING_IS_OUT = "Surat closing terkirim / the closing letter is out"
AROUND_CLOSING = "Pelanggan menulis sekitar surat closing / the customer wrote around the closing letter"
