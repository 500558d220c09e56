"""Small bundles, made in a moment: trees of LightGBM and a network of one layer."""

from pathlib import Path

import numpy as np
import pytest

from fieldline.providers.boosted import joined
from fieldline.providers.bundle import Bundle, Kind, write

FEATURES = ("embedded_click", "embedded_long_view", "item_click_rate")
TASKS = ("click", "long_view")


def declared(kind: Kind, tasks: tuple[str, ...] = TASKS, features: tuple[str, ...] = FEATURES) -> Bundle:
    """What such a model says of itself."""
    return Bundle(1, kind, f"small {kind}", features, tasks, rows=500, since=1_000, until=2_000)


def trees(
    tasks: tuple[str, ...] = TASKS, features: tuple[str, ...] = FEATURES, *, codes: bool = False,
    **settings: object,
) -> bytes:  # fmt: skip
    """LightGBM's text of one small model a task; the first is fitted to rise in the first feature, and so on."""
    lightgbm = pytest.importorskip("lightgbm")
    rng = np.random.default_rng(1)
    sheet = rng.normal(size=(500, len(features))).astype(np.float32)
    if codes:
        sheet[:, 0] = rng.integers(0, 40, 500)
    texts = []
    for number in range(len(tasks)):
        labels = (sheet[:, number % len(features)] + 0.3 * rng.normal(size=500) > 0).astype(float)
        data = lightgbm.Dataset(
            sheet, labels, feature_name=list(features), categorical_feature=[0] if codes else []
        )
        chosen = {"objective": "binary", "num_leaves": 7, "num_threads": 1, "verbosity": -1, **settings}
        texts.append(lightgbm.train(chosen, data, 5).model_to_string())
    return joined(texts)


def network(
    inputs: int = len(FEATURES), outputs: int = len(TASKS), *, rows: int | str = "n", sigmoid: bool = True,
    elsewhere: bool = False, metadata: dict[str, str] | None = None,
) -> bytes:  # fmt: skip
    """An ONNX network: the sigmoid of the first `outputs` inputs; `elsewhere`: its weights lie in another file."""
    onnx = pytest.importorskip("onnx")
    helper, number = onnx.helper, onnx.TensorProto.FLOAT
    weights = onnx.numpy_helper.from_array(np.eye(inputs, outputs, dtype=np.float32), "weights")
    if elsewhere:
        onnx.external_data_helper.set_external_data(weights, "elsewhere.bin")
        weights.ClearField("raw_data")
        weights.data_location = onnx.TensorProto.EXTERNAL
    nodes = [helper.make_node("MatMul", ["sheet", "weights"], ["odds"])]
    nodes.append(helper.make_node("Sigmoid" if sigmoid else "Identity", ["odds"], ["chances"]))
    graph = helper.make_graph(
        nodes, "small",
        [helper.make_tensor_value_info("sheet", number, [rows, inputs])],
        [helper.make_tensor_value_info("chances", number, [rows, outputs])],
        [weights],
    )  # fmt: skip
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    if metadata:
        helper.set_model_props(made, metadata)
    content: bytes = made.SerializeToString()
    return content


def lightgbm_bundle(folder: Path) -> Path:
    """A bundle of trees."""
    write(folder, declared("lightgbm"), trees())
    return folder


def onnx_bundle(folder: Path) -> Path:
    """A bundle with a network."""
    pytest.importorskip("onnxruntime")
    write(folder, declared("onnx"), network())
    return folder
