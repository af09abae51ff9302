"""Parties who stood in Cc of the customer's mail, and those who get copies of letters."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("party") as batch_op:
        batch_op.add_column(sa.Column("copied", sa.Boolean(), nullable=False, server_default=sa.false()))
        batch_op.add_column(sa.Column("letters", sa.Boolean(), nullable=False, server_default=sa.false()))


def downgrade() -> None:
    with op.batch_alter_table("party") as batch_op:
        batch_op.drop_column("letters")
        batch_op.drop_column("copied")
