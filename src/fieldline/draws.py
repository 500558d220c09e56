"""Randomness keyed by who and what: the same seed, key and purpose always give the same draw.

Source: SplitMix64 (Steele, Lea, Flood, OOPSLA 2014), used as a counter hash.
"""

from hashlib import blake2b

import numpy as np

from fieldline.compiled import njit

MASK = (1 << 64) - 1


@njit(inline="always")
def mix(x: np.uint64) -> np.uint64:
    """Return SplitMix64's finaliser of one 64-bit word."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


@njit(inline="always")
def uniform(key: np.uint64, counter: np.uint64) -> float:
    """Return the counter-th uniform draw in [0, 1) of a key."""
    word = mix(key + (counter + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15))
    return float(word >> np.uint64(11)) * (1.0 / 9007199254740992.0)


@njit(inline="always")
def held(viewer_key: np.uint64, contract_key: np.uint64, share: float) -> bool:
    """Return whether a viewer is held out of a contract: uniform(mix(viewer key ⊕ contract key), 0) < share."""
    return bool(uniform(mix(viewer_key ^ contract_key), np.uint64(0)) < share)


def key_of(seed: int, name: str, purpose: str) -> int:
    """Return the 64-bit key of a draw from its seed, its name (a request id, say) and its purpose."""
    digest = blake2b(f"{seed}\x1f{purpose}\x1f{name}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little")


def unit_of(key: int, counter: int = 0) -> float:
    """Return the counter-th uniform draw in [0, 1) of a key: `uniform` for callers outside kernels."""
    return (_mixed((key + (counter + 1) * 0x9E3779B97F4A7C15) & MASK) >> 11) * (1.0 / 9007199254740992.0)


def is_held(viewer_key: int, contract_key: int, share: float) -> bool:
    """Return whether a viewer is held out of a contract: `held` for callers outside kernels."""
    return unit_of(_mixed(viewer_key ^ contract_key)) < share


def holdout_key(seed: int, viewer: str) -> int:
    """Return a viewer's key of all holdouts, from the policy's seed."""
    return key_of(seed, viewer, "holdout")


def campaign_key(wish: str) -> int:
    """Return a campaign's key of its holdout: all its contracts hold out the same viewers."""
    return key_of(0, wish, "holdout")


def _mixed(word: int) -> int:
    word = ((word ^ (word >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    word = ((word ^ (word >> 27)) * 0x94D049BB133111EB) & MASK
    return word ^ (word >> 31)
