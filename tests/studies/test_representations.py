from dataclasses import replace

import numpy as np
import pytest
from planted_columns import bare, measured_example
from sklearn.decomposition import PCA

from stemnet.analysis import VariationalAutoencoder
from stemnet.columns import Columns
from stemnet.detection.column_model import render_columns
from stemnet.errors import StemnetError
from stemnet.micrograph import Micrograph
from stemnet.studies import Measured
from stemnet.studies.representations import study

SAMPLING = 0.1  # [A/px]


def methods(epochs=30):
    return {
        "pca": PCA(2),
        "rvae": VariationalAutoencoder(2, invariance="rotation", max_epochs=epochs),
    }


def value(findings, words):
    (found,) = [n.value for n in findings.numbers if n.quantity == words]
    return found


@pytest.fixture(scope="module")
def grains():
    return study([measured_example("grain_boundary")], embedders=methods())


def test_the_angle_alone_finds_the_grains_and_is_right_to_a_degree(grains):
    error = value(grains, "rvae: error of the angle (robust standard deviation)")
    print(grains.summary, f"angle error {error:.2f} deg")
    assert value(grains, "rvae angle: ARI with planted grain") > 0.98
    assert value(grains, "rvae: ARI with planted grain") < 0.5  # the latent does not know
    assert value(grains, "rvae: symmetry of what is decoded") == 4
    assert error < 1.0
    assert "agrees best with planted grain" in grains.summary


def test_rows_are_those_of_the_columns(grains):
    columns = measured_example("grain_boundary").columns
    (table,) = grains.tables
    assert {len(values) for values in table.values.values()} == {len(columns)}
    known = np.isfinite(table.values["pca_0"])
    assert known.sum() > 300
    assert (known == np.isfinite(table.values["rvae_angle_rad"])).all()
    assert (table.values["pca_cluster"][~known] == -1).all()


def test_every_picture_is_drawn(grains):
    assert [picture.name for picture in grains.pictures] == [
        "grain_boundary_representations",
        "grain_boundary_pca_manifold",
        "grain_boundary_rvae_manifold",
    ]
    for picture in grains.pictures:
        assert picture.draw().axes


def test_same_seed_same_numbers():
    first, second = (
        study([measured_example("grain_boundary")], seed=3, embedders=methods(2)) for _ in range(2)
    )
    for one, other in zip(first.numbers, second.numbers, strict=True):
        if "fit" not in one.quantity:
            assert one == other or (np.isnan(one.value) and np.isnan(other.value))


def test_vectors_in_place_of_patches():
    findings = study([measured_example("pbtio3_domains")], embedders={"pca": PCA(2)}, rows="vectors")
    assert value(findings, "pca: ARI with planted domain") > 0.5
    assert len(findings.pictures) == 1


def test_spectra_of_windows_tell_the_orientation_without_columns():
    (told,) = (measured_example(name) for name in ["grain_boundary"])
    no_columns = Measured(told.name, told.micrograph, told.columns.select(np.zeros(0, int)), told.truth)
    findings = study([no_columns], embedders=methods(20), rows="windows", size=104)
    error = value(findings, "rvae: error of the angle (robust standard deviation)")
    print(findings.summary, f"angle error {error:.2f} deg")
    assert error < 0.5
    assert value(findings, "rvae: symmetry of what is decoded") == 4
    assert value(findings, "rvae angle: ARI with planted grain") > 0.9
    assert value(findings, "rvae: ARI with planted grain") < 0.1  # the latent does not know
    (table,) = findings.tables
    assert "sublattice" not in table.values
    assert len(table.values["y_px"]) == 32 * 32
    for picture in findings.pictures:
        assert picture.draw().axes


def test_patches_of_the_probability_do_not_see_intensities():
    one = measured_example("pbtio3_domains")
    with pytest.raises(StemnetError, match="without the network's probability map"):
        study([one], embedders={"pca": PCA(2)}, rows="probability")
    # A map with every column alike, as a sure network has it: blocks of A and B differ in the image alone.
    seen = render_columns(one.micrograph.shape, one.columns.yx, np.ones(len(one.columns)), 1.5)
    findings = {}
    for factor in (1.0, 3.0):
        frames = factor * one.micrograph.frames
        given = replace(
            one, micrograph=Micrograph(frames[0], SAMPLING), probability=seen[None].astype(np.float16)
        )
        (table,) = study([given], embedders={"pca": PCA(2)}, rows="probability").tables
        findings[factor] = table.values["pca_0"]
    np.testing.assert_array_equal(findings[1.0], findings[3.0])
    assert np.isfinite(findings[1.0]).sum() > 300


def test_what_cannot_be_represented_is_said():
    few = bare(Columns(np.array([[50.0, 50.0], [50, 60], [60, 50]]), (100, 100)))
    with pytest.raises(StemnetError, match="bare: pca"):
        study([few], embedders={"pca": PCA(2)})
    with pytest.raises(StemnetError, match="around 1 columns without a size"):
        study([bare(Columns(np.array([[50.0, 50.0]]), (100, 100)))], embedders={"pca": PCA(2)})
    with pytest.raises(StemnetError, match="give patches, probability, vectors or windows"):
        study([few], embedders={"pca": PCA(2)}, rows="pixels")
    lame = {"pca": PCA(2), "many": PCA(5000)}
    findings = study([measured_example("pbtio3_domains")], embedders=lame)
    assert any("many with 5000 components" in note for note in findings.notes)
