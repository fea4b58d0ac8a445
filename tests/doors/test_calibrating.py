"""The size of a pixel against the crystals that stemnet knows: simulated examples, real micrographs."""

import re
import time
from pathlib import Path

import numpy as np
import pytest

from stemnet.analysis import compare_with_lattice
from stemnet.descriptors import assign_sublattices, find_lattice, find_motif
from stemnet.doors.known_lattices import known_motifs, visible_motifs
from stemnet.simulation.examples import load_example
from stemnet.simulation.known import VIEWS, known_crystals
from stemnet.simulation.library import crystal, crystal_names

REAL = Path(__file__).resolve().parents[3] / "shared" / "data" / "real"
EXAMPLES = [
    "mos2_defects",
    "wsse_janus",
    "graphene_low_dose",
    "si110_dumbbells",
    "pbtio3_domains",
    "bifeo3_closure",
]


def motif_of(example):
    """Of the true columns that can be seen, which spares the network."""
    columns = load_example(example).columns
    columns = columns.select(columns["signal_to_noise"] > 5)
    lattice = find_lattice(columns.yx, columns["intensity"])
    columns = columns.with_fields(sublattice=assign_sublattices(columns, lattice))
    return find_motif(columns, lattice), columns.sampling or load_example(example).micrograph.sampling


@pytest.mark.parametrize("example", EXAMPLES)
def test_right_samplings_are_believed_and_factors_found(example):
    motif, sampling = motif_of(example)
    right = compare_with_lattice(motif, known_motifs(), sampling)
    assert right.verdict == "agrees", right.sentence
    for factor in (10, 0.1):
        wrong = compare_with_lattice(motif, known_motifs(), sampling * factor)
        assert wrong.verdict == "disagrees"
        assert wrong.suggested == pytest.approx(sampling, rel=0.06)


def test_seven_percent_in_a_dumbbell_lattice_is_seen():
    motif, sampling = motif_of("si110_dumbbells")
    wrong = compare_with_lattice(motif, known_motifs(), 0.93 * sampling)
    assert wrong.candidates[0].known.name == "Si [110]"
    assert wrong.suggested == pytest.approx(sampling, rel=0.005)


def test_every_crystal_of_the_library_is_known():
    names = {one.name.split(" ")[0] for one in known_crystals()}
    assert set(VIEWS) <= set(crystal_names()) <= names


def test_crystals_are_known_along_every_axis_that_training_shows():
    text = (Path(__file__).resolve().parents[2] / "configs/specimen/everything.yaml").read_text()
    shown = re.findall(r'library\.crystal, name: ([\w-]+), axis: "([\d-]+)"', text)
    assert shown
    assert [one for one in shown if one[1] not in VIEWS[one[0]].split()] == []


def test_faint_columns_may_go_unseen_and_a_faint_superstructure_too():
    strontium_titanate = [len(one) for one in visible_motifs(crystal("SrTiO3", "001"))]
    assert sorted(strontium_titanate) == [2, 4]
    bismuth_ferrite = visible_motifs(crystal("BiFeO3", "241"))
    two = next(one for one in bismuth_ferrite if len(one) == 2)
    np.testing.assert_allclose(two.edges, [3.968, 3.968], atol=0.005)


def test_a_comparison_takes_no_time_once_the_crystals_are_read():
    motif, sampling = motif_of("mos2_defects")
    known = known_motifs()
    start = time.process_time()
    compare_with_lattice(motif, known, sampling)
    assert time.process_time() - start < 0.3


@pytest.mark.slow
@pytest.mark.parametrize(
    ("file", "verdict", "low", "high"),
    [
        ("srtio3_100_ncem.ser", "disagrees", 0.095, 0.098),
        ("mos2_se_implanted_superstem.dm3", "disagrees", 0.132, 0.136),
        ("mos2_v_doped_9nm.npy", "agrees", None, None),
        ("batio3_100_jeol.dm4", "agrees", None, None),
        ("mos2_re05.tiff", "suggested", 0.103, 0.107),
    ],
)
def test_real_micrographs(file, verdict, low, high):
    if not (REAL / file).is_file():
        pytest.skip(f"{REAL / file} is not there: real micrographs do not travel with the project")
    from stemnet.analysis import side_by_side
    from stemnet.detection.segmenter import Settings, find_columns
    from stemnet.doors.calibrating import calibration_of
    from stemnet.models.checkpoint import load
    from stemnet.reading import read_micrograph

    weights = Path(__file__).resolve().parents[2] / "stemnet/weights/universal.safetensors"
    micrograph = read_micrograph(REAL / file)
    found = find_columns(micrograph, load(weights), Settings(), device="cpu")
    analysis = side_by_side(found.columns, embedders={})
    result = calibration_of(micrograph, found, analysis, "file")
    assert result.verdict == verdict, result.sentence
    if low is not None:
        assert low < result.suggested < high
