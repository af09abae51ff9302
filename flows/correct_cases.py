"""Corrections by a team leader (SOP 5.3), as forms in the Prefect UI: *Deployments*, *Run*; also `layanan merge` etc.

Cases are named by reference (JKT-0000123) or number, mails by their number in `layanan mails`. The engine's form calls
a field by its parameter's name, and explains it by the docstring alone.
"""

from typing import Annotated

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Completed
from pydantic import Field

from adapters.console import listing
from adapters.wiring import load_systems
from tasks.upkeep import merge_case

By = Annotated[str, Field(min_length=2, max_length=80)]


@flow(name="merge-cases", flow_run_name="merge {case} → {into}", persist_result=False)
def merge_cases(case: str, into: str, by: By) -> "State[None]":
    """Gabungkan kasus: yang pertama berakhir, yang kedua berjalan terus / the first ends, the second goes on.

    Args:
        case: Kasus yang berakhir / the case that ends; referensi atau nomor / reference or number
        into: Kasus yang berjalan terus / the case that goes on, and to whose customer letters go
        by: Nama Anda / your name
    """
    systems, number, other = load_systems(), _number(case), _number(into)
    merge_case.merge(systems, number, other, by)
    return Completed(message=merge_case.whose_letters(systems, number, other))


@flow(name="unmerge-case", flow_run_name="unmerge {case}", persist_result=False)
def unmerge_case(case: str, by: By) -> None:
    """Batalkan penggabungan / take a merger back.

    Args:
        case: Kasus yang digabungkan / the case that had ended; referensi atau nomor / reference or number
        by: Nama Anda / your name
    """
    merge_case.unmerge(load_systems(), _number(case), by)


@flow(name="split-case", flow_run_name="split {case} · {mail}", persist_result=False)
def split_case(case: str, mail: int, by: By) -> None:
    """Pisahkan satu email menjadi kasus sendiri / give one mail a case of its own.

    Args:
        case: Kasus tempat email itu / the case that has the mail; referensi atau nomor / reference or number
        mail: Nomor email seperti di / the mail's number as in `layanan mails`
        by: Nama Anda / your name
    """
    merge_case.split(load_systems(), _number(case), mail, by)


@flow(name="remove-party", flow_run_name="no party {case} · {mail}", persist_result=False)
def remove_party(case: str, mail: int, by: By) -> None:
    """Pengirim email ini tidak lagi ikut dalam kasus / its sender no longer writes in the case.

    Args:
        case: Kasus yang diikuti / the case; referensi atau nomor / reference or number
        mail: Nomor email seperti di / the mail's number as in `layanan mails`
        by: Nama Anda / your name
    """
    merge_case.remove_party(load_systems(), _number(case), mail, by)


@flow(name="add-party", flow_run_name="party {case} · {mail}", persist_result=False)
def add_party(case: str, mail: int, by: By, letters: bool = False) -> None:
    """Izinkan pengirim email ini ikut dalam kasus / let the sender of this mail write in the case, too.

    Args:
        case: Kasus yang diikuti / the case; referensi atau nomor / reference or number
        mail: Nomor email seperti di / the mail's number as in `layanan mails`
        by: Nama Anda / your name
        letters: Kirim tembusan surat; dari email pelanggan sendiri: kepada yang di Cc / send copies of letters
    """
    merge_case.add_party(load_systems(), _number(case), mail, by, letters=letters)


def _number(name: str) -> int:
    with load_systems().store.read() as session:
        return listing.find_case(session, name).key
