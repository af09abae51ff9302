"""Corrections by a team leader (5.3), as forms in the Prefect UI: *Deployments*, *Run*; `layanan merge` and the others.

Cases are named by reference (JKT-0000123) or number, mails by their number in `layanan mails`.
"""

from typing import Annotated

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Completed
from pydantic import Field

from adapters import listing
from adapters.wiring import systems
from tasks import merge_case

Case = Annotated[str, Field(title="Kasus / Case", description="Referensi atau nomor / reference or number")]
Mail = Annotated[int, Field(title="Nomor email / Mail number", description="Seperti di / as in `layanan mails`")]
By = Annotated[str, Field(title="Nama Anda / Your name", min_length=2, max_length=80)]


@flow(name="merge-cases", flow_run_name="merge {case} → {into}", persist_result=False)
def merge_cases(case: Case, into: Case, by: By) -> "State[None]":
    """Gabungkan kasus: yang pertama berakhir, yang kedua berjalan terus / the first ends, the second goes on."""
    wired, number, other = systems(), _number(case), _number(into)
    merge_case.merge(wired, number, other, by)
    return Completed(message=merge_case.whose_letters(wired, number, other))


@flow(name="unmerge-case", flow_run_name="unmerge {case}", persist_result=False)
def unmerge_case(case: Case, by: By) -> None:
    """Batalkan penggabungan / take a merger back."""
    merge_case.unmerge(systems(), _number(case), by)


@flow(name="split-case", flow_run_name="split {case} · {mail}", persist_result=False)
def split_case(case: Case, mail: Mail, by: By) -> None:
    """Pisahkan satu email menjadi kasus sendiri / give one mail a case of its own."""
    merge_case.split(systems(), _number(case), mail, by)


@flow(name="remove-party", flow_run_name="no party {case} · {mail}", persist_result=False)
def remove_party(case: Case, mail: Mail, by: By) -> None:
    """Pengirim email ini tidak lagi ikut dalam kasus / its sender no longer writes in the case."""
    merge_case.remove_party(systems(), _number(case), mail, by)


@flow(name="add-party", flow_run_name="party {case} · {mail}", persist_result=False)
def add_party(case: Case, mail: Mail, by: By) -> None:
    """Izinkan pengirim email ini ikut dalam kasus / let the sender of this mail write in the case, too."""
    merge_case.add_party(systems(), _number(case), mail, by)


def _number(name: str) -> int:
    with systems().store.read() as session:
        return listing.find_case(session, name).key
