"""Corrections by a team leader (SOP 5.3), as forms in the Prefect UI: *Deployments*, *Run*. Also `layanan merge` etc.

A case is named by its reference (JKT-0000123) or number, a mail by its number in `layanan mails`. Prefect's form shows
a parameter's name as the field's label, and its docstring as the help text.
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
    """Gabungkan kasus: yang pertama berakhir, yang kedua berlanjut / merge: the first ends, the second continues.

    Args:
        case: Kasus yang berakhir / the case that ends; referensi atau nomor / reference or number
        into: Kasus yang berlanjut / the case that continues; its customer gets the letters
        by: Nama Anda / your name
    """
    systems, number, other = load_systems(), _number(case), _number(into)
    merge_case.merge(systems, number, other, by)
    return Completed(message=merge_case.whose_letters(systems, number, other))


@flow(name="unmerge-case", flow_run_name="unmerge {case}", persist_result=False)
def unmerge_case(case: str, by: By) -> None:
    """Batalkan penggabungan / reverse a merge.

    Args:
        case: Kasus yang tadi digabungkan / the case that was merged; referensi atau nomor / reference or number
        by: Nama Anda / your name
    """
    merge_case.unmerge(load_systems(), _number(case), by)


@flow(name="split-case", flow_run_name="split {case} · {mail}", persist_result=False)
def split_case(case: str, mail: int, by: By) -> None:
    """Pisahkan satu email menjadi kasus sendiri / split one mail off into a case of its own.

    Args:
        case: Kasus yang memuat email itu / the case of the mail; referensi atau nomor / reference or number
        mail: Nomor email / number of the mail in `layanan mails`
        by: Nama Anda / your name
    """
    merge_case.split(load_systems(), _number(case), mail, by)


@flow(name="remove-party", flow_run_name="no party {case} · {mail}", persist_result=False)
def remove_party(case: str, mail: int, by: By) -> None:
    """Keluarkan pengirim email ini dari kasus / remove the sender of a mail from the case.

    Args:
        case: Kasus / the case; referensi atau nomor / reference or number
        mail: Nomor email / number of the mail in `layanan mails`
        by: Nama Anda / your name
    """
    merge_case.remove_party(load_systems(), _number(case), mail, by)


@flow(name="add-party", flow_run_name="party {case} · {mail}", persist_result=False)
def add_party(case: str, mail: int, by: By, letters: bool = False) -> None:
    """Izinkan pengirim email ini ikut dalam kasus / let the sender of a mail take part in the case.

    Args:
        case: Kasus / the case; referensi atau nomor / reference or number
        mail: Nomor email / number of the mail in `layanan mails`
        by: Nama Anda / your name
        letters: Kirim tembusan surat; untuk email pelanggan sendiri: kepada yang di To dan Cc / send copies of letters
    """
    merge_case.add_party(load_systems(), _number(case), mail, by, letters=letters)


def _number(name: str) -> int:
    with load_systems().store.read() as session:
        return listing.case_named(session, name).key
