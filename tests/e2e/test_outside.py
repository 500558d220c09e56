"""Models outside, served: refused before anything is, told while they decide, and not needed afterwards."""

import shutil
from pathlib import Path

import pytest
from tests.bundles import FEATURES, declared, lightgbm_bundle, trees
from tests.e2e.served import market, serving, start
from tests.made import START, catalogue

from fieldline import engine
from fieldline.app import Fieldline
from fieldline.errors import ModelRefused
from fieldline.facts import Click, Impression, Request
from fieldline.providers.bundle import write
from fieldline.units import MINUTE

pytest.importorskip("lightgbm")


def test_a_model_that_differs_is_refused_and_nothing_is_served(tmp_path: Path) -> None:
    """`fieldline serve` ends with status 2 and all differences in one line, and makes no data folder."""
    write(tmp_path / "model", declared("lightgbm", features=("moon", *FEATURES[1:])), trees())
    log, data = tmp_path / "log", tmp_path / "data"
    process = start(
        "serve", "--data", str(data), "--port", "0", "--predictor", str(tmp_path / "model"), log=log
    )
    assert process.wait(120) == 2
    text = " ".join(log.read_text("utf-8").split())
    assert "the engine makes no feature 'moon'" in text
    assert "click: feature 0 is 'embedded_click', declared is 'moon'" in text
    assert "long_view: feature 0 is 'embedded_click', declared is 'moon'" in text
    assert "Traceback" not in text
    assert not data.exists()


def test_the_models_are_told_while_they_decide(tmp_path: Path) -> None:
    """With trees live and the embedded predictor beside them, routes, metrics and the page say so."""
    model = lightgbm_bundle(tmp_path / "model")
    words = ("--predictor", str(model), "--shadow", "embedded")
    with serving(tmp_path / "data", tmp_path / "log", *words) as server:
        market(server)
        for number in range(3):
            asked = {"id": f"r{number}", "viewer": f"v{number}", "scene": "video"}
            assert server.ask("POST", "/v1/decide", asked).status_code == 200
        explained = server.ask("GET", "/v1/decisions/r0").json()
        assert (explained["model"], explained["fallbacks"]) == ("small lightgbm", 0)
        assert "small lightgbm" in server.ask("GET", "/decisions/r0?lang=en").text
        told = server.ask("GET", "/v1/models").json()
        assert (told["live"]["name"], told["live"]["kind"]) == ("small lightgbm", "lightgbm")
        assert told["live"]["tasks"] == ["click", "long_view"]
        assert told["shadow"]["kind"] == "embedded"
        assert (told["requests"], told["fallbacks"], told["compared"]) == (3, 0, [])
        assert told["rescored"] > 0
        metrics = server.ask("GET", "/metrics").text
        assert f"fieldline_model_rescored_total {float(told['rescored'])}" in metrics
        assert "fieldline_model_fallbacks_total 0.0" in metrics
        assert "small lightgbm" in server.ask("GET", "/?lang=zh").text
        assert server.ask("GET", "/v1/overview").json()["models"] == told


def test_recovery_needs_no_model(tmp_path: Path) -> None:
    """What was decided with a model is found again bit for bit after its files are gone; with them it is refused."""
    model = lightgbm_bundle(tmp_path / "model")
    app = Fieldline.open(tmp_path / "data", None, predictor=str(model), shadow="embedded")
    for entry in catalogue():
        app.upsert([entry])
    for number in range(4):
        at = START + number * MINUTE
        decision, _ = app.decide(Request(f"r{number}", f"viewer-{number}", "video", at=at))
        assert (decision.model, decision.shadow_model) == ("small lightgbm", "embedded")
        item = decision.slots[0].item
        app.record(
            [Impression(f"i{number}", at, decision.id, item), Click(f"c{number}", at, decision.id, item)]
        )
    app.decide(Request("last", "viewer-9", "video", at=START + 30 * MINUTE))
    before = engine.encode(app.state)
    assert app.state.outside.impressions[0] == 4
    app.log.close()  # without a snapshot: the log alone is left
    app.records.close()
    app.ledger.close()
    assert app.folder is not None
    app.folder.close()
    shutil.rmtree(model)
    with pytest.raises(ModelRefused):
        Fieldline.open(tmp_path / "data", None, predictor=str(model))
    again = Fieldline.open(tmp_path / "data", None)
    assert engine.encode(again.state) == before
    decision, _ = again.decide(Request("next", "viewer-3", "video", at=START + 31 * MINUTE))
    assert decision.model == ""
    assert again.decision("r0").model == "small lightgbm"
    again.close()
