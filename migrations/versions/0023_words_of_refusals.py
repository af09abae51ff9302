"""The relay's words about a letter that it refuses."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("outbox", sa.Column("words", sa.String(), nullable=False, server_default=""))


def downgrade() -> None:
    op.drop_column("outbox", "words")
