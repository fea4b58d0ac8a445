import numpy as np
import pytest
from polar_crystals import QUARTER_TURN, SWAP, measured_example, scattered_wall

from stemnet.descriptors.domains import find_domains
from stemnet.errors import StemnetError


@pytest.mark.parametrize(("name", "number"), [("pbtio3_domains", 2), ("bifeo3_closure", 3)])
def test_domains_of_the_examples_are_the_planted_ones(name, number):
    found, _, columns = measured_example(name)
    domains = find_domains(found.vectors, found.errors)
    known = domains.label >= 0
    true = columns["domain"].astype(int)
    right = sum(np.bincount(true[domains.label == label]).max() for label in range(len(domains)))
    print(
        name,
        domains.sentence,
        f"{right / known.sum():.1%} right of {known.sum()} known of {found.valid.sum()}",
    )
    assert len(domains) == number
    assert right > 0.97 * known.sum()
    assert known.sum() > 0.9 * found.valid.sum()
    assert not known[~found.valid].any()


@pytest.mark.parametrize("count", [1, 2, 3, 4, 8])
def test_the_number_of_domains_is_found(count):
    rng = np.random.default_rng(count)
    angle = 0.3 + 2 * np.pi * rng.integers(0, count, 600) / count
    vectors = np.stack([np.sin(angle), np.cos(angle)], axis=1) + rng.normal(0, 0.12, (600, 2))
    domains = find_domains(vectors, np.full(vectors.shape, 0.12))
    assert len(domains) == count
    assert domains.spread == pytest.approx(0.12, rel=0.1)
    assert (domains.label >= 0).mean() > 0.9
    wanted = 0.3 + 2 * np.pi * np.arange(count) / count
    off = np.abs(np.angle(np.exp(1j * (domains.angles[:, None] - wanted))))
    assert off.min(axis=1).max() < 0.1
    assert len(set(off.argmin(axis=1))) == count


def test_errors_alone_are_one_domain_and_it_is_said():
    for seed in range(6):
        domains = find_domains(np.random.default_rng(seed).normal(0, 0.1, (400, 2)))
        assert len(domains) == 1
        assert domains.sentence.startswith("No groups of vectors stand apart")


def test_what_is_not_polar_is_called_so():
    rng = np.random.default_rng(0)
    vectors = rng.normal(0, 0.1, (400, 2)) + np.where(np.arange(400)[:, None] < 250, 0.0, [1.0, 0.0])
    domains = find_domains(vectors)
    assert "62% not polar" in domains.sentence
    assert "at 90" in domains.sentence


def test_the_number_may_be_said():
    _, vectors, _ = scattered_wall()
    assert len(find_domains(vectors, count=1)) == 1
    assert len(find_domains(vectors, count=2)) == 2
    with pytest.raises(StemnetError, match="9 domains were asked for"):
        find_domains(vectors, count=9)


def test_domains_do_not_depend_on_the_order_and_turn_with_the_image():
    found, _, _ = measured_example("bifeo3_closure")
    domains = find_domains(found.vectors, found.errors)
    order = np.random.default_rng(0).permutation(len(found))
    shuffled = find_domains(found.vectors[order], found.errors[order])
    np.testing.assert_array_equal(shuffled.label, domains.label[order])
    for change in (QUARTER_TURN, SWAP):
        turned = find_domains(found.vectors @ change, found.errors)
        np.testing.assert_array_equal(turned.label, domains.label)
        np.testing.assert_allclose(turned.means, domains.means @ change, atol=1e-3)


@pytest.mark.parametrize("number", [0, 11])
def test_too_few_vectors_are_refused(number):
    with pytest.raises(StemnetError, match=f"{number} vectors were given; domains need 12"):
        find_domains(np.zeros((number, 2)))
