import numpy as np
import pytest
from polar_crystals import noisy_example, polar_perovskite

from stemnet.columns import Columns
from stemnet.descriptors.polarization import polarization
from stemnet.errors import StemnetError


@pytest.mark.parametrize("name", ["pbtio3_domains", "bifeo3_closure", "pbtio3_polar"])
def test_errors_per_cell_are_those_of_the_positions(name):
    columns, planted = noisy_example(name)
    found = polarization(columns)
    rest = (found.vectors - planted)[found.valid]
    ratio = np.sqrt((rest**2).mean() / (found.errors[found.valid] ** 2).mean())
    share = found.valid.sum() / (columns["sublattice"] == 1).sum()
    pm = 100 * columns.sampling
    print(
        f"{name}: {found.valid.sum()} cells ({share:.0%} of B), rms error {np.sqrt((rest**2).mean()) * pm:.2f} pm per "
        f"axis, {ratio:.3f} of what the error bars say; bias {rest.mean(axis=0) * pm} pm"
    )
    assert 0.85 < ratio < 1.2
    assert share > 0.85
    assert not found.valid[columns["sublattice"] != 1].any()


def test_the_sublattices_are_found_where_nobody_says_them():
    columns, planted = noisy_example("bifeo3_closure")
    bare = Columns(
        columns.yx, columns.shape, columns.sampling, {"intensity": columns["intensity"].astype(float)}
    )
    found = polarization(bare, position_error=0.2)
    rest = (found.vectors - planted)[found.valid]
    assert found.valid.sum() > 350
    assert np.sqrt((rest**2).mean()) < 1.2 * np.sqrt((found.errors[found.valid] ** 2).mean())


def test_a_table_says_pixels_and_picometers_and_what_was_taken_off():
    columns = polar_perovskite(shift=(1.0, -0.5), error=0.0)
    found = polarization(columns, reference=np.array([0.25, 0.0]))
    row = dict(zip(found.names, found.complete[0], strict=True))
    assert row["polar_y_px"] == pytest.approx(0.75)
    assert row["polar_x_pm"] == pytest.approx(-0.5 * 16)
    assert row["magnitude_pm"] == pytest.approx(16 * np.hypot(0.75, 0.5))
    assert row["angle_rad"] == pytest.approx(np.arctan2(0.75, -0.5))
    assert row["removed_y_px"] == 0.25
    assert row["sigma_y_px"] == 0
    bare = polarization(Columns(columns.yx, columns.shape, None, {"sublattice": columns["sublattice"]}))
    assert bare.names == (
        "polar_y_px",
        "polar_x_px",
        "removed_y_px",
        "removed_x_px",
        "magnitude_px",
        "angle_rad",
    )


def test_error_bars_add_the_cation_and_a_quarter_of_the_mean_variance_of_its_cage():
    columns = polar_perovskite()
    sigma = np.where(columns["sublattice"] == 0, 0.4, 0.1)
    found = polarization(columns.with_fields(sigma_y=sigma, sigma_x=2 * sigma))
    expected = np.sqrt(0.1**2 + 0.4**2 / 4)
    np.testing.assert_allclose(found.errors[found.valid], [[expected, 2 * expected]] * found.valid.sum())


def test_a_vacancy_masks_the_cells_around_it_and_only_them():
    columns = polar_perovskite()
    before = polarization(columns)
    vacancy = int(np.argmin(np.hypot(*(columns.yx - 216).T) + 1e3 * columns["sublattice"]))
    rest = np.arange(len(columns)) != vacancy
    after = polarization(columns.select(rest))
    lost = np.nonzero(rest)[0][before.valid[rest] & ~after.valid]
    assert set(lost) == set(np.nonzero((before.cages == vacancy).any(axis=1))[0])
    assert len(lost) == 4
    assert np.isnan(after.values[~after.valid]).all()
    assert (after.cages[~after.valid] == -1).all()


def test_permuted_columns_permute_the_rows():
    columns, _ = noisy_example("bifeo3_closure")
    order = np.random.default_rng(1).permutation(len(columns))
    straight, shuffled = (
        polarization(columns, reference="local"),
        polarization(columns.select(order), reference="local"),
    )
    np.testing.assert_array_equal(shuffled.valid, straight.valid[order])
    np.testing.assert_allclose(shuffled.values, straight.values[order], atol=1e-9)


