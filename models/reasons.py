"""Why a mail is where it is, as data, and what people read of that: Indonesian first, English beside it.

Held by `tests/adapters/case_store/test_schema.py` and `tests/tasks/test_find_case.py`.
"""

from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import NamedTuple

from models.mail import Caution, Doubt, Problem


class Why(StrEnum):
    """Why a mail has its outcome and its case. A :class:`Reason` adds what its words name."""

    NEW = "new"
    # what ties it to a case
    ANSWERS_LETTER = "answers_letter"
    SIGNED_REFERENCE = "signed_reference"
    """A reference with its token in the Subject, or in our address, which is not kept."""
    REFERENCE = "reference"
    FOLLOWS_MAIL = "follows_mail"
    CONVERSATION = "conversation"
    SAME_LINE = "same_line"
    SAME_MATTER = "same_matter"
    # what perhaps does
    PERHAPS = "perhaps"
    OTHER_TOPIC = "other_topic"
    LINE_AND_OTHER_NAME = "line_and_other_name"
    LINE_NAMED_ONCE = "line_named_once"
    TOPIC_AND_OTHER_NAME = "topic_and_other_name"
    ASKS_FOR_STATUS = "asks_for_status"
    BY_FORM = "by_form"
    # why it opened a case all the same
    OTHER_SENDERS_CASE = "other_senders_case"
    SENDER_IN_DOUBT = "sender_in_doubt"
    CASE_IN_DOUBT = "case_in_doubt"
    FOLLOWS_CLOSED = "follows_closed"
    SPLIT = "split"
    ACCEPTED = "accepted"
    # no customer's
    OUR_LETTER = "our_letter"
    PROGRAM = "program"
    SERVERS_REPORT = "servers_report"
    DESK = "desk"
    OTHER_SEGMENT = "other_segment"
    # one that we have had
    SAME = "same"
    SENT_AGAIN = "sent_again"
    # why it is quarantined
    NO_SENDER = "no_sender"
    UNNAMED_FORM = "unnamed_form"
    OUR_ADDRESS = "our_address"
    FORM_WITHOUT_CUSTOMER = "form_without_customer"
    NO_LETTER_OF_OURS = "no_letter_of_ours"
    PERHAPS_A_PERSON = "perhaps_a_person"
    LIST = "list"
    REPORT_IN_DOUBT = "report_in_doubt"
    TAKES_NO_ANSWERS = "takes_no_answers"
    FLOOD = "flood"
    LOOP = "loop"
    UNREADABLE = "unreadable"
    DEFECT = "defect"
    EARLIER = "earlier"
    """In the words of an earlier revision."""


class Reason(NamedTuple):
    """A reason, and the case, mail, address, header or name that its words name."""

    why: Why
    detail: str = ""


