"""Records and ledger."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

number = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Make the first tables."""
    op.create_table(
        "counters",
        sa.Column("name", sa.String(32), primary_key=True),
        sa.Column("value", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "catalogue",
        sa.Column("kind", sa.String(32), primary_key=True),
        sa.Column("id", sa.String(128), primary_key=True),
        sa.Column("doc", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("change", sa.BigInteger, nullable=False),
    )
    op.create_index("catalogue_by_change", "catalogue", ["change"])
    op.create_table(
        "wishes",
        sa.Column("id", sa.String(128), primary_key=True),
        sa.Column("offer", sa.String(64), nullable=False),
        sa.Column("owner", sa.String(128), nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("terms", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("change", sa.BigInteger, nullable=False),
        sa.Column("paused", sa.Boolean, nullable=False),
        sa.Column("paused_at", sa.BigInteger),
        sa.Column("paused_change", sa.BigInteger),
    )
    op.create_index("wishes_by_change", "wishes", ["change"])
    op.create_index("wishes_by_paused_change", "wishes", ["paused_change"])
    op.create_table(
        "erased",
        sa.Column("id", sa.String(128), primary_key=True),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("change", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "audit",
        sa.Column("n", number, primary_key=True, autoincrement=True),
        sa.Column("subject", sa.String(200), nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("by", sa.String(200), nullable=False),
        sa.Column("before", sa.Text),
        sa.Column("after", sa.Text, nullable=False),
    )
    op.create_index("audit_by_subject", "audit", ["subject", "n"])
    op.create_table(
        "entries",
        sa.Column("n", number, primary_key=True, autoincrement=True),
        sa.Column("key", sa.String(300), nullable=False, unique=True),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("digest", sa.String(32), nullable=False),
    )
    op.create_table(
        "postings",
        sa.Column("n", number, primary_key=True, autoincrement=True),
        sa.Column("entry", number, sa.ForeignKey("entries.n"), nullable=False),
        sa.Column("account", sa.String(200), nullable=False),
        sa.Column("amount", sa.BigInteger, nullable=False),
    )
    op.create_index("postings_by_entry", "postings", ["entry"])
    op.create_index("postings_by_account", "postings", ["account"])
    op.create_table(
        "balances",
        sa.Column("account", sa.String(200), primary_key=True),
        sa.Column("balance", sa.BigInteger, nullable=False),
    )