@pytest.mark.parametrize(
    "turn", [[[0, 1], [-1, 0]], [[-1, 0], [0, -1]], [[0, 1], [1, 0]]], ids=["90", "180", "axis swap"]
)
def test_a_turn_or_an_axis_swap_of_the_image_does_the_same_to_the_vectors(turn):
    columns = noisy_example("pbtio3_domains")[0]
    turned = Columns(columns.yx @ np.array(turn), columns.shape, columns.sampling, columns.fields)
    before, after = polarization(columns), polarization(turned)
    np.testing.assert_array_equal(before.valid, after.valid)
    np.testing.assert_allclose(after.vectors, before.vectors @ np.array(turn), atol=1e-9)


def test_frames_are_cells_of_their_own():
    columns = polar_perovskite()
    twice = Columns(
        np.tile(columns.yx, (2, 1)),
        columns.shape,
        columns.sampling,
        {name: np.tile(v, 2) for name, v in columns.fields.items()}
        | {"frame": np.repeat([0, 1], len(columns))},
    )
    once, both = polarization(columns), polarization(twice)
    np.testing.assert_allclose(both.values, np.tile(once.values, (2, 1)), atol=1e-9)
    same = both.cages[len(columns) :] - both.cages[: len(columns)]
    assert set(np.unique(same)) == {0, len(columns)}


def test_the_control_is_not_polar_beyond_its_errors_and_gives_the_reference():
    columns, _ = noisy_example("pbtio3_polar")
    control = columns["domain"] == -1
    found = polarization(columns)
    z = (found.vectors / found.errors)[found.valid & control]
    print(
        f"pbtio3_polar, SrTiO3: {len(z)} cells, rms {np.sqrt((z**2).mean()):.2f} sigma, "
        f"{(np.abs(z) > 2).mean():.1%} above 2"
    )
    assert np.sqrt((z**2).mean()) < 1.2
    assert (np.abs(z) > 2).mean() < 0.09  # 4.6 % by chance
    tilted = columns.yx + np.where(columns["sublattice"][:, None] == 1, [0.6, -0.4], 0.0)
    for reference in ("mean", "local"):
        again = polarization(
            Columns(tilted, columns.shape, columns.sampling, columns.fields),
            reference=reference,
            control=control,
        )
        rest = (again.removed - [0.6, -0.4])[again.valid & control]
        assert np.abs(rest.mean(axis=0)).max() < 0.05
        assert np.abs((again.vectors - found.vectors)[found.valid & control].mean(axis=0)).max() < 0.05


def test_the_plane_of_a_bent_foil_is_taken_off():
    columns = polar_perovskite(shift=lambda yx: 0.004 * yx[:, ::-1] - 0.5, error=0.0)
    found = polarization(columns, reference="local")
    np.testing.assert_allclose(found.vectors[found.valid], 0, atol=1e-9)
    where = found.yx[found.valid]
    moved = found.removed[found.valid] - (0.004 * where[:, ::-1] - 0.5)
    assert np.abs(moved).max() < 0.01  # the field is read where B was before it moved


@pytest.mark.parametrize(
    ("columns", "options", "words"),
    [
        (polar_perovskite(cells=3), {}, "No lattice fits the 18 columns"),
        (Columns(np.zeros((0, 2)), (9, 9)), {}, "No lattice fits the 0 columns"),
        (
            Columns(np.random.default_rng(0).uniform(0, 300, (200, 2)), (300, 300)),
            {},
            "No lattice fits the 200",
        ),
        (
            polar_perovskite().select(polar_perovskite()["sublattice"] == 0),
            {},
            "have sublattices 0; .* needs two",
        ),
        (polar_perovskite(), {"center": 0}, "sublattice 0 in cages of sublattice 0"),
        (polar_perovskite(), {"center": 3}, "have sublattices 0, 1"),
        (polar_perovskite(), {"reference": "median"}, "reference='median' is unknown"),
        (polar_perovskite(), {"reference": np.zeros(3)}, "is unknown"),
        (polar_perovskite(), {"reference": "mean", "control": np.zeros(648, bool)}, "taken from 0 columns"),
    ],
)
def test_what_cannot_be_measured_is_said(columns, options, words):
    with pytest.raises(StemnetError, match=words):
        polarization(columns, **options)


def test_no_complete_cage_is_said():
    columns = polar_perovskite()
    odd = (columns["sublattice"] == 0) | (
        np.arange(len(columns)) == len(columns) - 1
    )  # the last B is at the corner
    with pytest.raises(StemnetError, match="None of the 1 columns of sublattice 1"):
        polarization(columns.select(odd))
