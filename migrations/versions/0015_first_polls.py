"""When the service first saw each mailbox."""

import sqlalchemy as sa
from alembic import op

from models import tables

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "first_poll",
        sa.Column("mailbox", sa.String(), primary_key=True),
        sa.Column("seen_at", tables.UtcDateTime(), nullable=False),
        sa.Column("uidvalidity", sa.BigInteger(), nullable=False),
        sa.Column("agreed_at", tables.UtcDateTime(), nullable=True),
        sa.Column("agreed_by", sa.String(), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("first_poll")
