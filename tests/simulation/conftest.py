"""No test of the simulator, and so nothing in it, may touch the global random states."""

import numpy as np
import pytest
import torch


@pytest.fixture(autouse=True)
def global_random_state_untouched():
    numpy_before, torch_before = np.random.get_state()[1:3], torch.get_rng_state()  # noqa: NPY002
    yield
    numpy_after = np.random.get_state()[1:3]  # noqa: NPY002
    assert np.array_equal(numpy_before[0], numpy_after[0])
    assert numpy_before[1] == numpy_after[1]
    assert torch.equal(torch_before, torch.get_rng_state())
