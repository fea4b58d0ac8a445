"""The autoencoder whose latent does not know how a row lies."""

import numpy as np
import pytest
from scipy.ndimage import rotate
from sklearn.linear_model import LinearRegression

from stemnet.analysis import VariationalAutoencoder
from stemnet.errors import StemnetError

SIZE = 24
MIDDLE = (SIZE - 1) / 2


def patches(count, noise, shift=0.0, seed=0):
    """Patches (N, 24, 24) of five columns in any orientation, one of them displaced; angles, displacements, shifts."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:SIZE, :SIZE] - MIDDLE
    angle, moved = rng.uniform(-np.pi, np.pi, count), rng.normal(size=count)
    off = shift * rng.normal(size=(count, 2))
    images = noise * rng.normal(size=(count, SIZE, SIZE))
    for r, direction, height in ((0, 0, 1), (6, 0.3, 1), (6, 2.2, 0.5), (7, 4.1, 0.8), (3, 5, 0.3)):
        far = r + moved if r == 7 else np.full(count, float(r))
        cy, cx = far * np.sin(direction + angle), far * np.cos(direction + angle)
        squares = (y - (off[:, 0] + cy)[:, None, None]) ** 2 + (x - (off[:, 1] + cx)[:, None, None]) ** 2
        images += height * np.exp(-squares / 2 / 2.0**2)
    return images, angle, moved, off


def turned_off(found, planted):
    """Differences of angles without the one that all have in common [deg]."""
    apart = found - planted
    return np.degrees(np.angle(np.exp(1j * (apart - np.angle(np.exp(1j * apart).mean())))))


def r2(latent, planted):
    return LinearRegression().fit(latent, planted).score(latent, planted)


@pytest.fixture(scope="module")
def fitted():
    return VariationalAutoencoder(2, invariance="rotation", max_epochs=60).fit(patches(1500, 0.1)[0])


def test_the_angle_is_found_and_its_error_bar_is_right(fitted):
    X, angle, moved, _ = patches(600, 0.1, seed=1)
    pose = fitted.pose(X)
    off = turned_off(pose.angle, angle)
    pull = np.sqrt(np.mean((np.radians(off) / pose.angle_sigma) ** 2))
    explained = r2(fitted.transform(X), moved)
    print(
        f"angle error {off.std():.2f} deg rms, {pull:.2f} of its error bar; displacement R2 {explained:.3f}"
    )
    assert off.std() < 1.0
    assert 0.8 < pull < 1.4
    assert explained > 0.95
    assert pose.shift is None
    assert pose.log_scale is None


@pytest.mark.parametrize("turn", [1, 2, 3])
def test_a_quarter_turn_moves_the_angle_alone_and_exactly(fitted, turn):
    X = patches(50, 0.1, seed=2)[0]
    # rot90 turns from the second axis to the first, angles run from +x towards +y
    after = np.rot90(X, turn, axes=(2, 1))
    np.testing.assert_allclose(fitted.transform(after), fitted.transform(X), atol=1e-6)
    step = fitted.pose(after).angle - fitted.pose(X).angle - turn * np.pi / 2
    np.testing.assert_allclose(np.angle(np.exp(1j * step)), 0, atol=1e-6)


def test_any_turn_moves_the_angle_by_as_much(fitted):
    X = patches(40, 0.0, seed=3)[0]
    after = np.array([rotate(one, -25.0, reshape=False, order=3) for one in X])
    step = np.degrees(fitted.pose(after).angle - fitted.pose(X).angle)
    assert np.abs((step + 180) % 360 - 180 - 25).max() < 0.5
    spread = fitted.transform(X).std(axis=0).max()
    assert np.abs(fitted.transform(after) - fitted.transform(X)).max() < 0.1 * spread


def test_rows_are_reconstructed_in_their_own_pose(fitted):
    X = patches(200, 0.1, seed=4)[0]
    inside = fitted.prepared_.waves.inside.reshape(SIZE, SIZE)
    rest = (fitted.reconstruct(X) - X)[:, inside]
    assert rest.std() < 0.11
    assert fitted.inverse_transform(fitted.transform(X)).shape == X.shape
    assert abs(fitted.noise_ - 0.1) < 0.01
    assert fitted.sample(3).shape == (3, SIZE, SIZE)
    mean, width = fitted.posterior(X)
    assert (mean == fitted.transform(X)).all()
    assert ((width > 0) & (width < 1.1)).all()


def test_one_latent_says_more_than_that_of_the_plain_model_at_equal_size():
    X, _, moved, _ = patches(1500, 0.1)
    plain = VariationalAutoencoder(2, max_epochs=30).fit(X)
    invariant = VariationalAutoencoder(2, invariance="rotation", max_epochs=30).fit(X)
    assert r2(plain.transform(X), moved) < 0.3
    assert r2(invariant.transform(X), moved) > 0.9


def test_shifts_are_found_with_their_error_bars():
    X, angle, _, off = patches(1200, 0.2, shift=0.7)
    model = VariationalAutoencoder(1, invariance="rotation+translation", max_epochs=20).fit(X)
    pose = model.pose(X)
    c, s = np.cos(pose.angle), np.sin(pose.angle)
    shift = np.stack(
        [pose.shift[:, 0] * c + pose.shift[:, 1] * s, pose.shift[:, 1] * c - pose.shift[:, 0] * s], 1
    )
    close = np.abs(turned_off(pose.angle, angle)) < 10
    rest = (shift - off)[close]
    print(f"{close.mean():.1%} of angles within 10 deg; shift error {rest.std():.3f} px of {off.std():.3f}")
    assert close.mean() > 0.98
    assert rest.std() < 0.4 * off.std()


def test_scales_are_found():
    rng = np.random.default_rng(0)
    growth = 0.08 * rng.normal(size=800)
    vectors = np.array([[0, 1], [1, 0.2], [0.3, -1.1], [-0.9, 0.1]])
    angle = rng.uniform(-np.pi, np.pi, 800)
    c, s = np.cos(angle)[:, None], np.sin(angle)[:, None]
    y, x = vectors[:, 0], vectors[:, 1]
    rows = np.exp(growth)[:, None, None] * np.stack([x * s + y * c, x * c - y * s], axis=2)
    rows = rows.reshape(800, -1) + 0.01 * rng.normal(size=(800, 8))
    model = VariationalAutoencoder(1, invariance="rotation+scale", max_epochs=20).fit(rows)
    pose = model.pose(rows)
    assert np.corrcoef(pose.log_scale, growth)[0, 1] > 0.98
    assert np.abs(turned_off(pose.angle, angle)).max() < 3


def test_vectors_of_turned_neighborhoods():
    rng = np.random.default_rng(0)
    vectors = np.array([[0, 1], [1, 0.2], [0.3, -1.1], [-0.9, 0.1]])
    angle, mode = rng.uniform(-np.pi, np.pi, 1000), rng.normal(size=1000)
    moved = vectors + 0.15 * mode[:, None, None] * np.array([[0.5, 0], [0, -0.5], [0.5, 0.5], [0, 0]])
    c, s = np.cos(angle)[:, None], np.sin(angle)[:, None]
    y, x = moved[..., 0], moved[..., 1]
    rows = np.stack([x * s + y * c, x * c - y * s], axis=2).reshape(1000, -1) + 0.02 * rng.normal(
        size=(1000, 8)
    )
    model = VariationalAutoencoder(1, invariance="rotation", max_epochs=30).fit(rows)
    assert r2(model.transform(rows), mode) > 0.85
    assert turned_off(model.pose(rows).angle, angle).std() < 4
    assert (model.reconstruct(rows) - rows).std() < 0.03


@pytest.mark.parametrize(
    ("X", "invariance", "words"),
    [
        (np.random.default_rng(0).random((20, 6)), "mirror", "invariance='mirror' is not known"),
        (np.random.default_rng(0).random((20, 7)), "rotation", "Rows of 7 numbers"),
        (np.random.default_rng(0).random((20, 8, 9)), "rotation", "8 x 9 pixels"),
        (np.random.default_rng(0).random((20, 6)), "rotation+translation", "a shift leaves"),
        (np.random.default_rng(0).random((20, 3, 3)), "rotation", "patches need 4 px"),
    ],
)
def test_what_cannot_be_invariant_is_said(X, invariance, words):
    with pytest.raises(StemnetError, match=words):
        VariationalAutoencoder(1, invariance=invariance, max_epochs=1).fit(X)


def test_a_pose_needs_an_invariance():
    X = patches(30, 0.1)[0]
    with pytest.raises(StemnetError, match="without invariance"):
        VariationalAutoencoder(1, max_epochs=1).fit(X).pose(X)


def test_same_seed_same_table():
    X = patches(200, 0.2)[0]
    first, second = (
        VariationalAutoencoder(2, invariance="rotation", max_epochs=3, random_state=4).fit(X)
        for _ in range(2)
    )
    np.testing.assert_array_equal(first.transform(X), second.transform(X))
    np.testing.assert_array_equal(first.pose(X).angle, second.pose(X).angle)


@pytest.mark.parametrize("fold", [1, 2, 3, 4, 6])
def test_the_symmetry_of_what_is_decoded_is_found(fold):
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:SIZE, :SIZE] - MIDDLE
    angle = rng.uniform(-np.pi, np.pi, 300)
    X = 0.1 * rng.normal(size=(300, SIZE, SIZE)) + np.exp(-(y**2 + x**2) / 2 / 1.5**2)
    for corner in range(fold):
        direction = angle + 2 * np.pi * corner / fold
        cy, cx = 7 * np.sin(direction), 7 * np.cos(direction)
        X += np.exp(-((y - cy[:, None, None]) ** 2 + (x - cx[:, None, None]) ** 2) / 2 / 1.5**2)
    model = VariationalAutoencoder(1, invariance="rotation", max_epochs=3).fit(X)
    assert model.fold_ == fold
    assert turned_off(fold * model.pose(X).angle, fold * angle).std() < 3 * fold
