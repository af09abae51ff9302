"""What the service knows together of back-office systems, and the settings that it runs with."""

import sqlalchemy as sa
from alembic import op

from models import tables

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "back_office",
        sa.Column("name", sa.String(), primary_key=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("since", tables.UtcDateTime(), nullable=True),
        sa.Column("why", sa.String(), nullable=False),
        sa.Column("until", tables.UtcDateTime(), nullable=True),
        sa.Column("asked", sa.Boolean(), nullable=False),
        sa.Column("probing", sa.Boolean(), nullable=False),
        sa.Column("left_out", sa.String(), nullable=False),
        sa.Column("left_out_at", tables.UtcDateTime(), nullable=True),
    )
    op.create_table(
        "under_way",
        sa.Column("system", sa.String(), primary_key=True),
        sa.Column("key", sa.String(), primary_key=True),
        sa.Column("monitor", sa.String(), nullable=False),
        sa.Column("since", tables.UtcDateTime(), nullable=False),
    )
    op.create_table(
        "service",
        sa.Column("host", sa.String(), primary_key=True),
        sa.Column("settings", sa.JSON(), nullable=False),
        sa.Column("seen_at", tables.UtcDateTime(), nullable=False),
    )


def downgrade() -> None:
    for name in ("service", "under_way", "back_office"):
        op.drop_table(name)
