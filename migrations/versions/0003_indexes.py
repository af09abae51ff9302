"""Indexes that the passes, intake and the report use, and none that they do not."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

NEW = {
    "ix_case_opened_at": ("case", ["opened_at"]),
    "ix_case_closed_at": ("case", ["closed_at"]),
    "ix_message_received_at": ("message", ["received_at"]),
    "ix_letter_written_at": ("letter", ["written_at"]),
    "ix_activityrecord_ended_at": ("activityrecord", ["ended_at"]),
    "ix_deadline_due": ("deadline", ["over", "due_at"]),
}
OLD = {
    "ix_case_service_number": ("case", ["service_number"]),
    "ix_case_customer_id": ("case", ["customer_id"]),
    "ix_letter_case_id": ("letter", ["case_id"]),
    "ix_activityrecord_case_id": ("activityrecord", ["case_id"]),
    "ix_decision_case_id": ("decision", ["case_id"]),
    "ix_wait_role": ("wait", ["role"]),
    "ix_deadline_due_at": ("deadline", ["due_at"]),
    "ix_deadline_over": ("deadline", ["over"]),
}
"""The keys of letters, records and decisions begin with the case."""

Indexes = dict[str, tuple[str, list[str]]]


def upgrade() -> None:
    _replace(OLD, NEW)


def downgrade() -> None:
    _replace(NEW, OLD)


def _replace(old: Indexes, new: Indexes) -> None:
    for name, (table, _) in old.items():
        op.drop_index(name, table)
    for name, (table, columns) in new.items():
        op.create_index(name, table, columns)
