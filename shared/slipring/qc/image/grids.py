"""Grids of pixels as a whole: sums of blocks, values between pixels, and the rims of masks."""

from __future__ import annotations

from functools import reduce
from typing import TypeVar

import numpy as np

from slipring.qc.image.slice import Floats, Mask, Pixels

Grid = TypeVar("Grid", Pixels, Floats)


def in_blocks(grid: Grid, step: int) -> Grid:
    """The sums of blocks of step x step pixels; what does not fill a block at the end of rows and columns is left out."""
    height, width = (length // step * step for length in grid.shape)
    # Row on row first: whole rows lie together in memory.
    rows: Grid = grid[:height, :width].reshape(-1, step, width).sum(axis=1)
    return reduce(np.add, (rows[:, start::step] for start in range(step)))


def between(hu: Pixels, rows: Floats, columns: Floats) -> Pixels:
    """The values at places between the pixels, linearly in both directions; beyond the edge those of the edge."""
    height, width = hu.shape
    rows, columns = np.clip(rows, 0, height - 1), np.clip(columns, 0, width - 1)
    top, left = np.minimum(rows.astype(np.intp), height - 2), np.minimum(columns.astype(np.intp), width - 2)
    flat, at = hu.ravel(), top * width + left
    down, right = rows - top, columns - left
    upper = flat.take(at) * (1 - right) + flat.take(at + 1) * right
    lower = flat.take(at + width) * (1 - right) + flat.take(at + (width + 1)) * right
    values: Pixels = (upper * (1 - down) + lower * down).astype(np.float32)
    return values


def shrunk(mask: Mask, times: int, *, beyond: bool = False) -> Mask:
    """Without its outermost pixels, so many times over; `beyond`: what lies outside the grid counts as part of it."""
    whole = np.pad(mask, times, constant_values=beyond)
    for _ in range(times):
        whole = whole[1:-1, 1:-1] & whole[:-2, 1:-1] & whole[2:, 1:-1] & whole[1:-1, :-2] & whole[1:-1, 2:]
    return whole


def grown(mask: Mask, times: int) -> Mask:
    """With the pixels next to it, so many times over."""
    return ~shrunk(~mask, times, beyond=True)
