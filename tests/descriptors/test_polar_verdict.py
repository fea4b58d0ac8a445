import numpy as np
import pytest
from polar_crystals import noisy_example, polar_perovskite, stepped
from scipy.ndimage import gaussian_filter1d

from stemnet.columns import Columns
from stemnet.descriptors.polar_verdict import polar_verdict
from stemnet.descriptors.polarization import polarization
from stemnet.errors import StemnetError
from stemnet.simulation.examples import load_example

DOWN, RIGHT = np.array([[np.cos(0.07), -np.sin(0.07)], [np.sin(0.07), np.cos(0.07)]])  # the lattice's axes


def jitter(yx):
    lines = gaussian_filter1d(np.random.default_rng(3).normal(size=1000), 3)
    return np.stack(
        [np.zeros(len(yx)), 0.4 * np.interp(yx[:, 0], np.arange(-300, 700), lines / lines.std())], axis=1
    )


@pytest.mark.parametrize("name", ["pbtio3_domains", "bifeo3_closure", "pbtio3_polar"])
def test_polar_examples_are_polar_with_domains(name):
    verdict = polar_verdict(polarization(noisy_example(name)[0]))
    print(name, verdict.sentence, f"(chance {verdict.shared_chance:.1g})")
    assert verdict.kind == "domains"
    assert verdict.sentence.startswith("Polar, and not everywhere alike")


def test_mistilt_is_told_apart():
    found = polarization(noisy_example("srtio3_mistilt", thermal=0.01)[0])
    verdict = polar_verdict(found)
    columns = load_example("srtio3_mistilt").columns
    shift = [
        np.stack([columns["mistilt_y_A"], columns["mistilt_x_A"]], axis=1)[columns["sublattice"] == s].mean(
            axis=0
        )
        for s in (0, 1)
    ]
    true = 100 * (shift[1] - shift[0])
    print("srtio3_mistilt", verdict.sentence, verdict.uniform * 16, "pm, planted", true)
    assert verdict.kind == "uniform"
    assert "mistilt" in verdict.sentence
    np.testing.assert_allclose(verdict.uniform * 16, true, atol=0.5)
    assert (
        polar_verdict(polarization(noisy_example("srtio3_mistilt", thermal=0.01)[0], reference="mean")).kind
        != "uniform"
    )


@pytest.mark.parametrize(
    ("options", "kind"),
    [
        ({}, "none"),
        ({"truth": 0.2}, "disordered"),
        ({"shift": jitter}, "disordered"),
        ({"shift": (0.15, 0.0)}, "uniform"),
        ({"shift": lambda yx: 0.3 + 0.1 * (yx - 210) / 210}, "uniform"),
        ({"shift": stepped}, "domains"),
        ({"shift": lambda yx: stepped(yx[:, ::-1])}, "domains"),
        ({"shift": lambda yx: 0.2 + 0.4 * (yx - 210) / 210}, "uniform"),
        ({"shift": stepped, "error": 0.0}, "domains"),
        ({"shift": lambda yx: 0.3 * np.sin(np.pi * (yx @ DOWN)[:, None] / 24) * [0.0, 1.0]}, "antipolar"),
        ({"shift": lambda yx: 0.3 * np.sin(np.pi * (yx @ RIGHT)[:, None] / 24) * [1.0, 0.0]}, "antipolar"),
        ({"shift": (1.0, 0.0), "error": 0.0}, "uniform"),
    ],
    ids=[
        "errors",
        "disorder",
        "jitter",
        "uniform",
        "bent foil",
        "a wall",
        "an upright wall",
        "a gradient",
        "a wall, exactly",
        "rows that alternate",
        "files that alternate",
        "uniform, exactly",
    ],
)
def test_a_verdict_names_what_was_planted(options, kind):
    columns = polar_perovskite(**options)
    if not columns["sigma_y"].any():
        columns = columns.with_fields(
            sigma_y=np.full(len(columns), 0.01), sigma_x=np.full(len(columns), 0.01)
        )
    verdict = polar_verdict(polarization(columns))
    assert verdict.kind == kind, verdict


