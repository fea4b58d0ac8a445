import numpy as np
import pytest
from planted_columns import first, of_sublattices, without

from stemnet.errors import StemnetError
from stemnet.report.style import save
from stemnet.studies.described import with_sublattices
from stemnet.studies.local_crystallography import study
from stemnet.studies.local_crystallography_sites import site_kinds

ERROR = 0.14  # of the positions [px]: that of the fit on the bundled image
SEEN = (0, 1, 2)  # Te and the metals; O hides between them


@pytest.fixture(scope="module")
def oxide():
    return of_sublattices("mvteo_m2", SEEN, noise=ERROR)


@pytest.fixture(scope="module")
def found(oxide):
    return study([oxide])


def numbers(findings):
    return {number.quantity: number for number in findings.numbers}


def test_polar_shift_and_shear_come_back_and_clusters_are_the_planted_domains(found):
    aims = [number for number in found.numbers if number.holds is not None]
    for number in aims:
        print(f"{number.quantity}: {number.value:.3g}")
    assert len(aims) == 7
    assert all(number.holds for number in aims)
    known = numbers(found)
    shifts = [number for name, number in known.items() if name.endswith("polar shift")]
    for number in shifts:
        print(f"{number.quantity}: {number.value:.2f} +- {number.sigma:.2f} pm (planted {number.truth:.2f})")
        assert number.value == pytest.approx(number.truth, abs=1.5)
    across = known["shear du_y/dx, change left to right"]
    print(f"shear: {across.value:.3f} +- {across.sigma:.3f} degrees (planted {across.truth:.3f})")
    assert across.truth == pytest.approx(np.degrees(0.024), rel=0.02)
    assert across.value == pytest.approx(across.truth, abs=0.15)
    assert (
        known["k-means on vectors against kind of site and planted domain, adjusted Rand index"].value > 0.85
    )
    assert known["k-means on vectors: clusters"].value == 8


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_error_bars_hold_for_other_noise(seed):
    known = numbers(study([of_sublattices("mvteo_m2", SEEN, noise=ERROR, seed=seed)]))
    off = [number.value for name, number in known.items() if "off the truth over its error" in name]
    print(f"seed {seed}: off by {np.round(off, 2)} standard errors")
    assert len(off) == 4
    assert max(off) < 3
    assert 0.9 < known["the same over what the error bars say"].value < 1.1


def test_kinds_of_site_are_the_planted_ones_and_rows_those_of_the_columns(oxide, found):
    (table,) = found.tables
    np.testing.assert_array_equal(table.values["y_px"], oxide.columns.yx[:, 0])
    tellurium = oxide.truth.of("sublattice") == 0
    np.testing.assert_array_equal(table.values["kind"] == 0, tellurium)
    domain = table.values["domain"]
    np.testing.assert_array_equal(np.isfinite(table.values["shift_y_pm"]) & tellurium, domain >= 0)


def test_brightness_without_order_makes_no_kinds(oxide):
    columns, lattice = with_sublattices(oxide.columns)
    shuffled = np.random.default_rng(0).permutation(columns["intensity"])
    assert site_kinds(columns.with_fields(intensity=shuffled), lattice, 0).max() == 0


def test_every_picture_is_drawn(found, tmp_path):
    names = ["shifts", "environments", "components", "domains"]
    assert [picture.name for picture in found.pictures] == [f"mvteo_m2_{name}" for name in names]
    for picture in found.pictures:
        save(picture.draw(), tmp_path / f"{picture.name}.png")


def test_one_domain_is_not_cut_in_two(oxide):
    one = np.asarray(oxide.truth.of("domain")) == 1
    part = type(oxide)(oxide.name, oxide.micrograph, oxide.columns.select(one))
    findings = study([part])
    assert any("of one domain" in note for note in findings.notes)
    assert numbers(findings)["domains of these columns"].value == 1
    assert len(findings.pictures) == 3


def test_ferroelastic_domains_are_found_without_a_polar_claim():
    known = numbers(study([of_sublattices("pbtio3_domains", (0, 1), noise=0.15)]))
    assert (
        known["k-means on vectors against kind of site and planted domain, adjusted Rand index"].value > 0.95
    )
    assert not any("polar" in name for name in known)
    cations = numbers(study([of_sublattices("pbtio3_domains", (0, 1), noise=0.15)], center=1, neighbors=0))
    shifts = [number.value for name, number in cations.items() if name.endswith("polar shift")]
    assert shifts == pytest.approx([15.0, 15.0], abs=1.5)


def test_what_cannot_be_computed_is_a_note_and_the_rest_is_there(oxide):
    bare = study([without(oxide, "sigma_y", "sigma_x")])
    assert any("standard errors of its position" in note for note in bare.notes)
    assert numbers(bare)["domains of these columns"].value == 2
    unseen = study([without(oxide, "intensity", "intensity_sigma")])
    assert numbers(unseen)["kinds of site, by intensity"].value == 1
    rng = np.random.default_rng(0)
    random = type(oxide.columns)(rng.uniform(0, 512, (120, 2)), (512, 512), 0.2, {})
    scattered = study([type(oxide)("random", oxide.micrograph, random)])
    assert any("no lattice" in note for note in scattered.notes)
    assert [picture.name for picture in scattered.pictures] == ["random_environments", "random_components"]
    for picture in scattered.pictures:
        picture.draw()


def test_what_has_no_environments_gets_a_sentence(oxide):
    with pytest.raises(StemnetError, match="complete rows"):
        study([first(oxide, 3)])
    with pytest.raises(StemnetError, match="Sublattice 5 was asked for"):
        study([oxide], center=5)
    both = study([first(oxide, 3), oxide])
    assert any("complete rows" in note for note in both.notes)
