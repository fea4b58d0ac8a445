"""Intervals, and the sentence that they support."""

import numpy as np
import pytest

from stemnet.analysis.resampling import Interval, over_rows, over_seeds
from stemnet.analysis.verdict import against, equals_of_the_best, verdict


def around(value, half=0.02):
    return Interval(value, value - half, value + half)


def test_one_method_alone_finds_it():
    scores = {"PCA": around(0.1), "rVAE": around(0.97), "VAE": around(0.3)}
    assert verdict(scores, "the domains", "ARI") == (
        "rVAE alone finds the domains (ARI 0.97 ± 0.02; next VAE, 0.30 ± 0.02)"
    )


def test_overlap_is_equality():
    scores = {"PCA": around(0.95), "VAE": around(0.93), "k-means": around(0.6)}
    assert equals_of_the_best(scores) == ["PCA", "VAE"]
    assert verdict(scores, "the modes", "R2") == (
        "PCA and VAE, equal within error, find the modes (R2 0.93 to 0.95; next k-means, 0.60 ± 0.02)"
    )
    assert against("VAE", "PCA", scores).startswith("VAE and PCA are equal within error")
    assert against("k-means", "PCA", scores).startswith("k-means is worse than PCA")
    assert against("PCA", "k-means", scores).startswith("PCA is better than k-means")


def test_a_second_one_that_finds_it_too_takes_the_word_alone_away():
    said = verdict({"a": around(0.99, 0.001), "b": around(0.92, 0.001)}, "it", "ARI")
    assert said == "a finds it (ARI 0.99 ± 0.00; next b, 0.92 ± 0.00)"


@pytest.mark.parametrize(
    ("value", "words"), [(0.7, "a alone sees it in part"), (0.2, "no method finds it: the best is a")]
)
def test_less_than_found(value, words):
    assert verdict({"a": around(value), "b": around(0.1)}, "it", "R2").startswith(words)


def test_methods_without_a_number_are_left_out():
    nothing = Interval(np.nan, np.nan, np.nan)
    assert equals_of_the_best({"a": nothing, "b": around(0.5)}) == ["b"]
    assert verdict({"a": nothing}, "it", "R2") == "no method says anything of it"
    assert "cannot be compared" in against("a", "b", {"a": nothing, "b": around(0.5)})


def test_intervals_over_seeds_hold_the_mean_as_often_as_they_say():
    rng = np.random.default_rng(0)
    held = [over_seeds(rng.normal(size=6)) for _ in range(2000)]
    share = np.mean([one.low < 0 < one.high for one in held])
    print(share)
    assert share == pytest.approx(0.95, abs=0.015)
    assert over_seeds([1.0, np.nan]) == Interval(1.0, 1.0, 1.0)
    assert np.isnan(over_seeds([]).value)


def test_intervals_over_rows_are_about_as_wide_as_the_standard_error():
    values = np.random.default_rng(0).normal(size=400)
    found = over_rows(lambda rows: values[rows].mean(), 400, draws=1000)
    assert found.value == values.mean()
    assert found.high - found.low == pytest.approx(2 * 1.96 * values.std() / 20, rel=0.1)
    assert found == over_rows(lambda rows: values[rows].mean(), 400, draws=1000)
