"""A deep and cross network over rows of a sheet, all tasks at once, trained with torch and written as ONNX.

Codes are embedded (hashed by their remainder), numbers standardised with a flag where they are not known; x₀ is all
of them. Cross layers x ← x₀ ∘ (U·V·x + b) + x and a two-layer perceptron on x₀ end in one log-odds a task.
Source: Wang et al. (WWW 2021), DCN-V2 in its low-rank form.
"""

import io
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fieldline.errors import Missing

MOST_BUCKETS = 1 << 16


@dataclass(frozen=True, slots=True)
class Settings:
    """The network's shape and how it is trained."""

    dimensions: int = 8
    """Of a code's embedding."""
    crosses: int = 2
    rank: int = 32
    deep: tuple[int, int] = (128, 64)
    epochs: int = 1
    batch: int = 1024
    rate: float = 2e-3
    decay: float = 1e-4
    """L2 of the embeddings that a batch touches."""
    dropout: float = 0.1
    seed: int = 1


def fit(
    sheet: NDArray[np.float32],
    labels: NDArray[np.float32],
    weights: NDArray[np.float32],
    codes: tuple[int, ...],
    settings: Settings,
) -> Any:
    """Return a network trained on rows, on one thread.

    Args:
        sheet: [n, F], NaN = not known.
        labels: [n, T] in {0, 1}.
        weights: [n, T], 0 = label unknown.
        codes: columns that hold codes.
        settings: shape and training.

    Returns:
        A `torch.nn.Module` that gives log-odds [n, T].

    Raises:
        Missing: torch is not installed.
    """
    torch = _torch()
    torch.set_num_threads(1)
    torch.manual_seed(settings.seed)
    net = _network(torch, sheet, labels, weights, codes, settings)
    tables, others = list(net.tables.parameters()), list(net.rest.parameters())
    steps = torch.optim.Adam(
        [{"params": tables, "weight_decay": settings.decay}, {"params": others}], lr=settings.rate
    )
    x, y, w = (torch.from_numpy(np.ascontiguousarray(part)) for part in (sheet, labels, weights))
    order = np.random.default_rng(settings.seed)
    net.train()
    for _ in range(settings.epochs):
        for batch in torch.from_numpy(order.permutation(len(x))).split(settings.batch):
            steps.zero_grad()
            loss = torch.nn.functional.binary_cross_entropy_with_logits(
                net(x[batch]), y[batch], reduction="none"
            )
            (loss * w[batch]).sum().div(len(batch)).backward()
            steps.step()
    net.eval()
    return net


def predict(net: Any, sheet: NDArray[np.float32], batch: int = 8_192) -> NDArray[np.float32]:
    """Return the chances [n, T] that a network gives to rows [n, F]."""
    torch = _torch()
    with torch.no_grad():
        parts = [
            torch.sigmoid(net(part)) for part in torch.from_numpy(np.ascontiguousarray(sheet)).split(batch)
        ]
    chances: NDArray[np.float32] = torch.cat(parts).numpy()
    return chances


def to_onnx(net: Any, width: int) -> bytes:
    """Return a network as ONNX: float32 [n, F] in, chances float32 [n, T] out, all in one file.

    Args:
        net: trained.
        width: F.

    Raises:
        Missing: onnx or onnxscript is not installed.
    """
    torch = _torch()
    for package in ("onnx", "onnxscript"):
        try:
            __import__(package)
        except ImportError:
            raise Missing(package, "train") from None
    import onnx

    chances = torch.nn.Sequential(net, torch.nn.Sigmoid()).eval()
    rows = torch.export.Dim("rows")
    program = torch.onnx.export(
        chances,
        (torch.zeros(2, width),),
        input_names=["sheet"],
        output_names=["chances"],
        dynamic_shapes=({0: rows},),
        dynamo=True,
        verbose=False,
    )
    file = io.BytesIO()
    onnx.save(program.model_proto, file)
    return file.getvalue()


