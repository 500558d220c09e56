"""Bundles: written whole, refused with every difference, and nothing but their two files is read."""

import re
from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np
import pytest
from tests.bundles import FEATURES, TASKS, declared, lightgbm_bundle, network, onnx_bundle, trees

from fieldline.errors import ModelRefused
from fieldline.providers import open_model
from fieldline.providers.boosted import Boosted, joined, parts
from fieldline.providers.bundle import Bundle, read, unlike, write
from fieldline.providers.onnx import Onnx

changed = msgspec.structs.replace


def refused(folder: Path) -> tuple[str, ...]:
    with pytest.raises(ModelRefused) as found:
        open_model(str(folder))
    assert all(difference in str(found.value) for difference in found.value.differences)
    return found.value.differences


@pytest.fixture
def boosted(tmp_path: Path) -> Path:
    """A good bundle of trees."""
    pytest.importorskip("lightgbm")
    return lightgbm_bundle(tmp_path / "trees")


@pytest.fixture
def neural(tmp_path: Path) -> Path:
    """A good bundle with a network."""
    return onnx_bundle(tmp_path / "network")


def test_what_was_written_is_read(tmp_path: Path) -> None:
    """A bundle reads as it was written, its digest added; nothing but two files is in its folder."""
    bundle = declared("lightgbm")
    write(tmp_path / "b", bundle, b"model")
    found, model = read(tmp_path / "b")
    assert changed(found, sha256="") == bundle
    assert model == b"model"
    assert sorted(file.name for file in (tmp_path / "b").iterdir()) == ["model.json", "model.txt"]


def test_a_setting_names_none_the_embedded_one_or_a_folder(boosted: Path, neural: Path) -> None:
    """Empty is no model; `embedded` the engine's own; a folder what its declaration says."""
    assert open_model("") is None
    kinds = [open_model(place) for place in ("embedded", str(boosted), str(neural))]
    assert [model.kind for model in kinds if model] == ["embedded", "lightgbm", "onnx"]
    assert [model.until for model in kinds if model] == [0, 2_000, 2_000]
    assert isinstance(kinds[1], Boosted)
    assert isinstance(kinds[2], Onnx)


def test_every_difference_is_told_at_once(boosted: Path) -> None:
    """A declaration with seven faults is refused with all seven."""
    _, model = read(boosted)
    wrong = changed(
        declared("lightgbm"), format=7, name="", features=("embedded_click", "moon", "item_click_rate"),
        tasks=("click", "click"),
    )  # fmt: skip
    write(boosted, wrong, model)
    assert refused(boosted) == (
        "format is 7, expected 1",
        "name must have 1 to 64 characters",
        "the engine makes no feature 'moon'",
        "task 'click' is declared twice",
        "task 'long_view' is missing",
        "click: feature 1 is 'embedded_long_view', declared is 'moon'",
        "click: feature 1 is 'embedded_long_view', declared is 'moon'",
    )


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda folder: (folder / "model.json").unlink(), "model.json is missing, or no plain file"),
        (lambda folder: (folder / "model.txt").unlink(), "model.txt is missing, or no plain file"),
        (lambda folder: (folder / "model.json").write_text("{"), "model.json: Input data was truncated"),
        (lambda folder: (folder / "model.json").write_text("{}"), "missing required field"),
        (lambda folder: (folder / "model.txt").write_bytes(b"tree\n"), "has sha256"),
    ],
)
def test_a_missing_or_changed_file_is_refused(
    boosted: Path, spoil: Callable[[Path], object], said: str
) -> None:
    """Without either file, with half a declaration or with other trees, a bundle is refused in these words."""
    spoil(boosted)
    assert any(said in difference for difference in refused(boosted))


def test_an_unknown_kind_or_field_is_refused(boosted: Path) -> None:
    """A kind that nothing opens, and a field that nothing declares, are refused by name."""
    text = (boosted / "model.json").read_text()
    (boosted / "model.json").write_text(text.replace('"lightgbm"', '"pickle"', 1))
    assert "pickle" in refused(boosted)[0]
    (boosted / "model.json").write_text(text.replace('"rows"', '"moon": 1, "rows"'))
    assert "moon" in refused(boosted)[0]


@pytest.mark.parametrize("name", ["model.json", "model.txt"])
def test_a_link_is_not_followed(boosted: Path, tmp_path: Path, name: str) -> None:
    """A link to a file elsewhere is refused, even where that file is good."""
    elsewhere = tmp_path / "elsewhere"
    (boosted / name).rename(elsewhere)
    (boosted / name).symlink_to(elsewhere)
    assert refused(boosted) == (f"{name} is missing, or no plain file",)


def test_other_features_than_the_trees_have_are_refused(boosted: Path) -> None:
    """Features in another order, and one too few, are each told for each task."""
    _, model = read(boosted)
    write(boosted, declared("lightgbm", features=(FEATURES[1], FEATURES[0], FEATURES[2])), model)
    assert refused(boosted) == tuple(
        f"{task}: feature {place} is {mine!r}, declared is {theirs!r}"
        for task in TASKS
        for place, mine, theirs in ((0, FEATURES[0], FEATURES[1]), (1, FEATURES[1], FEATURES[0]))
    )
    write(boosted, declared("lightgbm", features=FEATURES[:2]), model)
    assert refused(boosted) == tuple(f"{task} takes 3 features, declared are 2" for task in TASKS)


