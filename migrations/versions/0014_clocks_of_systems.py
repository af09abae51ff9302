"""What a system said of a ticket's times where that cannot be."""

import sqlalchemy as sa
from alembic import op

from models import tables

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("ticket") as batch_op:
        batch_op.add_column(sa.Column("said_since", tables.UtcDateTime(), nullable=True))
        batch_op.add_column(sa.Column("said_by", sa.String(), nullable=False, server_default=""))


def downgrade() -> None:
    with op.batch_alter_table("ticket") as batch_op:
        batch_op.drop_column("said_by")
        batch_op.drop_column("said_since")