def largest_difference(net: Any, model: bytes, sheet: NDArray[np.float32]) -> float:
    """Return the largest |difference| between the chances of a network and of its ONNX file on rows [n, F].

    Raises:
        Missing: onnxruntime is not installed.
    """
    try:
        import onnxruntime
    except ImportError:
        raise Missing("onnxruntime", "train") from None
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    (written,) = session.run(None, {session.get_inputs()[0].name: sheet})
    return float(np.abs(written - predict(net, sheet)).max())


def _torch() -> Any:
    try:
        import torch
    except ImportError:
        raise Missing("torch", "train") from None
    return torch


def _network(
    torch: Any,
    sheet: NDArray[np.float32],
    labels: NDArray[np.float32],
    weights: NDArray[np.float32],
    codes: tuple[int, ...],
    settings: Settings,
) -> Any:
    nn = torch.nn
    numbers = [column for column in range(sheet.shape[1]) if column not in codes]
    known = np.where(np.isnan(sheet[:, numbers]), 0.0, sheet[:, numbers]).astype(np.float64)
    mean, scale = known.mean(axis=0), known.std(axis=0) + 1e-3
    buckets = [_buckets(sheet[:, column]) for column in codes]
    width = len(codes) * settings.dimensions + 2 * len(numbers)
    tasks = labels.shape[1]
    told = np.maximum(weights.sum(axis=0), 1.0)
    rate = np.clip((labels * weights).sum(axis=0) / told, 1e-4, 1.0 - 1e-4)

    class Cross(nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.down = nn.Linear(width, settings.rank, bias=False)
            self.up = nn.Linear(settings.rank, width)

        def forward(self, start: Any, x: Any) -> Any:
            return start * self.up(self.down(x)) + x

    class Network(nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.tables = nn.ModuleList(nn.Embedding(count + 1, settings.dimensions) for count in buckets)
            for table in self.tables:
                nn.init.normal_(table.weight, std=0.02)
            first, second = settings.deep
            deep = nn.Sequential(
                nn.Linear(width, first),
                nn.ReLU(),
                nn.Dropout(settings.dropout),
                nn.Linear(first, second),
                nn.ReLU(),
            )
            crosses = nn.ModuleList(Cross() for _ in range(settings.crosses))
            head = nn.Linear(width + second, tasks)
            nn.init.zeros_(head.weight)
            head.bias.data = torch.from_numpy(np.log(rate / (1.0 - rate)).astype(np.float32))
            self.rest = nn.ModuleDict({"deep": deep, "crosses": crosses, "head": head})
            self.register_buffer("mean", torch.from_numpy(mean.astype(np.float32)))
            self.register_buffer("scale", torch.from_numpy(scale.astype(np.float32)))

        def forward(self, x: Any) -> Any:
            missing = torch.isnan(x)
            filled = torch.where(missing, torch.zeros_like(x), x)
            parts = []
            for table, column, count in zip(self.tables, codes, buckets, strict=True):
                value = filled[:, column]
                place = (value - torch.floor(value / count) * count).long()
                place = torch.where(missing[:, column], torch.full_like(place, count), place)
                parts.append(table(place))
            unknown = missing[:, numbers]
            standard = torch.clamp((filled[:, numbers] - self.mean) / self.scale, -5.0, 5.0)
            parts += [torch.where(unknown, torch.zeros_like(standard), standard), unknown.to(x.dtype)]
            start = torch.cat(parts, dim=1)
            crossed = start
            for layer in self.rest["crosses"]:
                crossed = layer(start, crossed)
            return self.rest["head"](torch.cat([crossed, self.rest["deep"](start)], dim=1))

    return Network()


def _buckets(column: NDArray[np.float32]) -> int:
    """Room for every code that was seen, and as much again for those to come."""
    known = column[~np.isnan(column)]
    largest = int(known.max(initial=0))
    return max(2, min(2 * (largest + 1), MOST_BUCKETS))
