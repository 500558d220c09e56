"""The tables of records and ledger; `migrations/` makes them."""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, MetaData, String, Table, Text

metadata = MetaData()
_number = BigInteger().with_variant(Integer, "sqlite")  # SQLite counts up in INTEGER keys alone

counters = Table(
    "counters",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("value", BigInteger, nullable=False),
)
catalogue = Table(
    "catalogue",
    metadata,
    Column("kind", String(32), primary_key=True),
    Column("id", String(128), primary_key=True),
    Column("doc", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("change", BigInteger, nullable=False),
    Index("catalogue_by_change", "change"),
)
wishes = Table(
    "wishes",
    metadata,
    Column("id", String(128), primary_key=True),
    Column("offer", String(64), nullable=False),
    Column("owner", String(128), nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("terms", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("change", BigInteger, nullable=False),
    Column("paused", Boolean, nullable=False),
    Column("paused_at", BigInteger),
    Column("paused_change", BigInteger),
    Column("ended_at", BigInteger),
    Column("ended_change", BigInteger),
    Index("wishes_by_change", "change"),
    Index("wishes_by_paused_change", "paused_change"),
    Index("wishes_by_ended_change", "ended_change"),
)
asked = Table(
    "asked",
    metadata,
    Column("kind", String(32), primary_key=True),
    Column("id", String(128), primary_key=True),
    Column("part", String(64), primary_key=True),
    Column("doc", Text, nullable=False),
    Column("change", BigInteger, nullable=False),
    Index("asked_by_change", "change"),
)
heard = Table(
    "heard",
    metadata,
    Column("node", String(32), primary_key=True),
    Column("change", BigInteger, nullable=False),
)
erased = Table(
    "erased",
    metadata,
    Column("id", String(128), primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("change", BigInteger, nullable=False),
)
audit = Table(
    "audit",
    metadata,
    Column("n", _number, primary_key=True, autoincrement=True),
    Column("subject", String(200), nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("by", String(200), nullable=False),
    Column("before", Text),
    Column("after", Text, nullable=False),
    Index("audit_by_subject", "subject", "n"),
)
entries = Table(
    "entries",
    metadata,
    Column("n", _number, primary_key=True, autoincrement=True),
    Column("key", String(300), nullable=False, unique=True),
    Column("at", BigInteger, nullable=False),
    Column("note", Text, nullable=False),
    Column("digest", String(32), nullable=False),
)
postings = Table(
    "postings",
    metadata,
    Column("n", _number, primary_key=True, autoincrement=True),
    Column("entry", _number, ForeignKey("entries.n"), nullable=False),
    Column("account", String(200), nullable=False),
    Column("amount", BigInteger, nullable=False),
    Index("postings_by_entry", "entry"),
    Index("postings_by_account", "account"),
)
balances = Table(
    "balances",
    metadata,
    Column("account", String(200), primary_key=True),
    Column("balance", BigInteger, nullable=False),
)
