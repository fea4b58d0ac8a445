"""What an epoch is: for few rows as many steps as patience needs, for many a pass."""

import numpy as np
import pytest
import torch

from stemnet.analysis import VariationalAutoencoder
from stemnet.analysis.contest_worlds import transition_path
from stemnet.models.elbo import Course
from stemnet.models.schedule import LEAST_BATCHES, Epoch, Schedule

SCHEDULE = Schedule(100, 256, 2e-3, 0.15, 15)


@pytest.mark.parametrize("count", [40, 85, 200, 319, 321, 544, 2300, 2304, 2560])
def test_few_rows_take_ten_steps_and_are_seen_as_often_as_it_says(count):
    epoch = SCHEDULE.epoch(count, judged=True)
    assert epoch.batches == LEAST_BATCHES
    assert epoch.batch_size <= 256
    rows = torch.arange(float(count))[:, None]
    course = Course(rows, 1, Schedule(100, 256, 2e-3, 0.3, 15), 0, "cpu")
    course.begin(1)
    seen = []

    def model(batch, noise):
        seen.append(batch[:, 0])
        return batch[:, 0], noise

    for number in range(course.epoch.batches):
        course.loss(model, number)
    assert all(len(batch) > 0 for batch in seen)
    together = torch.cat(seen)
    assert len(together) == course.epoch.rows
    times = torch.unique(together, return_counts=True)[1]
    assert len(times) == len(course.rows)
    # every row as often as every other, or once more
    assert times.max() - times.min() <= 1


def test_many_rows_are_passed_in_the_batches_that_were_asked_for():
    assert SCHEDULE.epoch(4250, judged=True) == Epoch(17, 256, 4250)
    assert SCHEDULE.epoch(10**6, judged=True) == Epoch(50, 256, 12800)
    whole = Schedule(100, 256, 2e-3, 0.15, 15, epoch_batches=None)
    assert whole.epoch(10**6, judged=True) == Epoch(3907, 256, 10**6)


def test_rows_that_judge_themselves_are_passed_once():
    assert SCHEDULE.epoch(50, judged=False) == Epoch(2, 32, 50)
    assert Course(torch.rand(50, 3), 1, SCHEDULE, 0, "cpu").epoch.rows == 50


def test_a_fit_to_few_rows_goes_on_until_it_is_as_good_as_one_to_the_end():
    """640 neighborhoods on an arc: what 15 passes of three steps each took for the end was hardly a start."""
    first, other = (transition_path(np.random.default_rng([1, image]), 1000.0).rows for image in (0, 1))
    fitted = VariationalAutoencoder().fit(first[:640])
    longest = VariationalAutoencoder(patience=40, max_epochs=200).fit(first[:640])
    assert fitted.score(other) > longest.score(other) - 0.1
    assert not fitted.stayed_linear_
    linear = VariationalAutoencoder(max_epochs=1, learning_rate=1e-9).fit(first[:640])
    assert fitted.score(other) > linear.score(other) + 1.5
