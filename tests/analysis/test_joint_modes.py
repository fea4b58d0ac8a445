import numpy as np
import pytest
from alloy_series import series, series_errors
from planted import polar_and_shear, table

from stemnet.analysis.modes import joint_modes, mode_angles
from stemnet.columns import Columns
from stemnet.descriptors import Descriptors
from stemnet.descriptors.neighbors import neighbor_vectors
from stemnet.errors import StemnetError


def explained(scores, planted):
    """Correlation of each planted amplitude with the mix of scores that comes closest to it, and of all together."""
    known = np.isfinite(scores).all(axis=1) & np.isfinite(planted).all(axis=1)
    x, y = np.column_stack([scores[known], np.ones(known.sum())]), planted[known]
    closest = x @ np.linalg.lstsq(x, y, rcond=None)[0]
    each = [np.corrcoef(a, b)[0, 1] for a, b in zip(closest.T, y.T, strict=True)]
    return np.array(each), float(np.corrcoef(closest.ravel(), y.ravel())[0, 1])


def shapes_of(tables, planted, turns, mean):
    """What one angstrom of each planted amplitude does to the neighbors, (3, k, 2), from places without noise."""
    rows, amplitudes = [], []
    for part, amplitude, turn in zip(tables, planted, turns, strict=True):
        vectors = part.values.reshape(len(part), -1, 2)
        turned = (vectors[..., 1] + 1j * vectors[..., 0]) * np.exp(1j * turn)
        turned = np.stack([turned.imag, turned.real], axis=-1)
        average = np.nanmean(turned, axis=0)
        first = min(range(6), key=lambda shift: np.abs(np.roll(average, -shift, axis=0) - mean).sum())
        turned = np.roll(turned, -first, axis=1).reshape(len(part), -1)
        known = np.isfinite(turned).all(axis=1) & np.isfinite(amplitude).all(axis=1)
        rows.append(turned[known] - turned[known].mean(axis=0))
        amplitudes.append(amplitude[known] - amplitude[known].mean(axis=0))
    found = np.linalg.lstsq(np.concatenate(amplitudes), np.concatenate(rows), rcond=None)[0]
    return found.reshape(3, -1, 2)


@pytest.mark.parametrize(
    ("dose", "least", "least_of_each"), [(None, 0.99, 0.98), (4000, 0.95, 0.92), (3000, 0.94, 0.9)]
)
def test_the_modes_of_the_alloy_series_are_the_planted_ones(dose, least, least_of_each):
    clean, _, _ = series()
    for draw in range(1 if dose is None else 3):
        tables, planted, _ = series(dose, draw)
        modes = joint_modes(tables, 3)
        true = shapes_of(clean, planted, modes.turns, modes.mean)
        angle = np.degrees(mode_angles(modes.shapes, true)).max()
        each, together = explained(np.concatenate(modes.scores), np.concatenate(planted))
        plain = joint_modes(tables, 3, steady=False)
        _, projected = explained(np.concatenate(plain.scores), np.concatenate(planted))
        print(
            f"dose {dose}: angle {angle:.2f} degrees, correlations {each.round(3)}, together {together:.4f}, "
            f"plain projections {projected:.4f}, explained {modes.explained_variance_ratio.round(3)}"
        )
        assert angle < 10
        assert together > least
        assert each.min() > least_of_each
        assert together > projected


@pytest.mark.parametrize(("dose", "least"), [(4000, 0.97), (3000, 0.965), (1500, 0.93)])
def test_with_their_errors_modes_are_straighter_and_scores_as_expected_are_closer(dose, least):
    clean, _, _ = series()
    tables, planted, _ = series(dose)
    known = joint_modes(tables, 3, errors=series_errors(dose))
    unknown = joint_modes(tables, 3)
    angles = []
    for modes in (unknown, known):
        true = shapes_of(clean, planted, modes.turns, modes.mean)
        angles.append(np.degrees(mode_angles(modes.shapes, true)).max())
    p = np.concatenate(planted)
    scores = unknown.scores, known.scores, known.expected_scores
    before, weighted, expected = (explained(np.concatenate(part), p)[1] for part in scores)
    print(
        f"dose {dose}: modes off by {angles[0]:.1f}, with errors {angles[1]:.1f} degrees; correlations {before:.4f}, "
        f"with errors {weighted:.4f}, as expected {expected:.4f}"
    )
    assert angles[1] < 0.6 * angles[0]
    assert weighted > before - 0.002
    assert expected > least
    true = [known.in_frame(i, table.values) - known.mean.ravel() for i, table in enumerate(clean)]
    off = np.concatenate(known.scores) - np.concatenate(true) @ known.shapes.reshape(3, -1).T
    size = np.nanstd(off / np.concatenate(known.score_errors), axis=0)
    print(f"scores off by {size.round(2)} of their standard errors")
    np.testing.assert_allclose(size, 1, atol=0.12)


