"""Finds the words that tell one matter from another of its kind: numbers, places and names.

Held by `tests/adapters/analyser/test_rules.py`.
"""

import re
from functools import cache

from adapters.analyser import words
from adapters.analyser.language import ENGLISH, INDONESIAN
from adapters.analyser.tables import spell_out

_TABLES = (
    *(words.TOPIC, words.KIND, words.PRODUCTS, words.URGENCY),
    *(words.SEGMENT, words.ESCALATION, words.SOLVED, words.GROUPS),
)
_WORD = re.compile(r"[a-z]{2,}\*?")
_APART = """
dua tiga empat lima enam tujuh delapan sembilan kedua ketiga keempat kelima two three four five third
senin selasa rabu kamis jumat sabtu monday tuesday wednesday thursday friday saturday sunday
gudang kantor toko ruko gedung cabang kos apartemen sekolah hotel warung pabrik branch
"""
"""Words that tell matters apart although the rules or everyday speech contain them: which one, where and when."""
_COMMON = """
a ada adalah agak agar akan am and anda antara apakah as at awal bagian bahwa be biar bls bpk buat but can
coba demikian deh diinformasikan dong each every exe fw fwd hal hampir harus has hello hi hormat i if
informasi jadi jam jangan just kan kah kalian karena kok lah lama lebih loh mengenai mengirim menulis mengapa
nggih nih no now of oleh or pagi pelanggan per perihal perkenalkan pm pukul pun pula punten re regards rekan s
saat salam sampaikan sangat saudara sebelum secara sedang segera sehingga sehubungan selama selamat semua sent
sekali sekitar setelah siang sih since so soal sore still subject sudah supaya tadi tanggal terhormat terkait
termasuk tersebut tgl that the there they to today tolong total ttd until up urgent us utk via was wassalam we
when while wib will wit wita yaitu yang yg yth yesterday assalamualaikum malam dini hari ini itu minggu bulan
tahun kemarin besok senin selasa rabu kamis jumat sabtu monday tuesday wednesday thursday friday saturday
sunday morning afternoon evening night please thanks hello dear
"""
"""More words, besides those of the rules, that do not tell matters apart."""


def names(text: str) -> frozenset[str]:
    """All words of ``text``, numbers among them, that do not belong to everyday speech about our services."""
    exact, begun = _vocabulary()
    return frozenset(
        word for word in spell_out(text).split() if word.isalnum() and word not in exact and not word.startswith(begun)
    )


@cache
def _vocabulary() -> tuple[frozenset[str], tuple[str, ...]]:
    """Whole words that the rules and everyday speech contain, and the beginnings of others."""
    phrases = " ".join([*(phrase for table in _TABLES for phrase in table.values()), words.ASIDE, words.OURS])
    known = set(_WORD.findall(phrases))
    whole = {spell_out(word) for word in known if not word.endswith("*")}
    everyday = {spell_out(word) for word in _COMMON.split()} | INDONESIAN | ENGLISH
    apart = {spell_out(word) for word in _APART.split()}
    return frozenset((whole | everyday) - apart), tuple(word[:-1] for word in known if word.endswith("*"))
