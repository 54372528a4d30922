"""Applying a function of single values to a whole frame, through a table where that is quicker."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

# From values of any shape (...) to shades (...) or colours (..., 3).
ValueMapping = Callable[[NDArray[Any]], NDArray[np.uint8]]

_MAX_TABLE = 65536
# Pixels handled at a time: the indices and intermediate values of a block stay small, and in the cache.
_BLOCK = 2**15


def map_values(pixels: NDArray[Any], mapping: ValueMapping) -> NDArray[np.uint8]:
    """The mapping of every pixel of a (rows, columns) frame.

    Whole numbers within a narrow range are mapped once each and then looked up.
    """
    if pixels.dtype.kind in "iu":
        low, high = int(pixels.min()), int(pixels.max())
        if high - low < _MAX_TABLE:
            return _through_table(pixels, low, mapping(np.arange(low, high + 1)))
    return _block_by_block(pixels, mapping)


def _through_table(pixels: NDArray[Any], low: int, table: NDArray[np.uint8]) -> NDArray[np.uint8]:
    mapped = np.empty(pixels.shape + table.shape[1:], np.uint8)
    short = pixels.dtype.itemsize <= 2
    if short:  # it is its own index into a table of all that can be, where the negative ones stand last
        table = _of_all_values(low, table, 1 << 8 * pixels.dtype.itemsize)
    for rows in _row_blocks(pixels):
        indices = pixels[rows].view(f"u{pixels.dtype.itemsize}") if short else _indices(pixels[rows], low)
        # Every index is inside; "clip" only spares numpy the check and a second buffer.
        np.take(table, indices, axis=0, out=mapped[rows], mode="clip")
    return mapped


def _of_all_values(low: int, table: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    whole = np.empty((size, *table.shape[1:]), np.uint8)
    whole[np.arange(low, low + len(table)) % size] = table
    return whole


def _indices(pixels: NDArray[Any], low: int) -> NDArray[np.intp]:
    indices: NDArray[np.intp] = np.subtract(pixels, low, dtype=np.intp, casting="unsafe")
    return indices


def _block_by_block(pixels: NDArray[Any], mapping: ValueMapping) -> NDArray[np.uint8]:
    return np.concatenate([mapping(pixels[rows]) for rows in _row_blocks(pixels)])


def _row_blocks(pixels: NDArray[Any]) -> list[slice]:
    height = max(_BLOCK // pixels.shape[1], 1)
    return [slice(top, top + height) for top in range(0, pixels.shape[0], height)]
