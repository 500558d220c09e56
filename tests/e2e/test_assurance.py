"""`fieldline assurance`: the log alone gives the ledger's entry, whatever the engine went through."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from tests.unit.test_assured import FINAL, KEY, pass_to
from typer.testing import CliRunner, Result

from fieldline.app import Fieldline
from fieldline.cli.assurance import assurance
from fieldline.errors import Refused, Unknown
from fieldline.stores import open_ledger
from fieldline.units import DAY, Instant, Micros

ROOT = Path(__file__).parents[2]
DATE = "2022-04-25"
PATIENCE = 300


def made(data: Path, *when: str) -> int:
    """Make the data folder, or go on with it; return how the process ended."""
    env = os.environ | {"PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}"}
    words = [sys.executable, "-m", "tests.e2e.assured_day", str(data), *when]
    return subprocess.run(words, cwd=ROOT, env=env, timeout=PATIENCE, check=False).returncode


def ask(data: Path, campaign: str = "shop", day: str = DATE, money: str = "") -> Result:
    """Run the command."""
    app = typer.Typer()
    app.command()(assurance)
    return CliRunner().invoke(app, [campaign, day, "--data", str(data), "--money", money])


def paid(data: Path) -> dict[str, Micros]:
    """What the ledger has given for assured days, by account."""
    ledger = open_ledger(f"sqlite:///{data / 'records.sqlite'}")
    entry = ledger.posted(KEY)
    assert entry is not None
    assert ledger.balance("platform:assurance") == entry["platform:assurance"], "one entry, or more than one"
    assert ledger.verify() == ()
    ledger.close()
    return entry


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder whose day was credited by an engine that was killed just after that, and started again."""
    path = tmp_path_factory.mktemp("assured") / "data"
    assert made(path, "after") == -signal.SIGKILL
    assert made(path) == 0
    return path


def test_the_log_gives_the_ledgers_entry(data: Path) -> None:
    """The command prints the formula, the state and the entry, and exits 0: they are the same to the micro-yuan."""
    result = ask(data)
    credit = paid(data)["merchant:merchant-1"]
    assert result.exit_code == 0, result.output
    assert "state   paid: fell_short" in result.output
    assert f"credit  {credit / 1e6:.6f} yuan" in result.output
    assert f"ledger  {credit / 1e6:.6f} yuan to merchant:merchant-1" in result.output
    assert credit > 0


def test_it_reads_beside_a_running_engine_and_changes_nothing(data: Path) -> None:
    """With the folder in use the answer is the same, and no file of the log is touched."""
    with_nobody = ask(data).output
    app = Fieldline.open(data, None)
    files = {path: path.stat().st_mtime_ns for path in sorted((data / "log").iterdir())}
    assert ask(data).output == with_nobody
    assert {path: path.stat().st_mtime_ns for path in sorted((data / "log").iterdir())} == files
    app.close()


def test_a_difference_is_exit_status_1(data: Path, tmp_path: Path) -> None:
    """Beside another ledger, empty or with another amount, the command says so and exits 1."""
    money = f"sqlite:///{tmp_path / 'other.sqlite'}"
    ledger = open_ledger(money)
    missing = ask(data, money=money)
    assert missing.exit_code == 1
    assert "no entry" in missing.output
    assert "DIFFERS" in missing.output
    ledger.post(KEY, Instant(FINAL), [("platform:assurance", Micros(-1)), ("merchant:merchant-1", Micros(1))])
    ledger.close()
    assert ask(data, money=money).exit_code == 1


def test_a_day_that_is_not_confirmed_is_owed_nothing_yet(data: Path) -> None:
    """Of the next day nothing is due, and the ledger has nothing."""
    result = ask(data, day="2022-04-28")
    assert result.exit_code == 0, result.output
    assert "credit  0.000000 yuan" in result.output
    assert "no entry" in result.output


def test_what_it_cannot_answer_is_refused(data: Path) -> None:
    """An unknown campaign and a day that is none are refused by name."""
    assert isinstance(ask(data, campaign="nobody").exception, Unknown)
    refused = ask(data, day="yesterday").exception
    assert isinstance(refused, Refused)
    assert refused.field == "day"


def test_an_engine_that_dies_before_it_pays_pays_once(tmp_path: Path) -> None:
    """Killed between log and ledger, the engine pays at its next start, once, and never again."""
    data = tmp_path / "data"
    assert made(data, "before") == -signal.SIGKILL
    assert made(data) == 0
    before = paid(data)
    app = Fieldline.open(data, None)
    pass_to(app, FINAL + 2 * DAY)
    app.close()
    assert paid(data) == before
    assert ask(data).exit_code == 0
