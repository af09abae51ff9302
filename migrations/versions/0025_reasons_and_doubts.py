"""Why a mail is where it is, and what speaks against its sender, as codes; a mail that was set aside is quarantined."""

import re
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

DOUBTS = {
    "DMARC: fail": "dmarc",
    "bukan dari server domain pengirim / not from a server of the sender's domain, nor signed by it": "spf",
    "beberapa pengirim / several senders of different domains": "several_senders",
    "From dapat dibaca dengan dua cara / From can be read in two ways, or stands there twice": "two_readings",
    "domain pengirim ditulis tidak wajar / the domain only resembles another: odd letters or dots": "odd_domain",
}
WARNINGS = {
    "alamat pengirim diisi di formulir / the sender's address was typed into a form": "typed_sender",
    "nama pengirim memuat alamat lain / beside the sender another address is named": "other_address",
    "balasan diminta ke domain lain / replies are asked for at another domain": "replies_elsewhere",
    "domain mirip huruf lain / the domain mixes alphabets, or its letters only look like Latin ones": "lookalike",
    "parts are nested too deep, the deepest are not read": "too_deep",
    "there are too many parts, the last are not read": "too_many_parts",
    "larger than the settings allow, only its beginning is read": "too_large",
    "the text is in an attached RTF file": "text_in_rtf",
    "the signed content cannot be taken out (S/MIME)": "opaque",
    "encrypted": "encrypted",
}
"""What our server found out (“SPF: softfail”) stands in ``authentication``."""
KINDS = "bounce|delayed|auto_reply|list|feedback|receipt|challenge|calendar|spam"
TIES = {
    "answers our letter": "answers_letter",
    "signed reference": "signed_reference",
    "reference in the subject": "reference",
    "follows an earlier mail": "follows_mail",
    "continues an Outlook conversation": "conversation",
    "same sender, same line": "same_line",
    "same sender, same matter": "same_matter",
    "same line, another topic": "other_topic",
    "same line, and it names something else": "line_and_other_name",
    "same topic, a line named only once": "line_named_once",
    "same topic, and it names something else": "topic_and_other_name",
    "asks how a matter stands": "asks_for_status",
    "new": "new",
    "copy of our own letter": "our_letter",
    "a mail server's words about our letter": "servers_report",
    "from another segment's desk": "desk",
    "no sender's address": "no_sender",
    "its sender's address takes no answers": "takes_no_answers",
    "loop: answers our letters within seconds, again and again": "loop",
}
PATTERNS = (
    (r"perhaps (\S+): (.+)", "perhaps"),
    (r"by a form, ()(.+)", "by_form"),
    (r"names (\S+), which is another sender's \((.+)\)", "other_senders_case"),
    (r"names (\S+); its sender is in doubt \((.+)\)", "sender_in_doubt"),
    (r"names (\S+), whose sender is in doubt \((.+)\)", "case_in_doubt"),
    (r"follows closed case (\S+)()", "follows_closed"),
    (r"split from (\S+)()", "split"),
    (r"same as mail (\d+)()", "same"),
    (r"sent again: same as mail (\d+)()", "sent_again"),
    (r"segment (.+)()", "other_segment"),
    (r"flood: more than (\d+) mails.*()", "flood"),
    (r"defect: (.+)()", "defect"),
    (r"asks for answers at another address: .* add (\S+) to LAYANAN_FORMS.*()", "unnamed_form"),
    (r"from an address of ours, .* add (\S+) to LAYANAN_FORMS.*()", "unnamed_form"),
    (r"from an address of ours, .*()()", "our_address"),
    (r"by a form of LAYANAN_FORMS, .*()()", "form_without_customer"),
    (r"a mail server's words, of no letter that we know; .*()()", "no_letter_of_ours"),
    (rf"((?:{KINDS}): .*), of no letter that we know; perhaps a person's()", "program no_letter_of_ours"),
    (rf"((?:{KINDS}): .*); its sender is in doubt()", "program report_in_doubt"),
    (rf"((?:{KINDS}): [^;]*); perhaps a person's.*()", "program perhaps_a_person"),
    (rf"((?:{KINDS}): .*)()", "program"),
)
MOST = 1_000
"""Rows that are changed together."""

message = sa.table(
    "message",
    *map(sa.column, ("id", "outcome", "reason", "doubts", "automatic")),
    sa.column("reasons", sa.JSON),
    sa.column("warnings", sa.JSON),
)
case = sa.table("case", sa.column("id"), sa.column("sender_doubt"))


