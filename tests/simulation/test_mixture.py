"""One crystal besides everything else."""

import numpy as np

from stemnet.simulation.crystal import honeycomb, perovskite
from stemnet.simulation.priors import Mixture, SpecimenPrior, only

WIDE = SpecimenPrior([perovskite()], {"crystal": 0.5, "sparse": 0.5}, scale=(0.5, 2.0), edge=0.0)


def species(prior, seed: int) -> set[str]:
    return set(prior.draw(np.random.default_rng(seed), (20.0, 20.0), 0.4).species)


def test_only_one_crystal_is_drawn_at_about_its_size():
    one = only(WIDE, honeycomb())
    assert all("C" in species(one, seed) for seed in range(20))
    spacing = one.crystal(np.random.default_rng(0), "crystal", 0.1).cell[0]
    assert abs(np.hypot(*spacing) / np.hypot(*honeycomb().cell[0]) - 1) <= 0.05


def test_the_share_says_how_often_the_second_is_drawn():
    one, two = only(WIDE, honeycomb()), only(WIDE, perovskite())
    for share in (0.0, 0.25, 1.0):
        second = sum("C" not in species(Mixture(one, two, share), seed) for seed in range(200))
        assert abs(second / 200 - share) < 0.12, share
