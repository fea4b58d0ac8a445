import numpy as np

from stemnet.analysis.extreme_deconvolution import ROWS, deconvolved


def noisy_rows(n=3000, seed=0):
    """Rows of a known distribution, each with an error covariance of its own: small, or larger than the signal."""
    rng = np.random.default_rng(seed)
    root = np.array([[1.0, 0.0, 0.0], [0.6, 0.5, 0.0], [-0.3, 0.2, 0.1]])
    true = rng.normal(size=(n, 3)) @ root.T + [1.0, 2.0, 3.0]
    size = np.where(rng.uniform(size=n) < 0.5, 0.3, 2.0)
    errors = size[:, None, None] ** 2 * (np.eye(3) + 0.5)
    noise = size[:, None] * (rng.normal(size=(n, 3)) + np.sqrt(0.5) * rng.normal(size=(n, 1)))
    return true + noise, errors, true, root @ root.T


def test_mean_and_covariance_are_those_without_the_errors():
    found, off = [], []
    for seed in range(5):
        rows, errors, _, covariance = noisy_rows(seed=seed)
        found.append(deconvolved(rows, errors))
        off.append(np.abs(np.cov(rows.T) - covariance).max())
    bias = np.mean([one.covariance for one in found], axis=0) - covariance
    print(
        f"covariance off by {np.abs(bias).max():.3f} in the mean; that of the noisy rows by {np.mean(off):.2f}"
    )
    assert np.abs(bias).max() < 0.05
    np.testing.assert_allclose(np.mean([one.mean for one in found], axis=0), [1, 2, 3], atol=0.03)


def test_what_is_expected_is_closer_than_what_was_measured_and_honest_about_it():
    rows, errors, true, _ = noisy_rows()
    found = deconvolved(rows, errors)
    expected = found.expected(rows, errors)
    before, after = (np.sqrt(((part - true) ** 2).mean()) for part in (rows, expected))
    print(f"error {before:.3f} measured, {after:.3f} as expected")
    assert after < 0.35 * before
    # the best linear estimate leaves an error that has nothing to do with it
    left = np.corrcoef((expected - true)[:, 0], expected[:, 0])[0, 1]
    assert abs(left) < 0.06


def test_rows_without_error_stay_as_they_are():
    rows, errors, *_ = noisy_rows(500)
    found = deconvolved(rows, 1e-12 * errors)
    np.testing.assert_allclose(found.covariance, np.cov(rows.T, bias=True), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(found.expected(rows, 1e-12 * errors), rows, atol=1e-5)


def test_many_rows_are_fitted_by_some_of_them():
    rows, errors, _, covariance = noisy_rows(3 * ROWS)
    assert np.abs(deconvolved(rows, errors).covariance - covariance).max() < 0.08
