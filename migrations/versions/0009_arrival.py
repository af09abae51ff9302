"""When a mail came to the mailbox, beside the moment of its intake."""

import sqlalchemy as sa
from alembic import op

from models import tables

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("message") as batch_op:
        batch_op.add_column(sa.Column("arrived_at", tables.UtcDateTime(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("message") as batch_op:
        batch_op.drop_column("arrived_at")
