"""Classes, conditions, known labels, shares: what the autoencoder can be told and can find besides its latent."""

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression
from sklearn.metrics import adjusted_rand_score

from stemnet.analysis import VariationalAutoencoder
from stemnet.errors import StemnetError


def two_phases(count=1200, apart=1.0, noise=0.15, seed=0):
    """Rows of two phases (N, 12) with one mode in common; phase and amplitude."""
    world, rng = np.random.default_rng(7), np.random.default_rng(seed)
    means, mode = apart * world.normal(size=(2, 12)), world.normal(size=12)
    phase, amplitude = rng.integers(0, 2, count), rng.normal(size=count)
    rows = means[phase] + 0.3 * amplitude[:, None] * mode + noise * rng.normal(size=(count, 12))
    return rows, phase, amplitude


def r2(latent, planted):
    return LinearRegression().fit(latent, planted).score(latent, planted)


def test_classes_take_the_phases_and_the_latent_what_varies_within():
    X, _, _ = two_phases()
    model = VariationalAutoencoder(1, n_classes=2, max_epochs=10).fit(X)
    again, phase_there, amplitude_there = two_phases(seed=1)
    found = model.predict(again)
    print("ARI", adjusted_rand_score(phase_there, found), "R2", r2(model.transform(again), amplitude_there))
    assert adjusted_rand_score(phase_there, found) > 0.99
    assert r2(model.transform(again), amplitude_there) > 0.9
    np.testing.assert_allclose(model.predict_proba(again).sum(axis=1), 1)
    plain = VariationalAutoencoder(1, max_epochs=10).fit(X)
    assert r2(plain.transform(again), amplitude_there) < 0.5
    assert model.score(again) > plain.score(again) + 5
    assert (model.reconstruct(again) - again).std() < 0.17


def test_probabilities_of_classes_are_calibrated_where_phases_overlap():
    X, _, _ = two_phases(3000, apart=0.35, noise=0.3)
    model = VariationalAutoencoder(1, n_classes=2, max_epochs=20).fit(X)
    again, there, _ = two_phases(3000, apart=0.35, noise=0.3, seed=1)
    probability = model.predict_proba(again)
    found = probability.argmax(axis=1)
    right = max((found == there).mean(), (found != there).mean())
    print(f"right {right:.3f}, promised {probability.max(axis=1).mean():.3f}")
    assert 0.75 < right < 0.999
    assert abs(probability.max(axis=1).mean() - right) < 0.03


def test_few_known_classes_name_the_others():
    X, phase, _ = two_phases()
    y = np.full(len(X), -1)
    y[:10] = phase[:10]
    model = VariationalAutoencoder(1, n_classes=2, max_epochs=20).fit(X, y)
    assert (model.predict(X) == phase).mean() > 0.99
    swapped = VariationalAutoencoder(1, n_classes=2, max_epochs=20).fit(X, np.where(y < 0, y, 1 - y))
    assert (swapped.predict(X) == 1 - phase).mean() > 0.99


def test_what_is_told_need_not_be_said_by_the_latent():
    rng = np.random.default_rng(0)
    composition, amplitude = rng.uniform(0, 1, 1500), rng.normal(size=1500)
    directions = rng.normal(size=(2, 12))
    X = np.outer(2 * composition, directions[0]) + np.outer(0.3 * amplitude, directions[1])
    X = X + 0.1 * rng.normal(size=X.shape)
    untold = VariationalAutoencoder(1, max_epochs=30).fit(X)
    told = VariationalAutoencoder(1, max_epochs=60).fit(X, condition=composition)
    latent = told.transform(X, composition)
    print("R2 of the amplitude: untold", r2(untold.transform(X), amplitude), "told", r2(latent, amplitude))
    assert r2(untold.transform(X), amplitude) < 0.3
    assert r2(latent, amplitude) > 0.85
    assert r2(latent, composition) < 0.1
    low, high = (told.inverse_transform(np.zeros((1, 1)), condition=[value])[0] for value in (0.1, 0.9))
    step = high - low
    assert abs(step @ directions[0]) / np.linalg.norm(step) / np.linalg.norm(directions[0]) > 0.97


