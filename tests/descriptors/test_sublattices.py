import numpy as np
import pytest
from crystals import make_crystal

from stemnet.columns import Columns
from stemnet.descriptors import assign_sublattices, find_lattice


def assigned(yx, intensity, **fields):
    columns = Columns(yx, (1000, 1000), None, {"intensity": intensity, **fields})
    return assign_sublattices(columns, find_lattice(yx, intensity))


@pytest.mark.parametrize("name", ["square", "perovskite001", "perovskite110", "mos2"])
@pytest.mark.parametrize("seed", range(2))
def test_sublattices_are_found_the_brightest_first(name, seed):
    yx, intensity, label, _, _ = make_crystal(
        name, angle=seed + 0.2, noise=0.06, vacancies=0.05, false=0.03, strain=0.03, seed=seed
    )
    found = assigned(yx, intensity)
    assert np.mean(found[label >= 0] == label[label >= 0]) > 0.97


def test_false_columns_between_the_sites_belong_to_none():
    yx, intensity, label, vectors, _ = make_crystal("square", noise=0.04)
    false = yx[::40] + 0.5 * vectors[0] + 0.45 * vectors[1]
    found = assigned(np.concatenate([yx, false]), np.concatenate([intensity, np.ones(len(false))]))
    assert (found[len(yx) :] == -1).all()
    assert (found[: len(yx)] == label).mean() > 0.99


def test_equal_sublattices_are_told_apart_by_place():
    yx, intensity, label, _, _ = make_crystal("honeycomb", noise=0.06, strain=0.03)
    found = assigned(yx, intensity)
    assert max(np.mean(found == label), np.mean(found == 1 - label)) > 0.99


def test_strain_of_several_cells_across_the_image_does_not_mix_sublattices():
    yx, intensity, label, _, _ = make_crystal("perovskite001", cells=40, noise=0.03, strain=0.04)
    assert np.mean(assigned(yx, intensity) == label) > 0.995


def test_order_of_columns_axis_swap_and_translation_keep_the_labels():
    yx, intensity, _, _, _ = make_crystal("mos2", noise=0.05, vacancies=0.03)
    found = assigned(yx, intensity)
    order = np.random.default_rng(1).permutation(len(yx))
    np.testing.assert_array_equal(assigned(yx[order], intensity[order]), found[order])
    np.testing.assert_array_equal(assigned(yx[:, ::-1], intensity), found)
    np.testing.assert_array_equal(assigned(yx + np.array([7.3, -2.1]), intensity), found)


def test_each_frame_is_followed_by_itself():
    yx, intensity, label, _, _ = make_crystal("mos2", noise=0.03)
    frame = np.repeat([0, 1], len(yx))
    both = Columns(
        np.concatenate([yx, yx + 3.3]), (400, 400), None, {"intensity": np.tile(intensity, 2), "frame": frame}
    )
    found = assign_sublattices(both, find_lattice(yx, intensity))
    assert np.mean(found == np.tile(label, 2)) > 0.99
