"""Tiles and patches as a study: planted regions and species, and what is said where little can be."""

import numpy as np
import pytest
from planted_columns import crystal, noise, number, of_image, visible

from stemnet.columns import Columns
from stemnet.errors import StemnetError
from stemnet.studies import Measured
from stemnet.studies.tiles import study

FAINT = 0.0  # signal-to-noise ratio: nearly all sulfur is found, where metals hide it too


@pytest.mark.parametrize(
    ("name", "options", "words", "least"),
    [
        # the true columns of the boundary show a longer period than those found do
        ("grain_boundary", {"size": 56}, "tiles by spectra against planted grain", 0.85),
        ("remos2_55", {}, "tiles by columns against planted phase", 0.8),
        ("mos2_defects", {}, "tiles by spectra against planted inside", 0.95),
    ],
)
def test_planted_regions_are_told_apart_by_tiles(name, options, words, least):
    kind = words.split()[2]
    found = study([visible(name, least=FAINT)], descriptions=[kind], **options)
    rand, shared = number(found, f"{words}: adjusted Rand index"), number(found, f"{words}: normalized")
    print(name, rand, shared, number(found, f"tiles by {kind}: silhouette"))
    assert rand > least
    assert shared > least - 0.1
    assert number(found, f"tiles by {kind}: clusters") == 2
    assert number(found, "from chance") > 1.5


@pytest.mark.parametrize("name", ["remos2_55", "mos2_defects", "remos2_95"])
def test_patches_around_metals_tell_the_species(name):
    found = study([visible(name, least=FAINT)], descriptions=["patches"])
    rand = number(found, "patches around sublattice 0 against planted species: adjusted Rand index")
    print(name, rand, number(found, "patches around sublattice 0: silhouette"))
    assert rand > 0.97


def test_patches_around_all_columns_tell_the_sublattices():
    found = study([visible("remos2_55", least=FAINT)], descriptions=["patches"])
    assert number(found, "all columns against planted sublattice: adjusted Rand index") > 0.98


def test_tiles_of_noise_are_of_one_kind_by_their_spectra():
    found = study([of_image(noise(320))], descriptions=["spectra", "statistics"])
    assert any("of one kind" in note for note in found.notes)
    assert not any("by spectra" in one.quantity for one in found.numbers)
    assert abs(number(found, "tiles by statistics: the same, from chance")) < 3


def test_without_columns_the_image_is_still_sorted():
    found = study([of_image(np.hstack([crystal(240), noise(240)]))])
    tiles = {table.name: table.values for table in found.tables}["image_tiles_spectra"]
    left, right = (set(tiles["cluster"][side]) for side in (tiles["x_px"] < 200, tiles["x_px"] > 280))
    assert not left & right
    assert any("autocorrelation" in note for note in found.notes)
    assert any("Tiles by columns: 0 columns were given" in note for note in found.notes)
    assert any("Patches: 0 columns" in note for note in found.notes)


def test_three_columns_are_too_few_to_be_sorted():
    found = study([of_image(np.hstack([crystal(240), noise(240)]), [[50, 50], [90, 60], [120, 180]])])
    assert any("3 columns were given" in note for note in found.notes)
    assert any("3 patches around all columns" in note for note in found.notes)


def test_one_sublattice_has_one_set_of_patches():
    c, s = np.cos(0.1), np.sin(0.1)
    cells = np.stack(np.mgrid[-5:25, -5:25], axis=-1).reshape(-1, 2) @ [[c, -s], [s, c]] * 12
    inside = ((cells > 0) & (cells < 199)).all(axis=1)
    yx = cells[inside] + np.random.default_rng(0).normal(0, 0.1, (inside.sum(), 2))
    found = study([of_image(crystal(), yx, 0.2)], descriptions=["columns", "patches"])
    assert not any("sublattice 0" in one.quantity for one in found.numbers)
    assert number(found, "tiles by columns: tiles") >= 16


def test_the_truth_changes_nothing_but_scores():
    kinds = ["spectra", "columns", "patches"]
    with_truth, without = (
        study([visible("mos2_defects", truth)], descriptions=kinds, clusters=2) for truth in (True, False)
    )
    for one, other in zip(with_truth.tables, without.tables, strict=True):
        for key in one.values:
            np.testing.assert_array_equal(one.values[key], other.values[key])
    assert not any("planted" in number.quantity for number in without.numbers)


def test_every_picture_is_drawn_and_every_table_has_its_rows():
    found = study([visible("mos2_defects")], clustering="gmm", clusters=3)
    assert [picture.name for picture in found.pictures] == ["mos2_defects_tiles", "mos2_defects_patches"]
    for picture in found.pictures:
        picture.draw().canvas.draw()
    for table in found.tables:
        assert len({len(values) for values in table.values.values()}) == 1
    assert all(one.value == 3 for one in found.numbers if one.quantity.endswith("clusters"))


def test_tiles_are_clipped_to_what_the_image_holds():
    found = study([of_image(np.hstack([crystal(120, 24.0), noise(120)]))], descriptions=["statistics"])
    assert number(found, "side of a tile") == 40
    assert any("too large" in note for note in found.notes)


def test_of_several_frames_the_first_is_sorted():
    one = of_image(np.hstack([crystal(), noise()]), np.mgrid[5:200:12, 5:200:12].reshape(2, -1).T)
    fields = {"intensity": np.tile(one.columns["intensity"], 2), "frame": np.repeat([0, 1], len(one.columns))}
    both = Columns(np.tile(one.columns.yx, (2, 1)), one.columns.shape, one.columns.sampling, fields)
    movie = type(one.micrograph)(np.stack([one.micrograph.frames[0]] * 2), one.micrograph.sampling)
    found, plain = study([Measured("movie", movie, both)]), study([one])
    assert any("2 frames" in note for note in found.notes)
    alike = {number.quantity: number.value for number in found.numbers}
    assert alike.items() <= {number.quantity: number.value for number in plain.numbers}.items()


@pytest.mark.parametrize(
    ("image", "options", "word"),
    [
        (noise(20), {}, "8 px"),
        (noise(), {"descriptions": ["colors"]}, "colors"),
        (noise(), {"descriptions": []}, "spectra, statistics"),
        (noise(), {"clustering": "dbscan"}, "dbscan"),
        (noise(), {"descriptions": ["columns"]}, "Nothing could be sorted"),
        (noise(), {"size": 500}, "do not fit"),
    ],
)
def test_what_cannot_be_sorted_gets_a_sentence(image, options, word):
    with pytest.raises(StemnetError, match=word):
        study([of_image(image)], **options)
