"""`fieldline replay kuairand` on a small made log, and on the real one where it is there."""

import json
from pathlib import Path

import duckdb
import numpy as np
import pytest
from typer.testing import CliRunner

from fieldline.cli import app
from fieldline.lab.replay.tiers import tiers

REAL = Path(__file__).parents[3] / "shared" / "data" / "kuairand"
KEYS = {
    "requests", "decisions_per_cpu_second", "click", "long_view", "popularity", "ndcg10", "gini", "tiers", "dial",
    "contracts",
}  # fmt: skip


def made(folder: Path, rows: int) -> Path:
    """A log of that many looks by 40 viewers at 120 videos of 60 authors, in two files."""
    looks = f"""
        select 1650812741436 + i * 60000 as time_ms, (i * 7) % 40 as user_id, (i * i + 3 * i) % 120 as video_id,
               (i * i + 3 * i) % 120 % 60 + 1000 as author_id, i % 3 as tab, (i % 5 < 2)::int as is_click,
               ((i * i + 3 * i) % 3 = 0)::int as long_view, 20000 as duration_ms, '1' as tag
        from range({rows}) t(i)"""
    folder.mkdir()
    with duckdb.connect() as db:
        for number, half in enumerate((f"i < {rows // 2}", f"i >= {rows // 2}")):
            path = folder / f"log_{number}.parquet"
            db.execute(f"copy (select * from ({looks} where {half})) to '{path}' (format parquet)")
    return folder


def replayed(folder: Path, out: Path, *more: str) -> dict[str, object]:
    result = CliRunner().invoke(app, ["replay", "kuairand", str(folder), "--json", str(out), *more])
    assert result.exit_code == 0, result.output
    assert "Predictions are made before each row is learned" in result.stdout
    figures: dict[str, object] = json.loads(out.read_text())
    return figures


def test_a_made_log_is_replayed_whole(tmp_path: Path) -> None:
    """Both files are read, every look is one request, and all figures but the speed come out the same twice."""
    folder = made(tmp_path / "log", 400)
    first, second = (replayed(folder, tmp_path / f"{i}.json") for i in range(2))
    assert set(first) == KEYS
    assert first["requests"] == 400
    del first["decisions_per_cpu_second"], second["decisions_per_cpu_second"]
    assert first == second


def test_exposure_is_told_by_tier(tmp_path: Path) -> None:
    """The twelve authors that the made log shows are ranked by it and by the engine: both rankings share out all
    exposure, and each has its own highest at its top."""
    tiers = replayed(made(tmp_path / "log", 400), tmp_path / "figures.json")["tiers"]
    assert isinstance(tiers, dict)
    for ranking, own in (("by_logged", "logged"), ("by_engine", "engine")):
        of = tiers[ranking]
        assert [(tier["name"], tier["authors"]) for tier in of] == [("head", 0), ("middle", 2), ("tail", 10)]
        for exposure in ("logged", "engine"):
            assert sum(tier[exposure] for tier in of) == pytest.approx(1.0)
        assert of[1][own] / 2 >= of[2][own] / 10
    assert tiers["by_engine"][1]["engine"] >= tiers["by_logged"][1]["engine"]
    assert (tiers["exposed_logged"], tiers["outside"]) == (12, 0.0)
    assert 1 <= tiers["exposed_engine"] <= 12


def test_the_dial_spreads_exposure_at_a_price(tmp_path: Path) -> None:
    """With the dial at its least more of the twelve authors are shown, more evenly, and what it costs is told; without
    it there is none."""
    folder = made(tmp_path / "log", 400)
    without = replayed(folder, tmp_path / "without.json")
    dialled = replayed(folder, tmp_path / "with.json", "--gini", "0.3")
    assert without["dial"] is None
    before, after = without["gini"], dialled["gini"]
    assert isinstance(before, dict) and isinstance(after, dict)
    assert after["logged"] == before["logged"]
    assert after["engine"] < before["engine"]
    told = dialled["dial"]
    assert isinstance(told, dict)
    assert told["gini"] == 0.3
    assert 0.0 < told["viewer_value_lost"] < 1.0


def test_tiers_are_the_first_hundredth_and_fifth() -> None:
    """Of 200 authors with 1 … 200 looks the two first hold 399 of 20,100 and the next 38 hold 6,821; ranked the other
    way round, 3 and 817."""
    logged = np.arange(1.0, 201.0)
    found = tiers(logged, logged[::-1].copy())
    assert [tier.authors for tier in found.by_logged] == [2, 38, 160]
    assert [tier.logged for tier in found.by_logged[:2]] == [399 / 20_100, 6_821 / 20_100]
    assert [tier.engine for tier in found.by_logged[:2]] == [3 / 20_100, 817 / 20_100]
    assert [tier.logged for tier in found.by_engine[:2]] == [3 / 20_100, 817 / 20_100]


def test_an_author_whom_the_log_never_showed_is_in_no_tier() -> None:
    """Of 10 looks by the engine 4 went to such an author; the other two share the 6 that are left."""
    found = tiers(np.array([3.0, 0.0, 1.0]), np.array([0.0, 4.0, 6.0]))
    assert (found.outside, found.exposed_logged, found.exposed_engine) == (0.4, 2, 1)
    assert [(tier.authors, tier.logged, tier.engine) for tier in found.by_logged] == [
        (0, 0.0, 0.0), (0, 0.0, 0.0), (2, 1.0, 1.0),
    ]  # fmt: skip


def test_a_missing_folder_is_one_line_and_status_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A folder that is not there ends with status 2 and names the folder."""
    from fieldline import cli

    with pytest.MonkeyPatch.context() as patch, pytest.raises(SystemExit) as ended:
        patch.setattr("sys.argv", ["fieldline", "replay", "kuairand", str(tmp_path / "none")])
        cli.main()
    assert ended.value.code == 2
    message = capsys.readouterr().err.strip().splitlines()[-1]
    assert message.startswith("fieldline: ") and str(tmp_path / "none") in message


@pytest.mark.skipif(not REAL.is_dir(), reason="the KuaiRand log is not beside this checkout")
def test_the_real_log_begins_as_it_should(tmp_path: Path) -> None:
    """On the first 1,500 looks of the real log the engine predicts long views better than a video's own rate."""
    figures = replayed(REAL, tmp_path / "real.json", "--limit", "1500")
    ours, popular = figures["long_view"], figures["popularity"]
    assert isinstance(ours, dict) and isinstance(popular, dict)
    assert ours["auc"] > popular["long_view"]["auc"]


def test_a_log_that_names_no_authors_is_read(tmp_path: Path) -> None:
    """Without the columns author_id, duration_ms and tag every video is its own author's, and the log is replayed."""
    folder = made(tmp_path / "log", 200)
    for path in sorted(folder.glob("log_*.parquet")):
        with duckdb.connect() as db:
            rows = f"select * exclude (author_id, duration_ms, tag) from '{path}'"
            db.execute(f"copy ({rows}) to '{path}.new' (format parquet)")
        Path(f"{path}.new").rename(path)
    figures = replayed(folder, tmp_path / "figures.json")
    assert figures["requests"] == 200
