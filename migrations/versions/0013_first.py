"""The tables of 28 November 2026: revisions 0001 to 0013 in one step. `layanan migrate` refuses an older store."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from models import tables

revision = "0013"
down_revision = None
branch_labels = None
depends_on = None

INDEXES = {
    "case": ("address", "run_id", "status", "opened_at", "closed_at", "merged_into"),
    "message": ("case_id", "message_id", "outcome", "sha256", "received_at", "content", "conversation"),
    "letter": ("written_at",),
    "activityrecord": ("ended_at",),
    "deadline": ("case_id",),
    "ticket": ("case_id", "open"),
    "wake": ("case_id", "taken_at"),
    "outbox": ("state",),
    "bounce": ("letter_id", "mail_id"),
    "party": ("address",),
}
"""Of one column each, by table."""
OF_SEVERAL = {
    "ix_deadline_due": ("deadline", ["over", "due_at"]),
    "ix_letter_recipient": ("letter", ["recipient", "written_at"]),
    "ix_letter_recipient_key": ("letter", ["recipient_key", "written_at"]),
    "ix_message_sender_key": ("message", ["sender_key", "received_at"]),
}


def texts(*names: str, **options: Any) -> list[sa.Column[str]]:
    """Columns of text that are never NULL."""
    return [sa.Column(name, sa.String(), nullable=False, **options) for name in names]


def numbers(*names: str, **options: Any) -> list[sa.Column[int]]:
    """Columns of numbers that are never NULL."""
    return [sa.Column(name, sa.Integer(), nullable=False, **options) for name in names]


def moments(*names: str, nullable: bool = False) -> list[sa.Column[Any]]:
    """Columns of moments."""
    return [sa.Column(name, tables.UtcDateTime(), nullable=nullable) for name in names]


def json(*names: str, **options: Any) -> list[sa.Column[Any]]:
    """Columns of JSON that are never NULL."""
    return [sa.Column(name, sa.JSON(), nullable=False, **options) for name in names]


def refers(column: str, table: str, name: str | None = None) -> sa.ForeignKeyConstraint:
    """A reference to another table's key."""
    return sa.ForeignKeyConstraint([column], [f"{table}.id"], name=name)


def upgrade() -> None:
    _cases_and_mails()
    _letters()
    _runs()
    for table, columns in INDEXES.items():
        for column in columns:
            op.create_index(f"ix_{table}_{column}", table, [column])
    for name, (table, several) in OF_SEVERAL.items():
        op.create_index(name, table, several)


def _cases_and_mails() -> None:
    op.create_table(
        "case",
        sa.Column("id", sa.Integer(), primary_key=True),
        *texts("site", "mailbox", "name", "subject", "language", "address", "sop_revision", "status", "outcome"),
        *texts("kind", "topic", "service_number", "customer_id", "segment", "tier"),
        *texts("sender_doubt", "token", server_default=""),
        *moments("opened_at"),
        *moments("closed_at", nullable=True),
        sa.Column("run_id", sa.String(), nullable=True),
        *numbers("restarts"),
        *(sa.Column(name, sa.Integer(), nullable=True) for name in ("previous_id", "merged_into", "perhaps_id")),
        refers("previous_id", "case"),
        refers("merged_into", "case", "fk_case_merged_into"),
        refers("perhaps_id", "case", "fk_case_perhaps_id"),
    )
    op.create_table(
        "message",
        sa.Column("id", sa.Integer(), primary_key=True),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in ("uidvalidity", "uid")),
        *texts("mailbox", "sha256", "message_id", "sender", "sender_name", "subject", "language", "text", "new_text"),
        *texts("outcome", "reason"),
        *texts("content", "sender_key", "conversation", server_default=""),
        *json("references"),
        *json("warnings", "attachments", server_default="[]"),
        *json("authentication", server_default="{}"),
        *moments("received_at"),
        *moments("arrived_at", nullable=True),
        sa.Column("case_id", sa.Integer(), nullable=True),
        refers("case_id", "case"),
        sa.UniqueConstraint("mailbox", "uidvalidity", "uid", "sha256", name="uq_message_place"),
    )
    op.create_table(
        "party",
        sa.Column("case_id", sa.Integer(), primary_key=True),
        sa.Column("address", sa.String(), primary_key=True),
        *texts("added_by"),
        *moments("added_at"),
        refers("case_id", "case"),
    )
    content = sa.Column("content", sa.LargeBinary(), nullable=False)
    op.create_table("kept", sa.Column("sha256", sa.String(), primary_key=True), content)