def test_turned_patches_of_two_kinds_fall_into_two_classes():
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:20, :20] - 9.5
    angle, kind = rng.uniform(-np.pi, np.pi, 800), rng.integers(0, 2, 800)
    X = 0.2 * rng.normal(size=(800, 20, 20))
    for corner in range(3):
        # a triangle, and three in a row
        radius = np.where(kind == 0, 5.5, [0.0, 5.5, 5.5][corner])
        direction = angle + np.where(kind == 0, corner * 2 * np.pi / 3, corner * np.pi)
        cy, cx = radius * np.sin(direction), radius * np.cos(direction)
        X += np.exp(-((y - cy[:, None, None]) ** 2 + (x - cx[:, None, None]) ** 2) / 2 / 1.8**2)
    model = VariationalAutoencoder(1, invariance="rotation", n_classes=2, max_epochs=15).fit(X)
    print("ARI", adjusted_rand_score(kind, model.predict(X)))
    assert adjusted_rand_score(kind, model.predict(X)) > 0.98


def test_shares_are_decoded_as_shares():
    rng = np.random.default_rng(0)
    t = rng.uniform(-2, 2, 800)
    shares = 1 / (1 + np.exp(-np.outer(t, rng.normal(size=16)) * 2))
    X = (rng.random(shares.shape) < shares).astype(float)
    model = VariationalAutoencoder(1, likelihood="bernoulli", max_epochs=60).fit(X)
    decoded = model.inverse_transform(model.transform(X))
    assert ((decoded > 0) & (decoded < 1)).all()
    assert np.abs(decoded - shares).mean() < 0.15
    assert np.abs(np.corrcoef(model.transform(X)[:, 0], t)[0, 1]) > 0.9
    assert model.score(X) > np.mean(np.sum(X * np.log(X.mean(0)) + (1 - X) * np.log(1 - X.mean(0)), axis=1))


def test_free_nats_and_warm_up_keep_a_latent_from_collapsing():
    X = two_phases()[0][:400]
    strict = VariationalAutoencoder(4, beta=10.0, max_epochs=40, patience=40).fit(X)
    free = VariationalAutoencoder(4, beta=10.0, free_nats=1.0, warm_up=10, max_epochs=40, patience=40).fit(X)
    print("KL", strict.kl_, free.kl_)
    assert (free.kl_ > 0.1).sum() >= (strict.kl_ > 0.1).sum()
    assert free.kl_.sum() > strict.kl_.sum()


@pytest.mark.parametrize(
    ("options", "told", "words"),
    [
        ({"likelihood": "bernoulli"}, {}, "shares between 0 and 1"),
        ({"likelihood": "poisson"}, {}, "likelihood='poisson'"),
        ({"likelihood": "bernoulli", "invariance": "rotation"}, {}, "without an invariance"),
        ({}, {"condition": np.zeros(5)}, "for 30 rows"),
        ({}, {"condition": np.full(30, np.nan)}, "give finite numbers"),
        ({"n_classes": 2}, {"y": np.full(30, 2)}, "from 0 to 1"),
        ({"n_classes": 2}, {"y": np.zeros(30)}, "give whole numbers"),
        ({"n_classes": 2}, {"y": np.zeros(7, int)}, "shape \\(7,\\)"),
    ],
)
def test_what_cannot_be_told_is_said(options, told, words):
    X = 3 * np.random.default_rng(0).normal(size=(30, 6))
    with pytest.raises(StemnetError, match=words):
        VariationalAutoencoder(1, max_epochs=1, **options).fit(X, **told)


def test_the_latent_does_not_hold_what_was_told_however_strong_it_is():
    rng = np.random.default_rng(0)
    told, other, ways = rng.normal(size=600), rng.normal(size=600), rng.normal(size=(2, 12))
    X = np.column_stack([3 * told, other]) @ ways + 0.3 * rng.normal(size=(600, 12))
    model = VariationalAutoencoder(1, max_epochs=20, random_state=0)
    free = model.fit_transform(X)[:, 0]
    assert abs(np.corrcoef(free, told)[0, 1]) > 0.95
    latent = model.fit(X, condition=told).transform(X, condition=told)[:, 0]
    assert abs(np.corrcoef(latent, told)[0, 1]) < 0.1
    assert abs(np.corrcoef(latent, other)[0, 1]) > 0.95


def test_the_same_conditions_are_needed_again():
    X = np.random.default_rng(0).normal(size=(30, 6))
    model = VariationalAutoencoder(1, max_epochs=1).fit(X, condition=np.arange(30))
    with pytest.raises(StemnetError, match="fitted with 1"):
        model.transform(X)
    assert not hasattr(model, "predict")
