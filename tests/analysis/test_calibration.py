import numpy as np
import pytest

from stemnet.analysis import compare_with_lattice
from stemnet.descriptors import Motif

PEROVSKITE = np.array([[0, 0], [0.5, 0.5]])
SQUARE = np.eye(2)
HEXAGONAL = np.array([[0, 1], [np.sqrt(3) / 2, 0.5]])


def perovskite(a, name="", stretch=1.0):
    return Motif(a * SQUARE * [stretch, 1.0], PEROVSKITE, np.array([1.0, 0.45]), name)


KNOWN = [
    perovskite(3.905, "SrTiO3 [001]"),
    perovskite(4.01, "BaTiO3 [001]"),
    Motif(3.16 * HEXAGONAL, np.array([[0, 0], [1 / 3, 1 / 3]]), np.array([1.0, 0.4]), "MoS2"),
    Motif(2.03 * SQUARE, np.zeros((1, 2)), np.ones(1), "Al [001]"),
    Motif(1.96 * SQUARE, np.zeros((1, 2)), np.ones(1), "Pt [001]"),
]
FOUND = perovskite(40.0)  # 0.0976 A/px if it is SrTiO3


@pytest.mark.parametrize("sampling", [0.0976, 0.0955, 0.1003, 0.102])
def test_a_size_of_any_known_crystal_raises_no_doubt(sampling):
    result = compare_with_lattice(FOUND, KNOWN, sampling)
    assert (result.verdict, result.sentence, result.suggested) == ("agrees", "", None)


def test_a_few_percent_off_every_crystal_is_said_with_the_nearest_and_what_to_do():
    result = compare_with_lattice(FOUND, KNOWN, 0.091)
    assert result.verdict == "disagrees"
    assert result.suggested == pytest.approx(3.905 / 40)
    for part in ("0.091 A/px", "square lattice of two sublattices is 3.640 A", "SrTiO3 [001] (3.905 A)"):
        assert part in result.sentence
    assert "0.09763 A/px (+7.3 %)" in result.sentence
    assert result.sentence.endswith("Nothing was rescaled; pass sampling=<A/px> if you agree.")


@pytest.mark.parametrize(
    ("factor", "cause"), [(10, "angstrom had been taken"), (0.1, "nanometers"), (0.5, "binned by 2")]
)
def test_factors_are_named(factor, cause):
    result = compare_with_lattice(FOUND, KNOWN, 0.0976 * factor)
    assert result.verdict == "disagrees"
    assert cause in result.sentence
    assert result.suggested == pytest.approx(0.0976, rel=0.03)


def test_a_crystal_that_nobody_listed_raises_no_doubt():
    # a size far from the known ones by no usual factor: another crystal rather than an error
    assert compare_with_lattice(FOUND, KNOWN, 0.135).verdict == "undecided"
    # brightness, number of columns or shape are no known crystal's
    for motif in (
        Motif(FOUND.vectors, FOUND.places, np.array([1.0, 0.02])),
        Motif(FOUND.vectors, np.array([[0, 0], [0.5, 0.0]]), FOUND.brightness),
        Motif(30 * np.array([[0, 1.0], [1.8, 0.3]]), np.zeros((1, 2)), np.ones(1)),
    ):
        result = compare_with_lattice(motif, KNOWN, 0.08)
        assert result.verdict == "unlike any known crystal"
        assert not result.sentence


def test_one_column_per_cell_fits_too_much_to_doubt_a_few_percent():
    metal = Motif(20 * SQUARE, np.zeros((1, 2)), np.ones(1))
    for sampling in (0.09, 0.11, 0.2):
        assert not compare_with_lattice(metal, KNOWN, sampling).sentence
    assert "nanometers" in compare_with_lattice(metal, KNOWN, 0.01).sentence


def test_drift_along_one_direction_is_not_taken_for_a_wrong_calibration():
    drifted = perovskite(40.0, stretch=1.07)
    assert compare_with_lattice(drifted, KNOWN[:1], 0.0976).verdict == "agrees"
    assert compare_with_lattice(drifted, KNOWN[:1], 0.0976 * 1.09).verdict == "disagrees"


def test_the_name_of_the_file_decides_between_crystals_of_one_kind():
    result = compare_with_lattice(FOUND, KNOWN, 0.1015, name="SrTiO3_100_ncem")
    assert result.verdict == "disagrees"
    assert "which the name says (by its size it could be BaTiO3 [001])" in result.sentence
    assert result.suggested == pytest.approx(3.905 / 40)
    assert compare_with_lattice(FOUND, KNOWN, 0.1015, name="batio3 film 12").verdict == "agrees"
    # a name whose lattice this is not says nothing
    assert compare_with_lattice(FOUND, KNOWN, 0.1015, name="mos2_3").verdict == "agrees"


def test_without_a_sampling_one_is_suggested_where_the_motif_is_telling():
    result = compare_with_lattice(FOUND, KNOWN, None)
    assert result.verdict == "suggested"
    assert "SrTiO3 [001] (3.905 A): 0.09763 A/px" in result.sentence
    assert "BaTiO3 [001] (4.010 A): 0.1003 A/px" in result.sentence
    assert "stay in pixels" in result.sentence
    assert not compare_with_lattice(Motif(20 * SQUARE, np.zeros((1, 2)), np.ones(1)), KNOWN, None).sentence


def test_the_record_holds_what_the_sentence_says():
    record = compare_with_lattice(FOUND, KNOWN, 0.091).record()
    assert record["sampling_A_per_px"] == 0.091
    assert record["suggested_A_per_px"] == pytest.approx(0.097625)
    first = record["candidates"][0]
    assert first["crystal"] == "SrTiO3 [001]"
    assert first["difference_percent"] == pytest.approx(7.28, abs=0.01)
