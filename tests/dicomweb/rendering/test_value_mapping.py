from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from dicomweb.rendering.value_mapping import map_values


def last_digit(values: NDArray[Any]) -> NDArray[np.uint8]:
    return np.asarray(np.mod(values, 10), np.uint8)


def colours(values: NDArray[Any]) -> NDArray[np.uint8]:
    wide = values.astype(np.int64)
    return np.stack([last_digit(wide), last_digit(wide + 1), last_digit(wide + 2)], axis=-1)


@given(
    hnp.arrays(
        st.sampled_from([np.uint8, np.int8, np.uint16, np.int16, np.uint32, np.int32]),
        hnp.array_shapes(min_dims=2, max_dims=2, max_side=8),
    )
)
def test_through_a_table_or_not_the_outcome_is_the_same(pixels: NDArray[Any]) -> None:
    wide = pixels.astype(np.int64)
    assert np.array_equal(map_values(pixels, last_digit), last_digit(wide))
    assert np.array_equal(map_values(pixels, colours), colours(wide))


def test_frames_of_many_blocks_come_out_whole() -> None:
    pixels: NDArray[np.int64] = np.arange(700_000, dtype=np.int64).reshape(700, 1000) % 60_000 - 30_000
    for kind in (np.int32, np.float64):
        assert np.array_equal(map_values(pixels.astype(kind), last_digit), last_digit(pixels))


def test_each_value_of_a_narrow_range_is_mapped_once() -> None:
    seen: list[int] = []

    def counted(values: NDArray[Any]) -> NDArray[np.uint8]:
        seen.append(values.size)
        return last_digit(values)

    map_values(np.array([[-3, 5], [0, 5]], np.int16), counted)
    assert seen == [9]


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_fractions_are_mapped_as_they_are(kind: type) -> None:
    pixels: NDArray[np.floating[Any]] = np.array([[0.25, 1.75]], kind)
    assert map_values(pixels, lambda values: (values * 4).astype(np.uint8)).tolist() == [[1, 7]]
