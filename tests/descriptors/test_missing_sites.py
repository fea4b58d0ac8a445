import numpy as np
import pytest

from stemnet.columns import Columns
from stemnet.descriptors.forced_light import forced_light
from stemnet.descriptors.missing_sites import missing_sites
from stemnet.descriptors.reference import reference_lattice
from stemnet.errors import StemnetError

WIDTH, SIDE, SPACING = 2.5, 220, 14.0


def sheet(missing=(), overlooked=(), *, dose=1.0, edge=np.inf, level=30.0, seed=0):
    """A square crystal, its image, and its columns less those of some rows; and the places of all of them."""
    rng = np.random.default_rng(seed)
    grid = np.stack(np.meshgrid(*[np.arange(-2, 18)] * 2, indexing="ij"), axis=-1).reshape(-1, 2)
    yx = SPACING * grid @ np.array([[1, 0.04], [-0.04, 1]]) + 3.0
    yx = yx + 1.5 * np.sin(yx[:, ::-1] / 60)
    yx = yx[((yx > -8) & (yx < SIDE + 8)).all(axis=1) & (yx[:, 1] < edge)]
    number = np.nonzero(((yx >= 0) & (yx <= SIDE - 1)).all(axis=1))[0]
    bright = np.ones(len(yx))
    bright[number[list(missing)]] = 0
    y, x = np.mgrid[:SIDE, :SIDE]
    image = np.full((SIDE, SIDE), 2.0)
    for (a, b), height in zip(yx, bright, strict=True):
        image += level * height * np.exp(-((y - a) ** 2 + (x - b) ** 2) / (2 * WIDTH**2))
    image = rng.poisson(dose * image) / dose
    kept = np.setdiff1d(number, number[[*missing, *overlooked]])
    places = yx[kept] + rng.normal(0, 0.1, (len(kept), 2))
    fields = {
        "intensity": np.ones(len(kept)),
        "width": np.full(len(kept), WIDTH),
        "significance": rng.normal(20, 2, len(kept)),
    }
    return Columns(places, (SIDE, SIDE), None, fields), image, yx[number]


def inner(places, count, seed=0):
    """Some rows of places far from the edge of the image and from each other."""
    far = np.nonzero((np.abs(places - SIDE / 2) < 0.35 * SIDE).all(axis=1))[0]
    return np.random.default_rng(seed).permutation(far)[:count]


@pytest.mark.parametrize("seed", range(3))
def test_missing_columns_are_told_from_overlooked_ones_by_their_light(seed):
    rows = inner(sheet()[2], 12, seed)
    columns, image, places = sheet(rows[:6], rows[6:], seed=seed)
    sites = missing_sites(columns, reference_lattice(columns), image)
    distance = np.hypot(*(sites.yx[:, None] - places[rows]).transpose(2, 0, 1))
    at = distance.argmin(axis=0)
    assert distance.min(axis=0).max() < 0.5
    print(sites.probability[at].round(4), sites.light[at].round(2))
    assert (sites.probability[at[:6]] > 0.99).all()
    assert (sites.probability[at[6:]] < 0.01).all()
    assert np.abs(sites.light[at[:6]]).max() < 3 * sites.light_error.max()
    assert sites.light[at[6:]] == pytest.approx(1, abs=0.3)
    share, error = sites.share(0)
    assert share == pytest.approx(6 / sites.sites[0], abs=error)


def test_without_an_image_the_probability_is_the_share_of_empty_sites_that_would_not_be_overlooked():
    rows = inner(sheet()[2], 8)
    columns, _, places = sheet(rows)
    found = missing_sites(columns, reference_lattice(columns))
    inside = np.hypot(*(found.yx[:, None] - places[rows]).transpose(2, 0, 1)).min(axis=1) < 0.5
    assert inside.sum() == 8
    # beside them what the sheet has beyond the middles of the outermost pixels, cut off by the edge
    assert (np.abs(found.yx[~inside] - (SIDE - 1) / 2).max(axis=1) > (SIDE - 1) / 2 - 0.2).all()
    assert np.isnan(found.light).all()
    assert (found.probability[inside] > 0.8).all()
    # columns that were hardly significant are easily overlooked: the same sites say less
    faint = columns.with_fields(significance=np.random.default_rng(0).normal(2.5, 1.0, len(columns)))
    doubtful = missing_sites(faint, reference_lattice(faint))
    assert (doubtful.overlooked > 10 * found.overlooked).all()
    assert (doubtful.probability < found.probability).all()


def test_sites_beyond_an_edge_are_not_missing_and_every_site_counts_once():
    columns, image, _ = sheet(edge=150)
    sites = missing_sites(columns, reference_lattice(columns), image)
    assert not (sites.probability > 0.5).any()
    assert sites.sites[0] == pytest.approx(len(columns), abs=2)


def test_dark_columns_and_a_change_of_contrast_change_nothing():
    rows = inner(sheet()[2], 5)
    columns, image, _ = sheet(rows)
    reference = reference_lattice(columns)
    bright, dark = (
        missing_sites(columns, reference, image),
        missing_sites(columns, reference, 900 - 7.0 * image),
    )
    np.testing.assert_allclose(dark.light, bright.light, atol=1e-6)
    np.testing.assert_allclose(dark.probability, bright.probability, atol=1e-6)


@pytest.mark.parametrize("blank", [0.0, 2.0, -3.7e5])
@pytest.mark.filterwarnings("error")
def test_an_image_without_light_says_as_little_as_no_image(blank):
    columns, image, _ = sheet(inner(sheet()[2], 5))
    reference = reference_lattice(columns)
    dark = missing_sites(columns, reference, np.full(image.shape, blank))
    none = missing_sites(columns, reference)
    assert len(dark) == len(none) >= 5
    np.testing.assert_allclose(dark.probability, none.probability)
    assert np.isnan(dark.light).all()
    assert np.isnan(dark.light_error).all()


@pytest.mark.filterwarnings("error")
def test_an_image_that_is_dark_on_one_side_is_judged_by_the_other():
    rows = inner(sheet()[2], 8)
    columns, image, places = sheet(rows)
    image = np.where(np.arange(SIDE) < SIDE / 2, image, 0.0)
    found = missing_sites(columns, reference_lattice(columns), image)
    lit = places[rows][places[rows][:, 1] < SIDE / 2 - 2 * SPACING]
    at = np.hypot(*(found.yx[:, None] - lit).transpose(2, 0, 1)).argmin(axis=0)
    assert len(lit) > 1
    assert (found.probability[at] > 0.9).all()
    assert np.isfinite(found.probability).all()


def test_a_reference_of_other_columns_is_refused():
    columns, _, _ = sheet()
    with pytest.raises(StemnetError, match="The reference is of"):
        missing_sites(columns.select(np.arange(50)), reference_lattice(columns))


def test_forced_light_is_the_height_with_its_error():
    _, image, places = sheet(level=40.0)
    chosen = places[inner(places, 40)]
    height, sigma = forced_light(image, places, chosen, WIDTH)
    print(height.mean(), ((height - 40) / sigma).std())
    assert height.mean() == pytest.approx(40, abs=0.8)
    assert 0.7 < ((height - height.mean()) / sigma).std() < 1.4
    between = chosen + SPACING / 2
    nothing, error = forced_light(image, places, between, WIDTH)
    assert np.abs(nothing / error).max() < 4


def test_forced_light_outside_the_image_is_unknown():
    height, sigma = forced_light(np.ones((30, 30)), np.array([[15.0, 15.0]]), np.array([[-20.0, 5.0]]), 2.0)
    assert np.isnan(height).all()
    assert np.isnan(sigma).all()
