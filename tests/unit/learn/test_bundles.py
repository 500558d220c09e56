"""From a data folder to a bundle that serves."""

from pathlib import Path

import numpy as np
import pytest
from tests.made import START, play

from fieldline import facts
from fieldline.errors import DataFolderError, Refused
from fieldline.learn import bundles
from fieldline.providers import open_model
from fieldline.stores import open_log
from fieldline.stores.folder import DataFolder
from fieldline.traffic.prediction.sheet import FEATURES, sheet
from fieldline.units import MINUTE


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with the log of a made market."""
    place = tmp_path_factory.mktemp("data")
    with DataFolder.open(place, create=True) as folder:
        log = open_log(folder.log_url)
        log.append([facts.encode(fact) for fact in play(120)[1]]).wait()
        log.close()
    return place


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundles, "LEAST_ROWS", 20)
    monkeypatch.setattr(bundles, "LEAST_OF_EACH", 5)


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize("kind", ["boosted", "dcn"])
def test_a_trained_bundle_serves(kind: str, data: Path, tmp_path: Path) -> None:
    """What training writes is opened without a difference and gives chances of clicks and long views."""
    packages = {"boosted": ("lightgbm",), "dcn": ("torch", "onnx", "onnxscript", "onnxruntime")}
    for package in packages[kind]:
        pytest.importorskip(package)
    make = bundles.write_boosted if kind == "boosted" else bundles.write_dcn
    said = make(data, tmp_path / "bundle", None, "made", 1)
    model = open_model(str(tmp_path / "bundle"))
    assert model is not None
    assert model.features == FEATURES
    assert model.tasks[:2] == ("click", "long_view")
    assert "looks" in said
    table = sheet(play(20)[0], 1, np.arange(10, dtype=np.int32), 0, START + 30 * MINUTE)
    chances = model.predict(table)
    assert chances.shape == (10, len(model.tasks))
    assert ((chances > 0.0) & (chances < 1.0)).all()


def test_too_few_looks_write_nothing(data: Path, tmp_path: Path) -> None:
    """A log of fewer looks than a model needs is refused, and no folder is made."""
    with pytest.raises(Refused, match="too few"):
        bundles.write_boosted(data, tmp_path / "bundle", None, "made", 1)
    assert not (tmp_path / "bundle").exists()


def test_a_folder_without_a_log_is_refused(tmp_path: Path) -> None:
    """A folder that is no data folder is named in the refusal."""
    with pytest.raises(DataFolderError, match=str(tmp_path)):
        bundles.write_boosted(tmp_path, tmp_path / "bundle", None, "made", 1)
