"""When wishes were ended before their time."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Let a wish say when it was ended, and by which change."""
    op.add_column("wishes", sa.Column("ended_at", sa.BigInteger))
    op.add_column("wishes", sa.Column("ended_change", sa.BigInteger))
    op.create_index("wishes_by_ended_change", "wishes", ["ended_change"])
