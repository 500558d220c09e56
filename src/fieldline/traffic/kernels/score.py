"""Scoring: each candidate's chances and organic score, little slower than its row can be fetched."""

from typing import Any

import numpy as np
from llvmlite import ir
from numpy.typing import NDArray

from fieldline.compiled import intrinsic, njit
from fieldline.traffic.kernels.sigmoid import sigmoid
from fieldline.traffic.kernels.words import GOODS_VALUE, VIEWER_VALUE
from fieldline.traffic.rows import (
    BIAS,
    CLICK,
    DIMENSIONS,
    FLAGS,
    LONG_VIEW,
    NET_PRICE,
    ORDER,
    ORGANIC_PRICE,
    SCENES,
    SHOWN,
    TRUST,
    WIDTH,
)

AHEAD = 16
"""Rows between a prefetch and its use."""

_INT = ir.IntType(32)


@intrinsic
def prefetch(_: Any, array: Any, offset: Any) -> Any:  # noqa: ARG001
    """Ask for the cache line of array.flat[offset] without waiting for it."""
    from numba import types

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        data = context.make_array(signature.args[0])(context, builder, arguments[0]).data
        byte = ir.IntType(8).as_pointer()
        name = "llvm.prefetch.p0"
        call = builder.module.globals.get(name) or ir.Function(
            builder.module, ir.FunctionType(ir.VoidType(), [byte, _INT, _INT, _INT]), name
        )
        place = builder.bitcast(builder.gep(data, [arguments[1]]), byte)
        builder.call(call, [place, _INT(0), _INT(3), _INT(1)])  # read, keep in all caches, data
        return context.get_dummy_value()

    return types.void(array, types.intp), generate


@intrinsic
def dot8(_: Any, a: Any, start_a: Any, b: Any, start_b: Any) -> Any:  # noqa: ARG001
    """Return <a[start_a : start_a + 8], b[start_b : start_b + 8]> in float32, summed as a fixed tree.

    With p = a·b lane by lane: ((p0+p4) + (p2+p6)) + ((p1+p5) + (p3+p7)); the same bits for every row.
    """
    from numba import types

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        eight = ir.VectorType(ir.FloatType(), DIMENSIONS)

        def load(k: int) -> Any:
            data = context.make_array(signature.args[k])(context, builder, arguments[k]).data
            place = builder.bitcast(builder.gep(data, [arguments[k + 1]]), eight.as_pointer())
            return builder.load(place, align=4)

        def half(vector: Any, start: int, width: int) -> Any:
            lanes = ir.Constant(ir.VectorType(_INT, width), [_INT(start + lane) for lane in range(width)])
            return builder.shuffle_vector(vector, ir.Constant(vector.type, ir.Undefined), lanes)

        terms = builder.fmul(load(0), load(2))
        for width in (4, 2, 1):
            terms = builder.fadd(half(terms, 0, width), half(terms, width, width))
        return builder.extract_element(terms, _INT(0))

    return types.float32(a, types.intp, b, types.intp), generate


@njit
def score(
    candidates: NDArray[np.int32],  # [n]
    viewer: NDArray[np.float32],  # [27]
    scene_bit: int,
    words: NDArray[np.float64],
    rows: NDArray[np.float32],  # [I, 32]
    given: NDArray[np.float32],  # [3, n] logits of a model outside, NaN = none; or [3, 0]
    extra: NDArray[np.float32],  # [n] further value to the viewer, yuan per look; or [0]
    logit: NDArray[np.float32],  # [3, n] out
    plain: NDArray[np.float32],  # [3, n] out: net price, trust factor, organic price
    flags: NDArray[np.int32],  # [n] out: 0 where not eligible
    chance: NDArray[np.float64],  # [4, n] out: click, long view, g, click and order
    organic: NDArray[np.float64],  # [n] out: o, −∞ where not eligible
) -> int:
    """Fill in each candidate's logits, chances and organic score; return how many are eligible.

    o = (w_view·p_long + extra + w_goods·g)·trust + organic price, g = p_click·p_order·net price.
    """
    count = candidates.size
    flat = rows.reshape(-1)
    whole = flat.view(np.int32)
    for j in range(min(AHEAD, count)):
        start = np.int64(candidates[j]) * WIDTH
        prefetch(flat, start)
        prefetch(flat, start + 16)
    for j in range(count):
        if j + AHEAD < count:
            start = np.int64(candidates[j + AHEAD]) * WIDTH
            prefetch(flat, start)
            prefetch(flat, start + 16)
        start = np.int64(candidates[j]) * WIDTH
        for task in range(3):
            term: np.float32 = dot8(viewer, task * DIMENSIONS, flat, start + task * DIMENSIONS)
            logit[task, j] = (viewer[BIAS + task] + flat[start + BIAS + task]) + term
        plain[0, j] = flat[start + NET_PRICE]
        plain[1, j] = flat[start + TRUST]
        plain[2, j] = flat[start + ORGANIC_PRICE]
        shown = (whole[start + FLAGS] & SHOWN) != 0 and (whole[start + SCENES] & scene_bit) != 0
        flags[j] = whole[start + FLAGS] if shown else 0
    for task in range(3 if given.shape[1] > 0 else 0):
        for j in range(count):
            if not np.isnan(given[task, j]):
                logit[task, j] = given[task, j]
    viewer_value = words[VIEWER_VALUE]
    goods_value = words[GOODS_VALUE]
    eligible = 0
    for j in range(count):
        click = sigmoid(np.float64(logit[CLICK, j]))
        long_view = sigmoid(np.float64(logit[LONG_VIEW, j]))
        order = click * sigmoid(np.float64(logit[ORDER, j]))
        goods = order * plain[0, j]
        chance[0, j] = click
        chance[1, j] = long_view
        chance[2, j] = goods
        chance[3, j] = order
        seen = viewer_value * long_view
        if extra.size > 0:
            seen += np.float64(extra[j])
        value = (seen + goods_value * goods) * plain[1, j] + plain[2, j]
        organic[j] = value if flags[j] != 0 else -np.inf
        eligible += flags[j] != 0
    return eligible
