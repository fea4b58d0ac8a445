"""Columns of stacks: partners are sought frame by frame, and what drifts is laid over itself first."""

import numpy as np

from stemnet.columns import Columns
from stemnet.detection.matching import partners
from stemnet.detection.segmenter import typical_of


def test_partners_are_of_the_same_frame():
    truth = Columns([[5, 5], [9, 9], [5, 5], [9, 9]], (20, 20), fields={"frame": np.array([0, 0, 1, 1])})
    found = Columns(
        [[9.2, 9], [5, 5.1], [9, 8.9], [1, 15]], (20, 20), fields={"frame": np.array([0, 1, 1, 1])}
    )
    assert partners(found, truth, 1.0).tolist() == [1, 2, 3, -1]
    single = Columns([[5, 5.1]], (20, 20))
    assert partners(single, truth.select(np.arange(2)), 1.0).tolist() == [0]


def test_the_typical_image_of_a_drifting_stack_is_sharp():
    rng = np.random.default_rng(0)
    y, x = np.indices((96, 96)) * 2 * np.pi / 12
    stack = [np.exp(3 * (np.cos(y - 0.4 * k) + np.cos(x + 0.3 * k) - 2)) for k in range(12)]
    stack = rng.poisson(20 * np.array(stack) + 2).astype(np.float32)
    plain, typical = stack.mean(axis=0), typical_of(stack)
    typical = typical[np.isfinite(typical).all(axis=1)]
    print("contrast of a plain mean", plain.std(), "and of the typical image", np.nanstd(typical))
    assert np.nanstd(typical) > 1.5 * plain.std()


def test_frames_of_nothing_have_a_typical_image_too():
    stack = np.ones((4, 32, 32), dtype=np.float32)
    assert np.array_equal(typical_of(stack), stack[0])
