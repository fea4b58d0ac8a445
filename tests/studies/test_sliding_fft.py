"""Sliding-window spectra as a study: planted regions, what noise gives, and what is said where little can be."""

import numpy as np
import pytest
from planted_columns import crystal, noise, number, of_image, visible

from stemnet.errors import StemnetError
from stemnet.studies.sliding_fft import study

QUICK = {"nmf": False, "sweep": (), "surrogates": 3}


@pytest.mark.parametrize(
    ("name", "field", "rand", "kinds"),
    [
        ("grain_boundary", "grain", 0.9, 2),
        ("remos2_95", "chain_direction", 0.85, 3),
        ("mos2_defects", "inside", 0.9, 2),
    ],
)
def test_planted_regions_are_found_within_a_fifth_of_a_window(name, field, rand, kinds):
    # the true columns of the boundary show a longer period than those found do
    found = study([visible(name)], window=72 if name == "grain_boundary" else None, **QUICK)
    agreement = number(found, f"{field}: adjusted Rand index")
    off = number(found, "off the nearest planted one"), number(found, f"planted {field}: 9 of 10 places")
    chance = number(found, "turned by 180 degrees")
    print(name, agreement, off, chance)
    assert agreement > rand
    assert number(found, "clusters of windows") == kinds
    assert off[0] < 0.1
    assert off[1] < 0.2
    assert chance > 2 * off[0]
    assert all(one.holds for one in found.numbers if one.holds is not None)


def test_sixteen_components_and_how_many_are_signal():
    found = study([visible("grain_boundary")], **QUICK)
    scree = {table.name: table.values for table in found.tables}["grain_boundary_scree"]
    assert len(scree["component"]) == 16
    assert scree["signal"].sum() == number(found, "components above the noise floor") >= 1
    assert (scree["eigenvalue"][scree["signal"] == 1] > scree["noise_level"][0]).all()
    # two grains are the same one window away, but for the windows on the boundary
    assert scree["correlation_one_window_apart"][0] > 0.5
    assert abs(scree["correlation_one_window_apart"][15]) < 0.3
    assert "16 components" in found.summary


@pytest.mark.parametrize("image", [noise(), crystal()], ids=["noise", "a crystal"])
def test_what_is_the_same_everywhere_is_not_taken_apart(image):
    found = study([of_image(image)], **QUICK)
    assert number(found, "components above the noise floor") == 0
    assert "no regions" in found.summary
    assert any("the same everywhere" in note for note in found.notes)


def test_the_truth_changes_nothing_but_scores():
    with_truth, without = (study([visible("grain_boundary", truth)], **QUICK) for truth in (True, False))
    for one, other in zip(with_truth.tables, without.tables, strict=True):
        for key in one.values:
            np.testing.assert_array_equal(one.values[key], other.values[key])
    kept = {number.quantity: number.value for number in without.numbers}
    assert kept.items() <= {number.quantity: number.value for number in with_truth.numbers}.items()
    assert not any("planted" in quantity for quantity in kept)


@pytest.mark.parametrize(
    "columns", [(), [[20, 20], [40, 80], [100, 30]]], ids=["no columns", "three columns"]
)
def test_without_a_lattice_of_columns_the_image_gives_the_period(columns):
    found = study([of_image(crystal(), columns)], **QUICK)
    assert number(found, "period that sizes the windows") == pytest.approx(12 / np.sqrt(1.01), abs=1)
    assert any("autocorrelation" in note for note in found.notes)


def test_without_any_period_the_size_of_the_image_decides():
    found = study([of_image(noise(320))], **QUICK)
    assert number(found, "side of a window") == 40
    assert any("sized by the image" in note for note in found.notes)
    assert not any("period that sizes" in one.quantity for one in found.numbers)


def test_windows_and_steps_are_those_asked_for():
    found = study([of_image(crystal())], window=50, step=10, apodization="none", log=False, **QUICK)
    assert number(found, "side of a window") == 50
    assert number(found, "step") == 10
    assert number(found, "resolution") == 50
    assert number(found, "windows") == 256


def test_unknown_pixels_and_further_frames_are_said():
    stack = np.stack([crystal(), crystal(seed=1)])
    stack[0, 60:120, 60:120] = np.nan
    found = study([of_image(stack)], **QUICK)
    assert any("2 frames" in note for note in found.notes)
    windows = {table.name: table.values for table in found.tables}["image_windows"]
    assert np.isnan(windows["pca1"]).any()
    assert np.isfinite(windows["pca1"]).mean() > 0.4


def test_few_windows_have_few_components():
    found = study([of_image(crystal(64))], window=32, step=16, **QUICK)
    assert number(found, "components") == 8
    assert any("not 16" in note for note in found.notes)


def test_a_sweep_trades_resolution_for_contrast():
    found = study([visible("grain_boundary")], nmf=False, surrogates=2, sweep=(2, 3, 4))
    swept = {table.name: table.values for table in found.tables}["grain_boundary_window_sweep"]
    print(swept["contrast"], swept["ari_grain"])
    assert (np.diff(swept["resolution_px"]) > 0).all()
    assert swept["contrast"][-1] > 3 * swept["contrast"][0]
    assert swept["ari_grain"][0] > 0.9


@pytest.mark.parametrize("clustering", ["kmeans", "gmm"])
def test_the_seed_decides(clustering):
    one, same = (
        study([of_image(crystal())], seed=4, nmf=True, sweep=(), surrogates=2, clustering=clustering)
        for _ in range(2)
    )
    assert [number.value for number in one.numbers] == [number.value for number in same.numbers]
    for table, other in zip(one.tables, same.tables, strict=True):
        for key in table.values:
            np.testing.assert_array_equal(table.values[key], other.values[key])


def test_every_picture_is_drawn_and_every_table_has_its_rows():
    found = study([visible("grain_boundary")], surrogates=2, sweep=(3, 4))
    assert [picture.name.removeprefix("grain_boundary_") for picture in found.pictures] == [
        "sliding_pca", "sliding_nmf", "window_sweep",
    ]  # fmt: skip
    for picture in found.pictures:
        figure = picture.draw()
        figure.canvas.draw()
    for table in found.tables:
        assert len({len(values) for values in table.values.values()}) == 1


@pytest.mark.parametrize(
    ("image", "options", "word"),
    [
        (noise(20), {}, "32 x 32 px"),
        (np.ones((100, 100), np.float32), {}, "one value"),
        (noise(), {"clustering": "dbscan"}, "dbscan"),
        (noise(), {"apodization": "hamming"}, "hamming"),
        (noise(), {"window": 500}, "do not fit"),
        (noise(), {"window": 2}, "size=2"),
    ],
)
def test_what_cannot_be_studied_gets_a_sentence(image, options, word):
    with pytest.raises(StemnetError, match=word):
        study([of_image(image)], **{**QUICK, **options})
