import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from strained_crystals import GROWN, MIDDLE, homogeneous, srtio3

from stemnet.descriptors.strain import strain
from stemnet.descriptors.table import Descriptors
from stemnet.descriptors.vegard import vegard
from stemnet.errors import StemnetError
from stemnet.simulation.distortions.chemical import chemical_interface
from stemnet.simulation.quantities.fields import Step


def test_vegards_law_is_found_and_noise_of_positions_never_exceeds_its_error():
    wall = Step(0.1, 0.7, (0.0, 1.0), MIDDLE, 12.0)
    pulls = []
    for seed in range(10):
        columns, _, specimen = srtio3(lambda s: chemical_interface(s, wall, 0.02, poisson=0.3), seed=seed)
        law = vegard(strain(columns, GROWN, GROWN), specimen.planted["composition"], name="eps_xx")
        pulls.append([(law.slope - 0.026) / law.slope_error, (law.intercept + 0.0026) / law.intercept_error])
    assert 0 < law.slope_error < 3e-4
    assert law.count > 600
    assert (np.std(pulls, axis=0) < 1.15).all()


def test_the_error_of_vegards_law_counts_strain_that_is_smooth():
    rng, grid = np.random.default_rng(0), np.stack(np.meshgrid(*[np.arange(40.0)] * 2, indexing="ij"), -1)
    yx = 20 * grid.reshape(-1, 2)
    pulls = []
    for _ in range(100):
        composition, smooth = (gaussian_filter(rng.normal(0, 1, (40, 40)), 1.2).ravel() for _ in range(2))
        table = Descriptors(
            0.01 + 0.02 * composition[:, None] + 0.001 * smooth[:, None],
            ("dilatation",),
            yx,
            np.ones(len(yx), bool),
        )
        law = vegard(table, composition)
        pulls.append([(law.slope - 0.02) / law.slope_error, (law.intercept - 0.01) / law.intercept_error])
    spread = np.std(pulls, axis=0)
    assert ((spread > 0.85) & (spread < 1.15)).all(), spread


@pytest.mark.parametrize(
    ("number", "options", "word"),
    [(None, {}, "three"), (3, {}, "one for each"), (None, {"name": "eps_zz"}, "eps_zz")],
)
def test_what_has_no_slope_is_said(number, options, word):
    columns, _, _ = srtio3(homogeneous)
    table = strain(columns, GROWN)
    with pytest.raises(StemnetError, match=word):
        vegard(table, np.ones(number or len(table)), **options)
