"""The mailbox of an address without what stands behind a plus: limits count by it."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

KEYS = (("message", "sender", "received_at"), ("letter", "recipient", "written_at"))


def upgrade() -> None:
    for table, address, at in KEYS:
        with op.batch_alter_table(table) as batch_op:
            batch_op.add_column(sa.Column(f"{address}_key", sa.String(), nullable=False, server_default=""))
        # limits look back a day: what stands behind a plus may count for itself so long
        op.execute(f"UPDATE {table} SET {address}_key = {address}")  # noqa: S608 the names above
        op.create_index(f"ix_{table}_{address}_key", table, [f"{address}_key", at])
    op.drop_index("ix_message_sender", "message")


def downgrade() -> None:
    op.create_index("ix_message_sender", "message", ["sender", "received_at"])
    for table, address, _ in KEYS:
        op.drop_index(f"ix_{table}_{address}_key", table)
        with op.batch_alter_table(table) as batch_op:
            batch_op.drop_column(f"{address}_key")
