"""A network in ONNX, run by onnxruntime on one thread of the CPU."""

import re
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from fieldline.errors import Missing
from fieldline.providers.bundle import Bundle, unlike

NAMED = "features"
"""Key of the model's metadata under which it may name its inputs, separated by commas."""
_ELSEWHERE = re.compile(rb"(?:\x0a|\x8a\x80*\x00)(?:\x08|\x88\x80*\x00)location")
"""How protobuf writes the key of a tensor that lies in another file, overlong numbers included."""


@dataclass(frozen=True, slots=True)
class Onnx:
    """One network of all tasks: float32 [n, F] in, chances float32 [n, T] out."""

    kind: ClassVar[str] = "onnx"
    name: str
    tasks: tuple[str, ...]
    features: tuple[str, ...]
    until: int
    session: Any
    input: str

    @classmethod
    def of(cls, bundle: Bundle, model: bytes) -> "tuple[Onnx | None, tuple[str, ...]]":
        """Return a bundle's model and in what its file differs from the declaration; None: it cannot be read.

        Raises:
            Missing: onnxruntime is not installed.
        """
        if _ELSEWHERE.search(model):
            return None, ("model.onnx keeps tensors in other files",)
        session = _session(model)
        if isinstance(session, str):
            return None, (f"model.onnx: {session}",)
        found = _differences(session, bundle)
        if found:
            return None, tuple(found)
        read = session.get_inputs()[0].name
        return cls(bundle.name, bundle.tasks, bundle.features, bundle.until, session, read), ()

    def predict(self, sheet: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the chances [n, T] of a sheet [n, F]."""
        chances: NDArray[np.float32] = self.session.run(None, {self.input: np.ascontiguousarray(sheet)})[0]
        return chances


def _session(model: bytes) -> Any:
    """A session, or what is wrong with the model."""
    try:
        import onnxruntime
    except ImportError:
        raise Missing("onnxruntime", "onnx") from None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4  # what goes wrong is raised
    try:
        return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # noqa: BLE001  (its errors have no common kind but this)
        return str(error)


def _differences(session: Any, bundle: Bundle) -> list[str]:
    inputs, outputs = session.get_inputs(), session.get_outputs()
    found = []
    if len(inputs) != 1 or len(outputs) != 1:
        found.append(f"has {len(inputs)} inputs and {len(outputs)} outputs, expected one of each")
    for what, value, width in (
        *(("input", value, len(bundle.features)) for value in inputs[:1]),
        *(("output", value, len(bundle.tasks)) for value in outputs[:1]),
    ):
        if value.type != "tensor(float)":
            found.append(f"{what} is {value.type}, expected tensor(float)")
        shape = value.shape
        if len(shape) != 2 or isinstance(shape[0], int) or (isinstance(shape[1], int) and shape[1] != width):
            found.append(f"{what} has the shape {shape}, declared is [n, {width}]")
    named = session.get_modelmeta().custom_metadata_map.get(NAMED)
    if named is not None:
        found += unlike("the network", tuple(named.split(",")), bundle.features)
    return found
