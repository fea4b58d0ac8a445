import numpy as np
import pytest
from alloy_series import COMPOSITIONS, series

from stemnet.analysis.modes import joint_modes
from stemnet.analysis.score_surface import score_surface
from stemnet.errors import StemnetError


def planted_surface(local, composition):
    return 0.1 + 0.4 * composition * local / 6


def drawn(seed, noise=0.1, columns=350):
    rng = np.random.default_rng(seed)
    local = [rng.binomial(6, c, columns).astype(float) for c in COMPOSITIONS]
    pairs = zip(local, COMPOSITIONS, strict=True)
    return [planted_surface(n, c) + noise * rng.normal(size=columns) for n, c in pairs], local


def test_a_planted_surface_comes_back_within_its_error():
    off, inside = [], []
    for seed in range(6):
        scores, local = drawn(seed)
        found = score_surface(scores, local, COMPOSITIONS)
        error = found.mean - planted_surface(found.local, found.global_[:, None])
        # in corners far from any bin the surface says only that it does not know
        supported = found.sigma < 0.04
        off.append(np.sqrt(np.mean(error[supported] ** 2)))
        inside.append(np.mean(np.abs(error) < 2 * found.sigma))
    print(f"surface off by {np.mean(off):.4f} (planted 0.1 to 0.5), {np.mean(inside):.2f} within two sigma")
    assert np.mean(off) < 0.02
    assert np.mean(inside) > 0.85


def test_the_error_of_a_surface_grows_away_from_its_bins_and_order_does_not_matter():
    scores, local = drawn(0)
    found = score_surface(scores, local, COMPOSITIONS)
    assert found.sigma[0, -1] > 2 * found.sigma[0, 0]  # nobody has six Re neighbors at 5 % Re
    order = np.random.default_rng(0).permutation(350)
    shuffled = [part[order] for part in scores], [part[order] for part in local]
    np.testing.assert_allclose(score_surface(*shuffled, COMPOSITIONS).mean, found.mean, atol=1e-4)
    masked = (
        [np.append(part, [np.nan, 5.0]) for part in scores],
        [np.append(part, [3.0, -1.0]) for part in local],
    )
    np.testing.assert_allclose(score_surface(*masked, COMPOSITIONS).mean, found.mean, atol=1e-8)


def test_the_more_rhenium_is_around_a_metal_of_the_series_the_more_it_moves():
    tables, _, truths = series()
    modes = joint_modes(tables, 3)
    size = [np.linalg.norm(scores, axis=1) for scores in modes.scores]
    counts = [
        np.where(part.valid, 6 * truth["local_composition"], np.nan).round()
        for part, truth in zip(tables, truths, strict=True)
    ]
    surface = score_surface(size, counts, COMPOSITIONS)
    print(surface.verdict)
    assert surface.mean[-1, -1] > 3 * surface.mean[0, 0]


def test_what_makes_no_surface_gets_a_sentence():
    scores, local = drawn(0)
    with pytest.raises(StemnetError, match="one environment per column"):
        score_surface(scores, local, COMPOSITIONS[:2])
    with pytest.raises(StemnetError, match="bins of local"):
        score_surface(scores[:1], local[:1], COMPOSITIONS[:1])
