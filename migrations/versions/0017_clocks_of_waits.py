"""Every wait has a clock, and routine letters keep office hours."""

import sqlalchemy as sa
from alembic import op

from models import tables

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Waits that are under way get their time from the monitor."""
    with op.batch_alter_table("wait") as batch:
        batch.add_column(sa.Column("due_at", tables.UtcDateTime(), nullable=True))
        for name in ("escalated_to", "shown_to", "about"):
            batch.add_column(sa.Column(name, sa.String(), nullable=False, server_default=""))
        batch.create_index("ix_wait_due_at", ["due_at"])
    with op.batch_alter_table("outbox") as batch:
        batch.add_column(sa.Column("routine", sa.Boolean(), nullable=False, server_default=sa.false()))


def downgrade() -> None:
    with op.batch_alter_table("outbox") as batch:
        batch.drop_column("routine")
    with op.batch_alter_table("wait") as batch:
        batch.drop_index("ix_wait_due_at")
        for name in ("about", "shown_to", "escalated_to", "due_at"):
            batch.drop_column(name)
