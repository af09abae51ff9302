"""What ends or informs a wait from outside is a signal; one that no wait took says why."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

RETIRED = {
    "refused: the case is %": "case_ended",
    "no longer due after %": "not_due",
    "it is sent again": "sent_again",
    "refused: the merger was undone": "unmerged",
    "split: %": "split",
    "refused: the letter cannot be written": "no_letter",
}
"""What stood in ``taken_by`` where no wait had taken it."""


def upgrade() -> None:
    for name in ("case_id", "taken_at"):
        op.drop_index(f"ix_wake_{name}", "wake")
    op.rename_table("wake", "signal")
    op.execute("ALTER TABLE decision RENAME COLUMN wake_id TO signal_id")
    with op.batch_alter_table("signal") as batch:
        batch.add_column(sa.Column("retired", sa.String(), nullable=False, server_default=""))
        for name in ("case_id", "taken_at"):
            batch.create_index(f"ix_signal_{name}", [name])
    signal = sa.table("signal", sa.column("taken_by"), sa.column("retired"))
    for words, reason in RETIRED.items():
        op.execute(signal.update().where(signal.c.taken_by.like(words)).values(retired=reason, taken_by=""))


def downgrade() -> None:
    signal = sa.table("signal", sa.column("taken_by"), sa.column("retired"))
    for words, reason in RETIRED.items():
        op.execute(signal.update().where(signal.c.retired == reason).values(taken_by=words.removesuffix("%")))
    with op.batch_alter_table("signal") as batch:
        for name in ("case_id", "taken_at"):
            batch.drop_index(f"ix_signal_{name}")
        batch.drop_column("retired")
    op.execute("ALTER TABLE decision RENAME COLUMN signal_id TO wake_id")
    op.rename_table("signal", "wake")
    for name in ("case_id", "taken_at"):
        op.create_index(f"ix_wake_{name}", "wake", [name])