def test_other_tasks_than_the_file_has_models_are_refused(boosted: Path) -> None:
    """Two models for three tasks, and a task that nobody knows, are refused."""
    _, model = read(boosted)
    write(boosted, declared("lightgbm", tasks=(*TASKS, "applause")), model)
    told = refused(boosted)
    assert told[0].startswith("task 'applause' is none of click, long_view, order")
    assert told[1] == "model.txt holds 2 models, tasks are 3"


def test_trees_that_give_no_chances_are_refused(tmp_path: Path) -> None:
    """A regression is refused by its objective."""
    write(tmp_path, declared("lightgbm"), trees(objective="regression"))
    assert refused(tmp_path) == tuple(
        f"{task}: objective is regression, expected one of binary, cross_entropy" for task in TASKS
    )


@pytest.mark.parametrize("share", [0.1, 0.5, 0.7, 0.9])
def test_trees_that_were_cut_are_refused(boosted: Path, share: float) -> None:
    """A model's text that ends early is refused before its library reads it."""
    _, model = read(boosted)
    first, second = parts(model)
    end = int(second.index("end of trees") * share)
    write(boosted, declared("lightgbm"), joined([first, second[:end]]))
    assert refused(boosted) == ("long_view: its trees are cut or garbled",)


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("left_child", "0 0"),  # its own child: a row would go round for ever
        ("right_child", "-1 -9"),  # a leaf that it has not
        ("split_feature", "3 0"),  # there are three
        ("left_child", "1 x"),
        ("threshold", "0.5"),
        ("num_leaves", "4"),
        ("decision_type", "1 2"),  # by a set of codes that it has not
    ],
)
def test_trees_that_lead_nowhere_are_refused(tmp_path: Path, line: str, value: str) -> None:
    """A tree of three leaves in which one number is wrong is refused before its library reads it."""
    model = trees(num_leaves=3).decode()
    second = model.index("tree\n", 5)
    head, tree, rest = re.split(rf"(?m)^({line}=.*)$", model[second:], maxsplit=1)
    new = f"{line}={value}"
    sizes = re.search(r"tree_sizes=(\d+)", head)
    assert sizes is not None
    size = int(sizes[1]) + len(new) - len(tree)
    head = head.replace(sizes[0], f"tree_sizes={size}", 1)
    write(tmp_path, declared("lightgbm"), (model[:second] + head + new + rest).encode())
    assert refused(tmp_path) == ("long_view: its trees are cut or garbled",)


def test_trees_of_codes_are_taken(tmp_path: Path) -> None:
    """Trees that split by sets of codes, and a tree of a single leaf, are sound."""
    write(tmp_path, declared("lightgbm"), trees(codes=True))
    assert open_model(str(tmp_path)) is not None
    write(tmp_path, declared("lightgbm"), trees(min_data_in_leaf=400))
    assert open_model(str(tmp_path)) is not None


def test_a_file_that_is_no_text_is_refused(boosted: Path) -> None:
    """Bytes that are no UTF-8 hold no model."""
    write(boosted, declared("lightgbm"), b"\xff\xfe" * 100)
    assert refused(boosted) == ("model.txt holds 0 models, tasks are 2",)


def test_models_are_told_apart_by_task(boosted: Path) -> None:
    """The first model's chance rises in the first feature alone, the second's in the second."""
    model = open_model(str(boosted))
    assert model is not None
    low, first, second = model.predict(np.array([[-1, -1, 0], [1, -1, 0], [-1, 1, 0]], np.float32))
    assert first[0] > low[0] + 0.1
    assert second[1] > low[1] + 0.1
    assert abs(second[0] - low[0]) < abs(first[0] - low[0]) / 2


@pytest.mark.parametrize(
    ("model", "said"),
    [
        (lambda: b"nonsense", "model.onnx: "),
        (lambda: network()[:-20], "model.onnx: "),
        (lambda: network(elsewhere=True), "model.onnx keeps tensors in other files"),
        (lambda: network(inputs=4), "input has the shape ['n', 4], declared is [n, 3]"),
        (lambda: network(outputs=1), "output has the shape ['n', 1], declared is [n, 2]"),
        (lambda: network(rows=5), "input has the shape [5, 3], declared is [n, 3]"),
        (lambda: network(sigmoid=False), "gives NaN or values beyond 0 and 1, expected chances"),
        (
            lambda: network(metadata={"features": ",".join((FEATURES[1], FEATURES[0], FEATURES[2]))}),
            "the network: feature 0 is 'embedded_long_view', declared is 'embedded_click'",
        ),
    ],
)
def test_a_network_that_is_not_as_declared_is_refused(
    neural: Path, model: Callable[[], bytes], said: str
) -> None:
    """Garbled, cut, with tensors elsewhere, of another shape, without chances or with other names: each is told."""
    write(neural, declared("onnx"), model())
    assert refused(neural)[0].startswith(said)


def test_names_that_differ_are_told_by_their_place() -> None:
    """Two of three names differ, and one is missing."""
    assert unlike("it", ("a", "b", "c"), ("a", "c")) == [
        "it takes 3 features, declared are 2",
        "it: feature 1 is 'b', declared is 'c'",
    ]


def test_a_declaration_takes_only_its_fields() -> None:
    """The declaration's fields are these, so that other programs can write it."""
    assert Bundle.__struct_fields__ == (
        "format", "kind", "name", "features", "tasks", "rows", "since", "until", "blend", "sha256",
    )  # fmt: skip
