"""Facts as columns: the DuckDB type of each field of each fact type, and the JSON lines that fill them."""

from typing import get_args

import msgspec
from msgspec import inspect

from fieldline.facts import AnyFact, Fact

FACTS: dict[str, type[Fact]] = {str(fact.__struct_config__.tag): fact for fact in get_args(AnyFact)}
"""The types of facts by their tag, which is also the name of their table."""

_SCALARS: tuple[tuple[type[inspect.Type], str], ...] = (
    (inspect.BoolType, "BOOLEAN"),
    (inspect.IntType, "BIGINT"),
    (inspect.FloatType, "DOUBLE"),
    (inspect.StrType, "VARCHAR"),
    (inspect.LiteralType, "VARCHAR"),
    (inspect.BytesType, "BLOB"),
)


def tag_of(fact: Fact) -> str:
    """Return the tag of a fact's type."""
    return str(fact.__struct_config__.tag)


def columns_of(tag: str) -> dict[str, str]:
    """Return the columns of a type of fact with their DuckDB types; `position` is its place in the log."""
    info = inspect.type_info(FACTS[tag])
    if not isinstance(info, inspect.StructType):
        raise TypeError(f"{tag} is no struct")
    return {"position": "BIGINT"} | {field.encode_name: _column(field.type) for field in info.fields}


def json_line(position: int, fact: Fact) -> bytes:
    """Return a fact as a line that `read_sql` reads."""
    return b'{"position":%d,%b\n' % (position, msgspec.json.encode(fact)[1:])


def read_sql(tag: str, file: str) -> str:
    """Return the SELECT that reads a file of JSON lines of one type of fact."""
    columns = columns_of(tag)
    blobs = [name for name, kind in columns.items() if kind == "BLOB"]
    read = ", ".join(f"{quoted(n)}: {text('VARCHAR' if k == 'BLOB' else k)}" for n, k in columns.items())
    decoded = ", ".join(f"from_base64({quoted(name)}) AS {quoted(name)}" for name in blobs)
    chosen = f"* REPLACE ({decoded})" if decoded else "*"
    return f"SELECT {chosen} FROM read_json({text(file)}, format = 'newline_delimited', columns = {{{read}}})"


def none_sql(tag: str) -> str:
    """Return the SELECT that has the columns of a type of fact and no row."""
    nulls = ", ".join(f"CAST(NULL AS {kind}) AS {quoted(name)}" for name, kind in columns_of(tag).items())
    return f"SELECT {nulls} WHERE false"


def quoted(name: str) -> str:
    """Return a name as SQL writes it."""
    return '"' + name.replace('"', '""') + '"'


def text(value: str) -> str:
    """Return a text as SQL writes it."""
    return "'" + value.replace("'", "''") + "'"


def _column(kind: inspect.Type) -> str:
    if isinstance(kind, inspect.Metadata):
        return _column(kind.type)
    if isinstance(kind, inspect.UnionType):
        (kept,) = (other for other in kind.types if not isinstance(other, inspect.NoneType))
        return _column(kept)
    if isinstance(kind, inspect.VarTupleType):
        return f"{_column(kind.item_type)}[]"
    if isinstance(kind, inspect.StructType):
        fields = [f"{quoted(field.encode_name)} {_column(field.type)}" for field in kind.fields]
        return f"STRUCT({', '.join(fields)})"
    return next(column for scalar, column in _SCALARS if isinstance(kind, scalar))
