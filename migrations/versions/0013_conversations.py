"""Outlook's conversation of a mail."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("message") as batch_op:
        batch_op.add_column(sa.Column("conversation", sa.String(), nullable=False, server_default=""))
    op.create_index("ix_message_conversation", "message", ["conversation"])


def downgrade() -> None:
    op.drop_index("ix_message_conversation", "message")
    with op.batch_alter_table("message") as batch_op:
        batch_op.drop_column("conversation")