_WORDS: dict[Why, str] = {
    Why.NEW: "baru / new",
    Why.ANSWERS_LETTER: "menjawab surat kita / answers our letter",
    Why.SIGNED_REFERENCE: "menyebut referensi bertanda / names a signed reference",
    Why.REFERENCE: "menyebut referensi di Subject / reference in the subject",
    Why.FOLLOWS_MAIL: "melanjutkan email sebelumnya / follows an earlier mail",
    Why.CONVERSATION: "melanjutkan percakapan Outlook / continues an Outlook conversation",
    Why.SAME_LINE: "pengirim dan nomor layanan sama / same sender, same line",
    Why.SAME_MATTER: "pengirim dan masalah sama / same sender, same matter",
    Why.PERHAPS: "mungkin {} / perhaps {}",
    Why.OTHER_TOPIC: "nomor layanan sama, topik lain / same line, another topic",
    Why.LINE_AND_OTHER_NAME: "nomor layanan sama, menyebut hal lain / same line, and it names something else",
    Why.LINE_NAMED_ONCE: "topik sama, nomor layanan hanya disebut sekali / same topic, a line named only once",
    Why.TOPIC_AND_OTHER_NAME: "topik sama, menyebut hal lain / same topic, and it names something else",
    Why.ASKS_FOR_STATUS: "menanyakan perkembangan / asks how a matter stands",
    Why.BY_FORM: "diisi di formulir / by a form",
    Why.OTHER_SENDERS_CASE: "menyebut {}, milik pengirim lain / names {}, which is another sender's",
    Why.SENDER_IN_DOUBT: "menyebut {}; pengirimnya meragukan / names {}; its sender is in doubt",
    Why.CASE_IN_DOUBT: "menyebut {}, yang pengirimnya meragukan / names {}, whose sender is in doubt",
    Why.FOLLOWS_CLOSED: "melanjutkan kasus {} yang sudah ditutup / follows closed case {}",
    Why.SPLIT: "dipisah dari {} / split from {}",
    Why.ACCEPTED: "diterima oleh {}, sebelumnya / taken in by {}, before",
    Why.OUR_LETTER: "salinan surat kita / copy of our own letter",
    Why.PROGRAM: "ditulis program / written by a program ({})",
    Why.SERVERS_REPORT: "server email menulis tentang surat kita / a mail server's words about our letter",
    Why.DESK: "dari unit segmen lain / from another segment's desk",
    Why.OTHER_SEGMENT: "segmen / segment {}",
    Why.SAME: "sama dengan email {} / same as mail {}",
    Why.SENT_AGAIN: "dikirim lagi, sama dengan email {} / sent again: same as mail {}",
    Why.NO_SENDER: "tidak ada alamat pengirim / no sender's address",
    Why.UNNAMED_FORM: "meminta jawaban ke alamat lain; jika {} adalah formulir kita, tambahkan ke LAYANAN_FORMS / "
    "it asks for answers at another address: if a form of ours sends it, add {} to LAYANAN_FORMS, and `layanan mail "
    "accept` answers its customer",
    Why.OUR_ADDRESS: "dari alamat kita, tetapi bukan surat kita; jawab secara manual / from an address of ours, and "
    "no letter of ours: a colleague's, perhaps; answer it by hand",
    Why.FORM_WITHOUT_CUSTOMER: "dari formulir LAYANAN_FORMS tanpa satu pelanggan di Reply-To; jawab secara manual / "
    "by a form of LAYANAN_FORMS, but Reply-To names no one customer; answer it by hand",
    Why.NO_LETTER_OF_OURS: "laporan server tentang surat yang tidak kita kenal, mungkin dari orang / a mail server's "
    "words, of no letter that we know; perhaps a person's",
    Why.PERHAPS_A_PERSON: "mungkin dari orang / perhaps a person's",
    Why.LIST: "dari milis; mungkin dari orang: tambahkan {} ke aliases kotaknya jika itu grup kita / by a list; "
    "perhaps a person's: if {} is a group of ours, add it to the aliases of its mailbox in LAYANAN_MAILBOXES; "
    "`layanan mail accept` takes a customer's in",
    Why.REPORT_IN_DOUBT: "laporan yang pengirimnya meragukan / a report; its sender is in doubt",
    Why.TAKES_NO_ANSWERS: "alamat pengirim tidak menerima balasan / its sender's address takes no answers",
    Why.FLOOD: "banjir: lebih dari {} email dalam satu jam / flood: more than {} mails of this sender within an hour",
    Why.LOOP: "berulang kali menjawab surat kita dalam hitungan detik / loop: answers our letters within seconds, "
    "again and again",
    Why.UNREADABLE: "tidak terbaca / unreadable: {}",
    Why.DEFECT: "kesalahan program kita / defect: {}",
    Why.EARLIER: "{}",
}
DOUBTS: dict[Doubt, str] = {
    Doubt.DMARC: "domain pengirim tidak mengakui email ini / DMARC: fail",
    Doubt.SPF: "bukan dari server domain pengirim / not from a server of the sender's domain, nor signed by it",
    Doubt.SEVERAL_SENDERS: "beberapa pengirim / several senders of different domains",
    Doubt.TWO_READINGS: "From dapat dibaca dengan dua cara / From can be read in two ways, or stands there twice",
    Doubt.ODD_DOMAIN: "domain pengirim ditulis tidak wajar / the domain only resembles another: odd letters or dots",
}
_CAUTIONS: dict[Caution, str] = {
    Caution.TYPED_SENDER: "alamat pengirim diisi di formulir / the sender's address was typed into a form",
    Caution.OTHER_ADDRESS: "nama pengirim memuat alamat lain / beside the sender another address is named",
    Caution.REPLIES_ELSEWHERE: "balasan diminta ke domain lain / replies are asked for at another domain",
    Caution.LOOKALIKE: "domain mirip huruf lain / the domain mixes alphabets, or its letters only look like Latin ones",
}
_PROBLEMS: dict[Problem, str] = {
    Problem.NO_HEADER: "tanpa header / no header",
    Problem.NO_SENDER: "tanpa alamat pengirim / no sender's address",
    Problem.NO_DATE: "tanpa tanggal / no date",
    Problem.NO_MESSAGE_ID: "tanpa Message-ID / no Message-ID",
    Problem.REPEATED_HEADERS: "header berulang / headers that may stand once stand twice",
    Problem.CHARSET_GUESSED: "charset ditebak / the charset is missing or wrong, and was guessed",
    Problem.TRANSFER_ENCODING: "pengodean rusak / the transfer encoding is broken",
    Problem.TOO_DEEP: "bagian terlalu dalam, tidak terbaca semua / parts are nested too deep, the deepest are not read",
    Problem.TOO_MANY_PARTS: "bagian terlalu banyak / there are too many parts, the last are not read",
    Problem.TOO_LARGE: "terlalu besar, hanya awalnya dibaca / larger than the settings allow, only its beginning read",
    Problem.TEXT_CUT: "teks terlalu panjang / the text is too long, its end is not read",
    Problem.BROKEN_TNEF: "winmail.dat rusak / winmail.dat is broken",
    Problem.TEXT_IN_RTF: "teks ada di lampiran RTF / the text is in an attached RTF file",
    Problem.OPAQUE: "isi bertanda tangan tidak terbaca / the signed content cannot be taken out (S/MIME)",
    Problem.ENCRYPTED: "terenkripsi / encrypted",
}
_FAILED = {"spf": ("fail", "softfail", "permerror"), "dkim": ("fail", "softfail", "permerror"), "dmarc": ("permerror",)}
"""Results that people see besides doubts; failed DMARC is a doubt."""


def said(reasons: Iterable[Sequence[str]]) -> str:
    """What people read of reasons, in their order."""
    return "; ".join(_WORDS[Why(why)].replace("{}", detail) for why, detail in reasons)


def doubts_said(doubts: Iterable[str]) -> str:
    """What people read of doubts about a sender."""
    return "; ".join(DOUBTS[Doubt(doubt)] for doubt in doubts)


def warnings_said(doubts: Iterable[str], warnings: Iterable[str], checks: dict[str, str]) -> list[str]:
    """What a person should know before they believe a mail: each doubt, caution and problem, in words.

    Args:
        warnings: codes of cautions and of problems.
        checks: what our own server found out, by method (:class:`models.mail.Authentication`).
    """
    words: dict[str, str] = {str(code): words for table in (_CAUTIONS, _PROBLEMS) for code, words in table.items()}
    failed = [f"{method.upper()}: {found}" for method, found in checks.items() if found in _FAILED.get(method, ())]
    return [*(DOUBTS[Doubt(doubt)] for doubt in doubts), *failed, *(words[code] for code in warnings)]