def reasons_of(words: str) -> list[list[str]]:
    """The codes of an earlier revision's words, each with what it names."""
    if taken := re.fullmatch(r"(.*); taken in by (.*?), before: (.*)", words):
        return [*reasons_of(taken[1]), ["accepted", taken[2]], *reasons_of(taken[3])]
    first, names, rest = words.partition("; names ")
    if names and not first.startswith("names "):
        return [*reasons_of(first), *reasons_of(f"names {rest}")]
    if words in TIES:
        return [[TIES[words], ""]]
    for pattern, codes in PATTERNS:
        if found := re.fullmatch(pattern, words, re.DOTALL):
            first, *others = codes.split()
            return [[first, found[1]], *([code, ""] for code in others), *(reasons_of(found[2]) if found[2] else [])]
    return [["earlier", words]] if words else []


def doubts_of(words: list[str]) -> str:
    """The codes of the doubts among the warnings of an earlier revision."""
    return " ".join(DOUBTS[one] for one in words if one in DOUBTS)


def upgrade() -> None:
    with op.batch_alter_table("message") as batch:
        batch.add_column(sa.Column("doubts", sa.String(), nullable=False, server_default=""))
        batch.add_column(sa.Column("automatic", sa.String(), nullable=False, server_default=""))
        batch.add_column(sa.Column("reasons", sa.JSON(), nullable=False, server_default="[]"))
    _change(message.c.reason, _as_codes)
    store = op.get_bind()
    store.execute(message.update().where(message.c.outcome == "set_aside").values(outcome="quarantined"))
    doubted = sa.select(case.c.id, case.c.sender_doubt).where(case.c.sender_doubt != "")
    for number, words in store.execute(doubted).all():
        codes = doubts_of(words.split("; ")) or "dmarc"
        store.execute(case.update().where(case.c.id == number).values(sender_doubt=codes))
    with op.batch_alter_table("message") as batch:
        batch.drop_column("reason")
        for name in ("doubts", "automatic", "reasons"):
            batch.alter_column(name, server_default=None)


def downgrade() -> None:
    with op.batch_alter_table("message") as batch:
        batch.add_column(sa.Column("reason", sa.String(), nullable=False, server_default=""))
    _change(message.c.reasons, _as_words)
    store = op.get_bind()
    store.execute(message.update().where(message.c.outcome == "quarantined").values(outcome="set_aside"))
    words = {code: words for words, code in DOUBTS.items()}
    doubted = sa.select(case.c.id, case.c.sender_doubt).where(case.c.sender_doubt != "")
    for number, codes in store.execute(doubted).all():
        said = "; ".join(words[code] for code in codes.split())
        store.execute(case.update().where(case.c.id == number).values(sender_doubt=said))
    with op.batch_alter_table("message") as batch:
        for name in ("doubts", "automatic", "reasons"):
            batch.drop_column(name)
        batch.alter_column("reason", server_default=None)


def _change(said: Any, changed: Callable[[Any, list[str], str], dict[str, Any]]) -> None:
    """Change every mail's row, some at a time: by its reason, its warnings and its doubts."""
    store, last = op.get_bind(), 0
    read = sa.select(message.c.id, said, message.c.warnings, message.c.doubts).order_by(message.c.id).limit(MOST)
    while rows := store.execute(read.where(message.c.id > last)).all():
        last = rows[-1][0]
        new = [{"number": row[0], **changed(row[1], row[2], row[3])} for row in rows]
        values = {name: sa.bindparam(name, type_=message.c[name].type) for name in new[0] if name != "number"}
        store.execute(message.update().where(message.c.id == sa.bindparam("number")).values(values), new)


def _as_codes(reason: str, warnings: list[str], _doubts: str) -> dict[str, Any]:
    kind = re.search(rf"(?:\A|before: )({KINDS}): ", reason)
    return {
        "doubts": doubts_of(warnings),
        "automatic": kind[1] if kind else "",
        "reasons": reasons_of(reason),
        "warnings": [WARNINGS[one] for one in warnings if one in WARNINGS],
    }


def _as_words(reasons: list[list[str]], warnings: list[str], doubts: str) -> dict[str, Any]:
    ties = {code: words for words, code in TIES.items()}
    words = {code: words for words, code in (WARNINGS | DOUBTS).items()}
    return {
        "reason": "; ".join(ties.get(code, f"{code} {detail}".strip()) for code, detail in reasons),
        "warnings": [words[code] for code in [*doubts.split(), *warnings]],
    }