def test_modes_with_errors_know_their_frame():
    tables, _, _ = series(4000)
    errors = series_errors(4000)
    straight = joint_modes(tables[1:3], 3, errors=errors[1:3])
    swapped = joint_modes(tables[2:0:-1], 3, errors=errors[2:0:-1])
    np.testing.assert_allclose(swapped.explained_variance, straight.explained_variance, rtol=1e-3)
    size = [
        np.linalg.norm(part, axis=1) for part in (straight.expected_scores[0], swapped.expected_scores[1])
    ]
    np.testing.assert_allclose(size[0], size[1], rtol=1e-2, atol=1e-3)
    with pytest.raises(StemnetError, match="finite covariance per valid row"):
        joint_modes(tables[1:2], 3, errors=errors[2:3])


def test_one_basis_serves_images_that_lie_in_other_directions():
    values, amplitude, shapes = polar_and_shear(n=600, noise=0.01)
    first = table(values[:300])
    turn = 0.5
    vectors = values[300:].reshape(300, -1, 2)
    turned = (vectors[..., 1] + 1j * vectors[..., 0]) * np.exp(1j * turn)
    second = table(np.stack([turned.imag, turned.real], axis=-1).reshape(300, -1))
    modes = joint_modes([first, second], 2)
    np.testing.assert_allclose(modes.turns, [0, -turn], atol=0.02)
    assert np.degrees(mode_angles(modes.shapes, shapes.reshape(2, -1, 2))).max() < 3
    each, _ = explained(np.concatenate(modes.scores), amplitude)
    assert each.min() > 0.99
    apart = joint_modes([first, second], 2, turned=False)
    assert apart.explained_variance.sum() > 2 * modes.explained_variance.sum()


def test_rows_that_are_not_valid_are_masked_and_never_matter():
    values, _, _ = polar_and_shear()
    gaps = [0, 7, 399]
    masked = joint_modes([table(values, invalid=gaps)], 2)
    assert np.isnan(masked.scores[0][gaps]).all()
    kept = np.delete(np.arange(400), gaps)
    alone = joint_modes([table(values[kept])], 2)
    np.testing.assert_allclose(masked.scores[0][kept], alone.scores[0], atol=1e-9)


def test_order_of_columns_permutes_the_scores_and_swapped_axes_change_only_signs():
    tables, _, truths = series()
    straight = joint_modes(tables, 3)
    order = np.random.default_rng(1).permutation(len(truths[1]))
    mixed = [
        Descriptors(tables[1].values[order], tables[1].names, tables[1].yx[order], tables[1].valid[order])
    ]
    shuffled = joint_modes([tables[0], *mixed, *tables[2:]], 3)
    np.testing.assert_allclose(shuffled.shapes, straight.shapes, atol=1e-8)
    np.testing.assert_allclose(shuffled.scores[1], straight.scores[1][order], atol=1e-8)
    swapped = [
        neighbor_vectors(Columns(t.yx[:, ::-1], t.shape, t.sampling, {"sublattice": t["sublattice"]}))
        for t in truths
    ]
    mirrored = joint_modes(swapped, 3)
    np.testing.assert_allclose(mirrored.explained_variance, straight.explained_variance, rtol=0.02)
    for one, other in zip(mirrored.scores, straight.scores, strict=True):
        known = np.isfinite(one).all(axis=1) & np.isfinite(other).all(axis=1)
        size = np.linalg.norm(one[known], axis=1), np.linalg.norm(other[known], axis=1)
        assert np.corrcoef(*size)[0, 1] > 0.99


def test_angles_between_bases():
    one = np.eye(12)[:3].reshape(3, 6, 2)
    np.testing.assert_allclose(mode_angles(one, 5 * one[::-1]), 0, atol=1e-7)
    tilted = np.cos(0.3) * np.eye(12)[:1] + np.sin(0.3) * np.eye(12)[7:8]
    np.testing.assert_allclose(mode_angles(one, tilted.reshape(1, 6, 2)), [0.3])
    with pytest.raises(StemnetError, match="of one k"):
        mode_angles(one, np.ones((2, 4, 2)))


def test_what_has_no_joint_basis_gets_a_sentence():
    values, _, _ = polar_and_shear(n=50)
    good = table(values)
    with pytest.raises(StemnetError, match="of no image"):
        joint_modes([])
    with pytest.raises(StemnetError, match="one k and unit"):
        joint_modes([good, table(values[:, :6])])
    with pytest.raises(StemnetError, match="9 modes"):
        joint_modes([good], 9)
    with pytest.raises(StemnetError, match="None of the 50"):
        joint_modes([good, table(values, invalid=range(50))])
    with pytest.raises(StemnetError, match="right sampling"):
        joint_modes([good, table(2 * values)])
    with pytest.raises(StemnetError, match="complete rows"):
        joint_modes([table(values[:2])], 3)
