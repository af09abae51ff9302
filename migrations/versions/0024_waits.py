"""Columns for why a wait was asked again or escalated; an index by which the monitor finds what is due."""

import re

import sqlalchemy as sa
from alembic import op

from models import tables

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

STALE = sa.text("escalated_to <> shown_to")


def upgrade() -> None:
    with op.batch_alter_table("wait") as batch:
        batch.add_column(sa.Column("asked_after", sa.String(), nullable=True))
        batch.add_column(sa.Column("escalated_for", sa.String(), nullable=True))
        batch.add_column(sa.Column("watch_at", tables.UtcDateTime(), nullable=True))
    _fill()
    with op.batch_alter_table("wait") as batch:
        batch.drop_index("ix_wait_due_at")
        batch.create_index("ix_wait_watch_at", ["watch_at"])
    op.create_index("ix_wait_stale", "wait", ["case_id"], sqlite_where=STALE, postgresql_where=STALE)


def _fill() -> None:
    """What the code of 0023 read from keys and descriptions."""
    connection = op.get_bind()
    wait, case, record = (
        sa.Table(name, sa.MetaData(), autoload_with=connection) for name in ("wait", "case", "activityrecord")
    )
    # one without a time of its own is looked at once, and gets one then
    connection.execute(wait.update().values(watch_at=wait.c.due_at))
    query = sa.select(wait, case.c.site).join(case, case.c.id == wait.c.case_id)
    for row in connection.execute(query).mappings().all():
        filled: dict[str, object] = {}
        if not row["about"]:
            filled["about"] = row["description"].partition(f"\n\n- **{row['site']}-{row['case_id']:07d}**")[0]
        of_case = record.c.case_id == row["case_id"]
        if again := re.fullmatch(r"(.*)-r(\d+)", row["wait_key"]):
            before = (record.c.name == again[1], record.c.attempt == int(again[2]) - 1)
            filled["asked_after"] = connection.execute(sa.select(record.c.state).where(of_case, *before)).scalar()
        if row["escalated_to"]:
            raised = sa.select(record.c.output).where(
                of_case, record.c.name == "escalate_wait", record.c.state == "done"
            )
            latest = connection.execute(raised.order_by(record.c.id.desc()).limit(1)).scalar() or {}
            filled["escalated_for"] = latest.get("reason", "overdue")
        if filled:
            connection.execute(wait.update().where(wait.c.case_id == row["case_id"]).values(**filled))


def downgrade() -> None:
    op.drop_index("ix_wait_stale", "wait")
    with op.batch_alter_table("wait") as batch:
        batch.drop_index("ix_wait_watch_at")
        for name in ("asked_after", "escalated_for", "watch_at"):
            batch.drop_column(name)
        batch.create_index("ix_wait_due_at", ["due_at"])