def test_jitter_of_scan_lines_is_told_and_nothing_else_is_taken_for_it():
    told = {
        name: polar_verdict(polarization(polar_perovskite(**options)))
        for name, options in {
            "jitter": {"shift": jitter},
            "errors": {},
            "disorder": {"truth": 0.2},
            "a wall": {"shift": stepped},
            "a bent foil": {"shift": lambda yx: 0.3 + 0.1 * (yx - 210) / 210},
        }.items()
    }
    print({name: round(one.jitter, 2) for name, one in told.items()})
    assert told["jitter"].jitter > 0.3
    assert "jitter" in told.pop("jitter").sentence
    for name, one in told.items():
        assert one.jitter < 0.1, name
        assert "jitter" not in one.sentence, name


def test_a_shift_that_varies_by_little_is_no_domains_and_disorder_is_no_shift():
    def swelling(yx):
        return 1.0 + 0.35 * np.sin(np.pi * yx[:, 1:] / 120) * [1.0, 0.0]

    verdict = polar_verdict(polarization(polar_perovskite(shift=swelling)))
    print(verdict)
    assert verdict.shared > 0.3
    assert verdict.kind == "uniform"
    shaken = polar_perovskite(truth=0.3, shift=(0.1, 0.0))
    verdict = polar_verdict(polarization(shaken))
    print(verdict)
    assert verdict.uniform_chance < 5e-3
    assert verdict.kind == "disordered"
    assert "the uniform part is" in verdict.sentence


def test_nothing_is_invented_from_errors_whichever_sublattice_has_them():
    kinds = []
    for seed in range(12):
        columns = polar_perovskite(seed=seed)
        sigma = np.where(columns["sublattice"] == seed % 2, 0.3, 0.03)
        yx = (
            polar_perovskite(0.0).yx
            + np.random.default_rng(seed).normal(size=columns.yx.shape) * sigma[:, None]
        )
        columns = Columns(yx, columns.shape, 0.16, {**columns.fields, "sigma_y": sigma, "sigma_x": sigma})
        kinds.append(polar_verdict(polarization(columns)).kind)
    print({kind: kinds.count(kind) for kind in set(kinds)})
    assert kinds.count("none") >= 11
    assert "domains" not in kinds


def test_a_pixel_size_changes_the_words_only():
    columns = polar_perovskite(shift=stepped)
    bare = Columns(columns.yx, columns.shape, None, columns.fields)
    with_size, without = polar_verdict(polarization(columns)), polar_verdict(polarization(bare))
    assert "pm" in with_size.sentence
    assert "px" in without.sentence
    assert with_size.shared == pytest.approx(without.shared)


def test_permuted_columns_have_the_same_verdict():
    columns, _ = noisy_example("bifeo3_closure")
    order = np.random.default_rng(1).permutation(len(columns))
    straight, shuffled = (
        polar_verdict(polarization(one, reference="local")) for one in (columns, columns.select(order))
    )
    assert shuffled.sentence == straight.sentence


def test_a_verdict_needs_errors_and_rows():
    columns = polar_perovskite()
    bare = Columns(columns.yx, columns.shape, 0.16, {"sublattice": columns["sublattice"]})
    with pytest.raises(StemnetError, match="no standard errors"):
        polar_verdict(polarization(bare))
    assert polar_verdict(polarization(bare, position_error=0.1)).kind == "none"
    few = np.where(np.arange(len(columns)) % 40, 0.1, np.nan)
    partly = polarization(columns.with_fields(sigma_y=few))
    assert 0 < polar_verdict(partly).cells < partly.valid.sum()
    assert "sigma_y_px" not in partly.names
    with pytest.raises(StemnetError, match="rows across the scan lines"):
        polar_verdict(polarization(columns.select(columns.yx[:, 0] < 75)))