def _letters() -> None:
    op.create_table(
        "letter",
        sa.Column("id", sa.Integer(), primary_key=True),
        *texts("kind", "message_id", "recipient", "sender", "subject", "sha256"),
        *texts("recipient_key", server_default=""),
        *numbers("occurrence", "case_id"),
        *moments("written_at"),
        refers("case_id", "case"),
        sa.UniqueConstraint("case_id", "kind", "occurrence"),
        sa.UniqueConstraint("message_id"),
    )
    op.create_table(
        "outbox",
        sa.Column("letter_id", sa.Integer(), primary_key=True),
        *texts("state", "error"),
        *numbers("attempts"),
        *numbers("unanswered", "deferrals", server_default="0"),
        *numbers("tries", server_default="1"),
        sa.Column("handled", sa.Boolean(), nullable=False, server_default=sa.false()),
        *moments("not_before"),
        *moments("sent_at", nullable=True),
        refers("letter_id", "letter"),
    )
    op.create_table(
        "bounce",
        sa.Column("id", sa.Integer(), primary_key=True),
        *numbers("letter_id", "mail_id"),
        *texts("address", "action", "status"),
        sa.Column("hard", sa.Boolean(), nullable=False),
        refers("letter_id", "letter"),
        refers("mail_id", "message"),
    )


def _runs() -> None:
    op.create_table(
        "activityrecord",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("number", sa.Integer(), nullable=True),
        *numbers("case_id", "occurrence", "attempt", "tries"),
        *texts("name", "state", "performer", "run_id", "sop_revision"),
        *json("output"),
        *moments("started_at", "ended_at"),
        refers("case_id", "case"),
        sa.UniqueConstraint("case_id", "name", "occurrence", "attempt"),
    )
    op.create_table(
        "wait",
        sa.Column("case_id", sa.Integer(), primary_key=True),
        *texts("wait_key", "form", "role", "description"),
        *json("json_schema"),
        *moments("since"),
        refers("case_id", "case"),
    )
    op.create_table(
        "wake",
        sa.Column("id", sa.Integer(), primary_key=True),
        *numbers("case_id"),
        *texts("kind", "source", "taken_by"),
        *json("answers"),
        *moments("created_at"),
        *moments("taken_at", nullable=True),
        refers("case_id", "case"),
        sa.UniqueConstraint("source"),
    )
    op.create_table(
        "decision",
        sa.Column("id", sa.Integer(), primary_key=True),
        *numbers("case_id"),
        *texts("wait_key", "form", "role", "by"),
        *json("answers"),
        *moments("decided_at"),
        sa.Column("wake_id", sa.Integer(), nullable=True),
        refers("case_id", "case"),
        refers("wake_id", "wake"),
        sa.UniqueConstraint("case_id", "wait_key"),
    )
    op.create_table(
        "deadline",
        sa.Column("id", sa.Integer(), primary_key=True),
        *numbers("case_id"),
        *texts("kind"),
        *moments("due_at"),
        sa.Column("over", sa.Boolean(), nullable=False),
        refers("case_id", "case"),
    )
    op.create_table(
        "ticket",
        sa.Column("external_id", sa.String(), primary_key=True),
        *numbers("case_id"),
        *texts("ticket_id", "unit", "status", "status_reason"),
        *moments("status_since"),
        sa.Column("open", sa.Boolean(), nullable=False),
        refers("case_id", "case"),
    )


def downgrade() -> None:
    names = "ticket deadline decision wake wait activityrecord bounce outbox letter kept party message case"
    for table in names.split():
        op.drop_table(table)
