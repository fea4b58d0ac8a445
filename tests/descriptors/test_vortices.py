import numpy as np
import pytest
from polar_crystals import QUARTER_TURN, SPACING, SWAP, cell_places, measured_example

from stemnet.descriptors.indices import lattice_indices
from stemnet.descriptors.vortices import find_vortices
from stemnet.errors import StemnetError
from stemnet.simulation.distortions.closures import Vortex


@pytest.mark.parametrize("loop", [2, 3])
@pytest.mark.parametrize("angle", [0.1, 1.7])
@pytest.mark.parametrize(
    ("winding", "helicity", "circulation"),
    [(1, np.pi / 2, 0.9), (1, -np.pi / 2, -0.9), (1, 0.0, 0.0), (-1, 0.3, 0.0)],
)
def test_a_planted_vortex_is_found_with_its_winding_and_sense(winding, helicity, circulation, angle, loop):
    cells, yx = cell_places(angle=angle)
    center = np.array([31.0, -50.0])
    vectors = Vortex(tuple(center), 15.0, winding, helicity)(yx)
    vectors = vectors + np.random.default_rng(0).normal(0, 0.1, vectors.shape)
    found = find_vortices(cells, yx, vectors, np.full(vectors.shape, 0.1), loop=loop)
    np.testing.assert_array_equal(found.winding, [winding])
    assert np.hypot(*(found.yx[0] - center)) < SPACING
    assert found.circulation[0] == pytest.approx(circulation, abs=0.15)
    assert found.margin[0] >= 2


def test_uniform_vectors_and_mere_errors_have_no_vortex():
    cells, yx = cell_places()
    rng = np.random.default_rng(0)
    sigma = np.full(yx.shape, 0.2)
    assert len(find_vortices(cells, yx, rng.normal([1.0, 0.3], 0.2, yx.shape), sigma)) == 0
    errors = rng.normal(0, 0.2, yx.shape)
    for loop in (1, 2, 3):
        assert len(find_vortices(cells, yx, errors, sigma, loop=loop)) == 0
    assert len(find_vortices(cells, yx, errors, loop=1)) > 10  # which nothing but the error bars refuses


def test_the_plaquette_of_four_columns_is_the_smallest_loop():
    cells, yx = cell_places()
    found = find_vortices(cells, yx, Vortex((0.0, 0.0), 15.0)(yx), loop=1)
    np.testing.assert_allclose(found.yx, [[0.0, 0.0]], atol=1e-9)
    assert found.circulation[0] == pytest.approx(np.sqrt(0.5))  # the corners' unit vectors, along the edges
    assert found.margin[0] == np.inf


def test_vortices_do_not_depend_on_the_order_and_turn_with_the_image():
    cells, yx = cell_places()
    vectors = Vortex((10.0, 40.0), 15.0)(yx)
    found = find_vortices(cells, yx, vectors)
    order = np.random.default_rng(0).permutation(len(yx))
    shuffled = find_vortices(cells[order], yx[order], vectors[order])
    np.testing.assert_allclose(shuffled.yx, found.yx)
    turned = find_vortices(cells, yx @ QUARTER_TURN, vectors @ QUARTER_TURN)
    np.testing.assert_allclose(turned.yx, found.yx @ QUARTER_TURN, atol=1e-9)
    np.testing.assert_allclose(turned.circulation, found.circulation)
    swapped = find_vortices(cells, yx @ SWAP, vectors @ SWAP)
    np.testing.assert_array_equal(swapped.winding, found.winding)
    np.testing.assert_allclose(swapped.circulation, -found.circulation)


@pytest.mark.parametrize("loop", [2, 3])
def test_the_vortices_of_a_superlattice_are_found(loop):
    found, planted, columns = measured_example("pbtio3_polar")
    cells = lattice_indices(columns, found.lattice)
    vortices = find_vortices(cells, found.yx, found.vectors, found.errors, valid=found.valid, loop=loop)
    true = find_vortices(cells, found.yx, planted, valid=found.valid & (columns["domain"] >= 0), loop=1)
    print(
        "pbtio3_polar",
        vortices.yx.round(0).tolist(),
        vortices.circulation.round(2),
        "planted",
        true.yx.round(0).tolist(),
    )
    assert vortices.winding.tolist() == [1, 1]
    assert sorted(np.sign(vortices.circulation)) == [-1, 1]
    # the label of the domains is the sense: 0 runs from +x towards +y
    for place, circulation in zip(vortices.yx, vortices.circulation, strict=True):
        near = np.hypot(*(found.yx - place).T) < 60
        assert np.median(columns["domain"][near & (columns["domain"] >= 0)]) == (0 if circulation > 0 else 1)
        assert np.hypot(*(true.yx - place).T).min() < 30  # about a cell


def test_an_incomplete_square_is_refused():
    cells, yx = cell_places(cells=3)
    with pytest.raises(StemnetError, match="No square of 3 by 3 cells is complete among 9 vectors"):
        find_vortices(cells, yx, yx, loop=3)
    with pytest.raises(StemnetError, match="among 0 vectors"):
        find_vortices(np.full_like(cells, -1), yx, yx)
