"""A plain log of one action a row, as a Parquet or CSV file with propensities.

| column | |
|--|--|
| propensity | chance with which the logging policy took the logged action, in (0, 1] |
| reward | what came of it, a finite number |
| target_propensity | chance with which the other policy would take the logged action, in [0, 1] |
| action, target_action | instead of it: the logged action, and the one that the other policy would take for certain |
| q_logged, q_target | optional, both: a model's reward of the logged action, and its mean under the other policy |
| group | optional: whose row it is (a viewer); intervals take a group's rows together |

Other columns are not read. Without q_logged and q_target the model is the mean reward.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fieldline.errors import Refused
from fieldline.learn.ope.estimators import Floats, Ints, Sample

NAMES = ("log.parquet", "log.csv")


class Table(NamedTuple):
    """A plain log, checked."""

    propensity: Floats  # [n]
    reward: Floats  # [n]
    target: Floats  # [n]
    predicted: Floats  # [n] q_logged
    expected: Floats  # [n] q_target
    group: Ints  # [n]
    modelled: bool  # whether the log brought predictions


def log_in(folder: Path) -> Path | None:
    """Return the plain log of a folder: log.parquet, else log.csv, else None."""
    return next((folder / name for name in NAMES if (folder / name).is_file()), None)


def sample_of(table: Table) -> Sample:
    """Return a plain log as a sample, w = target_propensity/propensity."""
    rounds = len(table.reward)
    ones = np.ones(rounds)
    return Sample(
        weight=table.target / table.propensity,
        reward=table.reward,
        predicted=table.predicted,
        exposure=ones,
        round=np.arange(rounds),
        target=table.expected,
        exposed=ones,
        group=table.group,
    )


def read_table(path: Path) -> Table:
    """Return a plain log (its columns stand at the top of this module).

    Raises:
        Refused: the file cannot be read, a column is missing, or a value cannot be so; file, column and row (the
            first is 1) are named.
    """
    source = _Source(path)
    for name in ("propensity", "reward"):
        if name not in source.columns:
            raise Refused(f"{path}: column {name}", f"is missing; there are: {', '.join(source.columns)}")
    propensity = source.numbers("propensity")
    source.hold("propensity", (propensity > 0.0) & (propensity <= 1.0), "is not in (0, 1]")
    reward = source.numbers("reward")
    if "target_propensity" in source.columns:
        target = source.numbers("target_propensity")
        source.hold("target_propensity", (target >= 0.0) & (target <= 1.0), "is not in [0, 1]")
    elif {"action", "target_action"} <= set(source.columns):
        target = (source.words("action") == source.words("target_action")).astype(np.float64)
    else:
        raise Refused(
            f"{path}: column target_propensity",
            "is missing, and so are action and target_action, from which it could be told",
        )
    modelled = [name in source.columns for name in ("q_logged", "q_target")]
    if modelled[0] != modelled[1]:
        there, missing = ("q_logged", "q_target") if modelled[0] else ("q_target", "q_logged")
        raise Refused(f"{path}: column {missing}", f"is missing; {there} is of no use without it")
    mean = np.full(len(reward), reward.mean())
    return Table(
        propensity=propensity,
        reward=reward,
        target=target,
        predicted=source.numbers("q_logged") if modelled[0] else mean,
        expected=source.numbers("q_target") if modelled[0] else mean,
        group=source.groups() if "group" in source.columns else np.arange(len(reward)),
        modelled=modelled[0],
    )


class _Source:
    """A Parquet or CSV file, column by column; CSV is read as text, so that a row can be named."""

    def __init__(self, path: Path) -> None:
        import duckdb

        self.path = path
        literal = str(path).replace("'", "''")
        reader = (
            "read_parquet('{}')"
            if path.suffix == ".parquet"
            else "read_csv('{}', header = true, all_varchar = true)"
        )
        self.connection = duckdb.connect(":memory:", config={"threads": 1})
        try:
            self.connection.execute(f"CREATE TABLE log AS SELECT * FROM {reader.format(literal)}")
        except (duckdb.Error, UnicodeDecodeError) as error:
            raise Refused(str(path), f"cannot be read: {str(error).splitlines()[0]}") from None
        described = self.connection.execute("DESCRIBE log").fetchall()
        self.columns = tuple(str(row[0]) for row in described)
        if not self.connection.execute("SELECT count(*) FROM log").fetchall()[0][0]:
            raise Refused(str(path), "has no rows")

    def numbers(self, name: str) -> Floats:
        """A column's finite numbers."""
        read = self.connection.execute(f'SELECT TRY_CAST("{name}" AS DOUBLE) AS number FROM log').fetchnumpy()
        values = np.ma.filled(read["number"].astype(np.float64), np.nan)
        self.hold(name, np.isfinite(values), "is no finite number")
        return values

    def words(self, name: str) -> NDArray[np.object_]:
        """A column as text."""
        read = self.connection.execute(f'SELECT CAST("{name}" AS VARCHAR) AS word FROM log').fetchall()
        words = np.array([row[0] for row in read], object)
        self.hold(name, np.array([word is not None for word in words]), "is empty")
        return words

    def groups(self) -> Ints:
        """The groups' numbers."""
        numbers: dict[str, int] = {}
        return np.array([numbers.setdefault(word, len(numbers)) for word in self.words("group")], np.int64)

    def hold(self, name: str, fine: NDArray[np.bool_], reason: str) -> None:
        """Refuse the first row that is not fine."""
        if not fine.all():
            row = int(np.flatnonzero(~fine)[0])
            shown = self.connection.execute(
                f'SELECT CAST("{name}" AS VARCHAR) FROM log LIMIT 1 OFFSET {row}'
            ).fetchall()[0][0]
            told = "an empty cell" if shown is None else repr(shown)[:60]
            raise Refused(f"{self.path}: column {name}, row {row + 1}", f"{told} {reason}")
