"""A place of a mailbox may come to hold another mail: a server put back to an earlier state gives UIDs anew."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

PLACE = ["mailbox", "uidvalidity", "uid"]
NAMES = {"uq": "uq_%(table_name)s_%(column_0_name)s"}
"""What SQLite's constraints, which have no names, are called here."""


def _replace(before: list[str], after: list[str]) -> None:
    found = sa.inspect(op.get_bind()).get_unique_constraints("message")
    name = next(one["name"] for one in found if one["column_names"] == before) or "uq_message_mailbox"
    with op.batch_alter_table("message", naming_convention=NAMES) as batch_op:
        batch_op.drop_constraint(name, type_="unique")
        batch_op.create_unique_constraint("uq_message_place", after)


def upgrade() -> None:
    _replace(PLACE, [*PLACE, "sha256"])


def downgrade() -> None:
    _replace([*PLACE, "sha256"], PLACE)
