"""The answer that somebody gave to a run which could not go on."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("wait") as batch_op:
        batch_op.add_column(sa.Column("given", sa.JSON(), nullable=False, server_default="{}"))


def downgrade() -> None:
    with op.batch_alter_table("wait") as batch_op:
        batch_op.drop_column("given")
