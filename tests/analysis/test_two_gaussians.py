import numpy as np

from stemnet.analysis.two_gaussians import two_gaussians


def test_two_populations_come_back():
    rng = np.random.default_rng(0)
    samples = np.concatenate([rng.normal(-3, 1, (20, 60)), rng.normal(4, 0.5, (20, 140))], axis=1)
    gain, means, sigmas, weights = two_gaussians(samples)
    np.testing.assert_allclose(means.mean(axis=0), [-3, 4], atol=0.1)
    np.testing.assert_allclose(sigmas.mean(axis=0), [1, 0.5], atol=0.1)
    np.testing.assert_allclose(weights.mean(axis=0), [0.3, 0.7], atol=0.02)
    assert gain.min() > 100


def test_the_gain_is_that_of_the_likelihood_and_unit_and_order_do_not_matter():
    rng = np.random.default_rng(1)
    sample = rng.standard_t(4, 150)
    gain, means, sigmas, weights = (part[0] for part in two_gaussians(sample[None]))
    density = (weights / sigmas * np.exp(-(((sample[:, None] - means) / sigmas) ** 2) / 2)).sum(axis=1)
    one = np.exp(-(((sample - sample.mean()) / sample.std()) ** 2) / 2) / sample.std()
    np.testing.assert_allclose(gain, 2 * np.log(density / one).sum(), rtol=0.02)
    again = two_gaussians(-50 * rng.permutation(sample)[None])
    np.testing.assert_allclose(again[0], gain, rtol=1e-3)
    np.testing.assert_allclose(again[1][0], -50 * means[::-1], rtol=1e-2)


def test_one_gaussian_gains_little():
    gain = two_gaussians(np.random.default_rng(2).standard_normal((200, 100)))[0]
    print(
        f"gain of a second Gaussian: median {np.median(gain):.2f}, 95 % below {np.percentile(gain, 95):.2f}"
    )
    assert (gain > -0.5).all()
    # McLachlan and Basford, Mixture Models (1988): about chi-square of four to six degrees
    assert 2 < np.median(gain) < 7
    assert np.percentile(gain, 95) < 16
