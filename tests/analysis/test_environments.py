import numpy as np
import pytest
from planted import polar_and_shear, table

from stemnet.analysis.comparison import rand_index
from stemnet.analysis.environments import environments
from stemnet.errors import StemnetError


def two_phases(stretched):
    """Neighbor vectors of two phases: one longer by a tenth, or one turned off the middle."""
    values, *_ = polar_and_shear(n=300, noise=0.02)
    mean = values.mean(axis=0)
    noise = np.random.default_rng(0).normal(0, 0.03, values.shape)
    label = np.arange(300) % 2
    shift = 0.1 * mean if stretched else np.tile([0.3, 0.0], len(mean) // 2)
    return table(mean + noise + label[:, None] * shift), label


def test_vectors_tell_what_angles_do_not_and_both_tell_a_shift():
    longer, label = two_phases(stretched=True)
    found = environments(longer, clusters=2)
    assert rand_index(found.vectors.labels, label) > 0.95
    assert rand_index(found.angles.labels, label) < 0.1
    moved, label = two_phases(stretched=False)
    found = environments(moved)
    assert (found.vectors.n_clusters, found.angles.n_clusters) == (2, 2)
    assert rand_index(found.vectors.labels, label) == 1
    assert rand_index(found.angles.labels, label) > 0.95
    assert abs(np.corrcoef(found.components.latent[:, 0], label)[0, 1]) > 0.95


def test_the_rand_index_leaves_out_what_one_of_them_does_not_know():
    assert rand_index(np.array([0, 0, 1, 1, -1]), np.array([1, 1, 0, 0, 0])) == 1
    assert np.isnan(rand_index(np.array([-1, 0]), np.array([0, -1])))


def test_too_few_rows_get_a_sentence():
    values, *_ = polar_and_shear(n=50)
    with pytest.raises(StemnetError, match="complete rows"):
        environments(table(values[:2]))
