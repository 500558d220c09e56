"""The packed item row: all that scoring reads of an item, in two cache lines.

A row is 32 words of 4 bytes, read as float32 or as int32:

    0 … 23   item side of the predictor: per task (click, long view, order given click) an 8-vector
    24 … 26  item side of the predictor: per task a bias
    27       net price: expected yuan of an order after refunds
    28       trust factor: 1 + w_T·(2T − 1)
    29       sum of its organic prices, yuan per look
    30       int32: flags (bit 0 may be shown, bit 1 has bidding contracts, bit 2 has organic prices)
    31       int32: scenes, one bit each
"""

import numpy as np
from numpy.typing import NDArray

TASKS = ("click", "long_view", "order")
CLICK, LONG_VIEW, ORDER = range(3)
DIMENSIONS = 8
VECTOR = len(TASKS) * DIMENSIONS
BIAS = VECTOR
NET_PRICE = BIAS + len(TASKS)
TRUST = NET_PRICE + 1
ORGANIC_PRICE = TRUST + 1
FLAGS = ORGANIC_PRICE + 1
SCENES = FLAGS + 1
WIDTH = 32

SHOWN = 1
BIDS = 2
PRICED = 4

VIEWER_WIDTH = VECTOR + len(TASKS)
"""The viewer's side of the predictor: 24 vector words, then a bias per task."""


def new_rows(count: int) -> NDArray[np.float32]:
    """Return zeroed rows [count, 32] that begin on a cache line.

    Args:
        count: how many items.

    Returns:
        float32 [count, 32]; `.view(np.int32)` reads the flags.
    """
    raw = np.zeros(count * WIDTH + 32, np.float32)
    shift = (-raw.ctypes.data % 128) // 4
    return raw[shift : shift + count * WIDTH].reshape(count, WIDTH)


def aligned(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return a copy of rows [count, 32] that begins on a cache line."""
    copy = new_rows(len(rows))
    copy[:] = rows
    return copy
