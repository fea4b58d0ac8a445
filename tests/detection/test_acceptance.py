"""Network and fit judge together: what is learned is a probability, and says what it should."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

from stemnet.detection.acceptance import features
from stemnet.detection.judge import FEATURES, Acceptance, Judge
from stemnet.detection.noise import Correlation
from stemnet.errors import StemnetError


def stump(feature: int, threshold: float, low: float, high: float) -> tuple:
    return ([feature, -1, -1], [threshold, 0.0, 0.0], [1, 0, 0], [2, 0, 0], [0.0, low, high])


def test_trees_add_their_leaves_to_the_log_odds():
    trees = Acceptance(-1.0, *zip(stump(0, 0.5, -2.0, 1.0), stump(3, 2.0, 0.5, 3.0), strict=True))
    known = np.zeros((3, len(FEATURES)))
    known[1:, 0] = [0.5, 0.6]
    known[2, 3] = 9.0
    odds = np.array([-1 - 2 + 0.5, -1 - 2 + 0.5, -1 + 1 + 3])
    np.testing.assert_allclose(trees(known), 1 / (1 + np.exp(-odds)))
    other = Acceptance(0.5, *zip(stump(1, 0.0, -1.0, 1.0), strict=True))
    again = Judge.from_card(json.loads(json.dumps(Judge(trees, other).entry())))
    assert again is not None
    np.testing.assert_array_equal(again.rough(known), trees(known))
    np.testing.assert_array_equal(again.final(known), other(known))
    assert Judge.from_card({}) is None
    with pytest.raises(StemnetError, match="this version asks trees for network, significance"):
        Judge.from_card(trees.entry())
    older = {**Judge(trees, other).entry(), "features": list(FEATURES[:-1])}
    with pytest.raises(StemnetError, match="this version asks trees for network, significance"):
        Judge.from_card(older)
    assert trees(known[:0]).shape == (0,)


def fit_of(yx: list, amplitude: list, significance: list) -> SimpleNamespace:
    return SimpleNamespace(
        yx=np.array(yx, float),
        amplitude=np.array(amplitude),
        significance=np.array(significance),
        model=np.full((80, 80), 4.0),
        noise=(0.0, 1.0),
        correlation=Correlation(amplitude=4.0),
    )


def test_features_tell_a_faint_column_beside_a_bright_one_from_one_alone():
    beside = fit_of([[5, 5], [5, 13], [5, 65]], [100.0, 5.0, 5.0], [50.0, 4.0, np.nan])
    image = np.random.default_rng(0).poisson(4.0, (80, 80)).astype(float)
    image[:20, :20] += 20
    known = features(np.array([0.9, 0.2, 0.2]), image, beside, 3.0)
    network, strength, height, crowding, around, everywhere = known[:, :6].T
    assert network[0] > 0 > network[1]
    assert strength[2] == 0
    assert height[0] == 0
    assert height[1] == pytest.approx(np.log(0.05))
    assert height[2] == 0
    assert crowding[1] > 1
    assert crowding[2] < 0.01
    # What the model has no shape for is misfit, in units of the noise; elsewhere there is noise alone.
    assert around[0] > 3
    assert abs(around[2]) < 0.3
    np.testing.assert_allclose(everywhere, np.median(around))
    # Half of the noise in an amplitude is a matter of neighboring pixels.
    np.testing.assert_allclose(known[:, 6], np.log1p([100.0, 8.0, 0.0]))
    # The two faint ones are kin, and the network sees little in either.
    np.testing.assert_allclose(known[1:, 7], [0.1, 0.1], rtol=0.01)
    assert known[0, 7] < 0.01
    np.testing.assert_allclose(known[:, 10], [0, 0.5, 0.5])
    np.testing.assert_allclose(known[:, 11], [0, np.log1p(100), np.log1p(100)])
    np.testing.assert_allclose(known[:, 8:10], [[0, 0], [0.5, 0.5], [0.5, 0.5]])


@pytest.mark.parametrize("count", [0, 1, 2])
def test_few_candidates_are_described_too(count: int):
    fit = fit_of([[0, 0], [0, 9]][:count], [1.0, 1.0][:count], [9.0, 9.0][:count])
    assert features(np.full(count, 0.5), np.full((80, 80), 4.0), fit, 3.0).shape == (count, 19)
