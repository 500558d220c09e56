"""`python -m bench.uplift --data DIR`: whom a campaign changes, on the Hillstrom e-mail experiment (64,000 customers).

Fitted on one half, judged on the other, for each of ten splits: the area under the uplift curve of visits by
predicted uplift, by predicted response (what attribution credits), and without any order.
"""

import argparse
from pathlib import Path

import duckdb
import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from fieldline.learn.uplift import Settings, auuc, fit, response

SPLITS = 10
ARMS = ("Womens E-Mail", "Mens E-Mail")
QUERY = """
select recency, history, mens, womens, newbie, zip_code = 'Urban' as urban, zip_code = 'Rural' as rural,
       channel = 'Web' as web, channel = 'Phone' as phone, segment = $2 as treated, visit
from read_csv($1) where segment in ($2, 'No E-Mail')
"""


def measure(file: Path, arm: str) -> NDArray[np.float64]:
    """Return the areas [splits, 3]: by uplift, by response, without order.

    Args:
        file: hillstrom_email.csv.gz.
        arm: which e-mail, against none.
    """
    with duckdb.connect() as db:
        columns = db.execute(QUERY, [str(file), arm]).fetchnumpy()
    rows = np.stack([np.asarray(columns[name], np.float64) for name in list(columns)[:9]], axis=1)
    treated, visit = np.asarray(columns["treated"], bool), np.asarray(columns["visit"], np.float64)
    areas = []
    for split in range(SPLITS):
        learned = np.random.default_rng(split).permutation(len(rows)) % 2 == 0
        judged = ~learned
        models = [
            make(rows[learned], treated[learned], visit[learned], Settings(seed=split + 1))
            for make in (fit, response)
        ]
        scores = [model.predict(rows[judged]) for model in models]
        told = (treated[judged], visit[judged])
        whole = told[1][told[0]].mean() - told[1][~told[0]].mean()
        areas.append([*(auuc(score, *told) for score in scores), whole / 2.0])
    return np.array(areas)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, metavar="DIR")
    file = parser.parse_args().data / "hillstrom_email.csv.gz"
    table = Table("visits, against no e-mail", "by uplift", "by response", "no order", "uplift better", "of")
    for arm in ARMS:
        areas = measure(file, arm)
        means = [f"{area:.5f}" for area in areas.mean(axis=0)]
        table.add_row(arm, *means, str(int((areas[:, 0] > areas[:, 1]).sum())), str(SPLITS))
    Console().print(table)


if __name__ == "__main__":
    main()
