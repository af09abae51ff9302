"""Staff, claims, notes and who has answered."""

import sqlalchemy as sa
from alembic import op

from models import tables

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "staff",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("roles", sa.JSON(), nullable=False),
        sa.Column("site", sa.String(), nullable=True),
        sa.Column("languages", sa.JSON(), nullable=False),
        sa.Column("hours", sa.String(), nullable=False),
        sa.Column("leader_id", sa.Integer(), nullable=True),
        sa.Column("deputy_id", sa.Integer(), nullable=True),
        sa.Column("absent_from", tables.UtcDateTime(), nullable=True),
        sa.Column("absent_until", tables.UtcDateTime(), nullable=True),
        sa.Column("password", sa.String(), nullable=False),
        sa.Column("password_expires", tables.UtcDateTime(), nullable=True),
        sa.Column("code_secret", sa.String(), nullable=False),
        sa.Column("code_used", sa.Integer(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("locked_until", tables.UtcDateTime(), nullable=True),
        sa.Column("sessions", sa.Integer(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deputy_id"],
            ["staff.id"],
        ),
        sa.ForeignKeyConstraint(
            ["leader_id"],
            ["staff.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("email"),
        sa.UniqueConstraint("name"),
    )
    op.create_table(
        "claim",
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column("wait_key", sa.String(), nullable=False),
        sa.Column("staff_id", sa.Integer(), nullable=False),
        sa.Column("until", tables.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["case_id"],
            ["case.id"],
        ),
        sa.ForeignKeyConstraint(
            ["staff_id"],
            ["staff.id"],
        ),
        sa.PrimaryKeyConstraint("case_id"),
    )
    op.create_table(
        "note",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column("staff_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("written_at", tables.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["case_id"],
            ["case.id"],
        ),
        sa.ForeignKeyConstraint(
            ["staff_id"],
            ["staff.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("note", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_note_case_id"), ["case_id"], unique=False)

    with op.batch_alter_table("decision", schema=None) as batch_op:
        batch_op.add_column(sa.Column("staff_id", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("signed_in", sa.String(), nullable=False, server_default=""))

    with op.batch_alter_table("wait", schema=None) as batch_op:
        batch_op.add_column(sa.Column("given_by", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("given_how", sa.String(), nullable=False, server_default=""))

    with op.batch_alter_table("decision") as batch_op:
        batch_op.alter_column("signed_in", server_default=None)
    with op.batch_alter_table("wait") as batch_op:
        batch_op.alter_column("given_how", server_default=None)


def downgrade() -> None:
    with op.batch_alter_table("wait", schema=None) as batch_op:
        batch_op.drop_column("given_how")
        batch_op.drop_column("given_by")

    with op.batch_alter_table("decision", schema=None) as batch_op:
        batch_op.drop_column("signed_in")
        batch_op.drop_column("staff_id")

    with op.batch_alter_table("note", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_note_case_id"))

    op.drop_table("note")
    op.drop_table("claim")
    op.drop_table("staff")
