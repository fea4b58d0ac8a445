"""The same examples, whoever makes them and whenever."""

import pytest
import torch
from small import data, same_batch

from stemnet.training.data import EpochSampler


def epoch_of(loader, epoch: int) -> list:
    loader.sampler.set_epoch(epoch)
    return list(loader)


def test_workers_make_the_batches_that_the_main_process_makes():
    alone, helped = data(workers=0).train_dataloader(), data(workers=2).train_dataloader()
    for epoch in (0, 1):
        for one, other in zip(epoch_of(alone, epoch), epoch_of(helped, epoch), strict=True):
            assert same_batch(one, other)


def test_every_epoch_trains_on_new_examples_and_validates_on_the_same():
    training, validation = data().train_dataloader(), data().val_dataloader()
    assert not same_batch(epoch_of(training, 0)[0], epoch_of(training, 1)[0])
    assert same_batch(epoch_of(validation, 0)[0], epoch_of(validation, 1)[0])
    # A run that begins at epoch 1 sees what a run that came there sees.
    assert same_batch(epoch_of(data().train_dataloader(), 1)[0], epoch_of(training, 1)[0])


def test_no_example_is_in_two_splits():
    loaders = data().train_dataloader(), data().val_dataloader()
    seeds = []
    for loader, epochs in zip(loaders, ((0, 1), (0,)), strict=True):
        for epoch in epochs:
            loader.sampler.set_epoch(epoch)
            seeds += [loader.dataset[key].seed for key in loader.sampler]
    assert len(seeds) == 2 * 6 + 4
    assert len(set(seeds)) == len(seeds)


def test_sizes():
    loader = data(batches=3, batch_size=2, validation=5)
    assert [len(batch.images) for batch in loader.train_dataloader()] == [2, 2, 2]
    assert [len(batch.images) for batch in loader.val_dataloader()] == [2, 2, 1]


def test_a_batch_is_rendered_and_prepared():
    batch = epoch_of(data().train_dataloader(), 0)[0]
    assert batch.images.shape == (3, 1, 48, 48)
    assert batch.target.shape == batch.weight.shape == (3, 48, 48)
    assert batch.images.abs().max() < 10
    assert same_batch(batch, epoch_of(data().train_dataloader(), 0)[0])


def test_only_what_is_judged_brings_its_truth():
    module = data()
    assert epoch_of(module.train_dataloader(), 0)[0].scenes == ()
    batch = epoch_of(module.val_dataloader(), 0)[0]
    images = module.normalization(module.simulator.images(list(batch.scenes)))
    assert torch.equal(batch.images[:, 0], images)


@pytest.mark.parametrize(("fixed", "expected"), [(True, 0), (False, 7)])
def test_the_sampler_hands_the_epoch_on(fixed: bool, expected: int):
    sampler = EpochSampler(4, fixed)
    sampler.set_epoch(7)
    assert list(sampler) == [(expected, index) for index in range(4)]
    assert len(sampler) == 4
