"""The network: what torch trains is what ONNX says."""

import sys

import numpy as np
import pytest

from fieldline.errors import Missing
from fieldline.learn import dcn

SMALL = dcn.Settings(deep=(16, 8), rank=4, epochs=4, batch=128, rate=5e-3)


def made(rows: int = 3_000) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    sheet = np.stack([rng.integers(0, 5, rows), rng.normal(size=rows)], axis=1).astype(np.float32)
    sheet[rng.random(rows) < 0.1, 1] = np.nan
    odds = np.where(sheet[:, 0] == 3.0, 2.0, -1.0)
    labels = (rng.random((rows, 1)) < 1.0 / (1.0 + np.exp(-odds[:, None]))).astype(np.float32)
    return sheet, np.repeat(labels, 2, axis=1)


def test_onnx_says_what_torch_says() -> None:
    """The exported network gives torch's chances within 1e-5, codes never seen and NaN included."""
    for package in ("torch", "onnx", "onnxscript", "onnxruntime"):
        pytest.importorskip(package)
    sheet, labels = made()
    net = dcn.fit(sheet, labels, np.ones_like(labels), (0,), SMALL)
    chances = dcn.predict(net, sheet)
    assert chances[sheet[:, 0] == 3.0].mean() > 0.6
    assert chances[sheet[:, 0] != 3.0].mean() < 0.5
    strange = np.array([[np.nan, np.nan], [70_000.0, 1e9], [2.0, -1e9]], np.float32)
    model = dcn.to_onnx(net, 2)
    assert dcn.largest_difference(net, model, np.concatenate([sheet[:200], strange])) < 1e-5


def test_a_missing_package_names_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without torch the error names the extra that brings it."""
    monkeypatch.setitem(sys.modules, "torch", None)
    sheet, labels = made(10)
    with pytest.raises(Missing, match=r"fieldline\[train\]"):
        dcn.fit(sheet, labels, labels, (0,), SMALL)
