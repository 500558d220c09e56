"""What people ask for beside catalogue and contracts, and which engine has heard how much."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Keep the last word on each matter, and the last change that each engine's log holds."""
    op.create_table(
        "asked",
        sa.Column("kind", sa.String(32), primary_key=True),
        sa.Column("id", sa.String(128), primary_key=True),
        sa.Column("part", sa.String(64), primary_key=True),
        sa.Column("doc", sa.Text, nullable=False),
        sa.Column("change", sa.BigInteger, nullable=False),
    )
    op.create_index("asked_by_change", "asked", ["change"])
    op.create_table(
        "heard",
        sa.Column("node", sa.String(32), primary_key=True),
        sa.Column("change", sa.BigInteger, nullable=False),
    )
