"""Two processes hammer one contract on one ledger; one is killed in the midst of a lease and starts again."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from tests.e2e.hammer import BUDGET, opened, stock
from tests.made import START

from fieldline.stores import open_ledger
from fieldline.units import HOUR

ROOT = Path(__file__).parents[2]
END = START + 6 * HOUR
FIFTH = "5"
PATIENCE = 300
"""Seconds: kernels compile for long where nothing is cached yet."""


def test_two_engines_never_spend_more_than_one_budget(tmp_path: Path) -> None:
    """One dies by kill −9 between ledger and log; together they still spend 90–100% of the budget, to the micro-yuan.

    In the end the logs' spend is the ledger's, the owner has paid exactly that, and every balance is its postings'.
    """
    money = f"sqlite:///{tmp_path / 'money.sqlite'}"
    first = opened(tmp_path / "a", "a", money)
    stock(first, START, END)
    first.close()
    running = [run(tmp_path / "a", "a", money, FIFTH), run(tmp_path / "b", "b", money)]
    ledger = open_ledger(money)
    try:
        assert running[0].wait(PATIENCE) == -signal.SIGKILL
        assert ledger.balance("contract:shop@a") > 0
        running.append(run(tmp_path / "a", "a", money))
        assert [process.wait(PATIENCE) for process in running[1:]] == [0, 0]
    finally:
        for process in running:
            process.kill()
    spent = {}
    for name in ("a", "b"):
        app = opened(tmp_path / name, name, money)
        spent[name] = int(app.state.book.spent[0])
        assert spent[name] > 0
        app.close()
    total = sum(spent.values())
    balances = {account: amount for account, amount in ledger.balances().items() if amount}
    assert 0.9 * BUDGET <= total <= BUDGET
    assert balances == {"merchant:merchant-1": -total, "platform:promotion": total}
    assert ledger.verify() == ()
    ledger.close()


def run(folder: Path, name: str, money: str, *lease: str) -> "subprocess.Popen[bytes]":
    """Start one of the engines."""
    return subprocess.Popen(
        [sys.executable, "-m", "tests.e2e.hammer", str(folder), name, money, str(START), str(END), *lease],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}"},
    )
