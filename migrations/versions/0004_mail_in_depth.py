"""Parties and merged cases, bounces, and what is known of a mail's sender and content."""

import sqlalchemy as sa
from alembic import op

from models import tables

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

INDEXES = {
    "ix_case_merged_into": ("case", ["merged_into"]),
    "ix_message_content": ("message", ["content"]),
    "ix_message_sender": ("message", ["sender", "received_at"]),
    "ix_letter_recipient": ("letter", ["recipient", "written_at"]),
}


def upgrade() -> None:
    with op.batch_alter_table("case") as batch_op:
        batch_op.add_column(sa.Column("merged_into", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("sender_doubt", sa.String(), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("token", sa.String(), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("perhaps_id", sa.Integer(), nullable=True))
        batch_op.create_foreign_key("fk_case_merged_into", "case", ["merged_into"], ["id"])
        batch_op.create_foreign_key("fk_case_perhaps_id", "case", ["perhaps_id"], ["id"])
    with op.batch_alter_table("message") as batch_op:
        batch_op.add_column(sa.Column("content", sa.String(), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("warnings", sa.JSON(), nullable=False, server_default="[]"))
    with op.batch_alter_table("outbox") as batch_op:
        batch_op.add_column(sa.Column("tries", sa.Integer(), nullable=False, server_default="1"))
        batch_op.add_column(sa.Column("handled", sa.Boolean(), nullable=False, server_default=sa.false()))
    for name, (table, columns) in INDEXES.items():
        op.create_index(name, table, columns)
    op.create_table(
        "bounce",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("letter_id", sa.Integer(), nullable=False),
        sa.Column("mail_id", sa.Integer(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("hard", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["letter_id"], ["letter.id"]),
        sa.ForeignKeyConstraint(["mail_id"], ["message.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_bounce_letter_id", "bounce", ["letter_id"])
    op.create_index("ix_bounce_mail_id", "bounce", ["mail_id"])
    op.create_table(
        "party",
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("added_by", sa.String(), nullable=False),
        sa.Column("added_at", tables.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"]),
        sa.PrimaryKeyConstraint("case_id", "address"),
    )
    op.create_index("ix_party_address", "party", ["address"])


def downgrade() -> None:
    op.drop_table("party")
    op.drop_table("bounce")
    for name, (table, _) in INDEXES.items():
        op.drop_index(name, table)
    with op.batch_alter_table("outbox") as batch_op:
        batch_op.drop_column("handled")
        batch_op.drop_column("tries")
    with op.batch_alter_table("message") as batch_op:
        batch_op.drop_column("warnings")
        batch_op.drop_column("content")
    with op.batch_alter_table("case") as batch_op:
        batch_op.drop_constraint("fk_case_perhaps_id", type_="foreignkey")
        batch_op.drop_constraint("fk_case_merged_into", type_="foreignkey")
        batch_op.drop_column("perhaps_id")
        batch_op.drop_column("token")
        batch_op.drop_column("sender_doubt")
        batch_op.drop_column("merged_into")
