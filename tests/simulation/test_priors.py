"""What training may meet: every draw is a possible micrograph."""

from dataclasses import replace

import numpy as np
import pytest
from hydra.utils import instantiate
from omegaconf import OmegaConf
from scipy.spatial import cKDTree

from stemnet import StemnetError, resources
from stemnet.simulation.artefacts.inversion import Inversion
from stemnet.simulation.artefacts.readout import Digits, Gain
from stemnet.simulation.crystal import Crystal, perovskite, scattering
from stemnet.simulation.library import crystal
from stemnet.simulation.priors import MicroscopePrior, SpecimenPrior
from stemnet.simulation.priors.lattices import UNRESOLVED, merged, visible_spacing
from stemnet.simulation.priors.wrongs.kinds import Growth, Wrong, seen
from stemnet.simulation.rendering import expected, render
from stemnet.simulation.simulator import Simulator
from stemnet.simulation.specimen import Specimen

SHAPE = (96, 96)


@pytest.fixture(scope="module")
def simulator() -> Simulator:
    """The priors of the shipped weights."""
    parts = [
        instantiate(OmegaConf.load(resources.configs() / group / "universal.yaml"), _convert_="all")
        for group in ("specimen", "microscope")
    ]
    return Simulator(*parts, shape=SHAPE, seed=11)


@pytest.fixture(scope="module")
def scenes(simulator):
    return [simulator.scene(0, 0, index) for index in range(200)]


def test_every_image_is_finite_with_electrons_in_it(scenes):
    for start in range(0, 200, 50):
        part = scenes[start : start + 50]
        images, means = render(part), expected(part)
        assert images.isfinite().all()
        assert (means >= 0).all()
        assert (means.mean((1, 2)) > 0).all()
        assert (images.mean((1, 2)) > 0).all()


def test_samplings_and_widths_are_those_of_micrographs(scenes, simulator):
    sampling = np.array([scene.sampling for scene in scenes])
    # One draw in several hundred is coarser.
    assert 0.03 < sampling.min() < 0.1 < 0.25 < np.quantile(sampling, 0.98) < 0.6
    low, high = simulator.microscope.width
    width = np.array([scene.width for scene in scenes])
    assert np.all((width > 0.999 * low) & (width < 1.001 * high))


def test_the_brightest_column_has_the_electrons_drawn(simulator, scenes):
    low, high = simulator.microscope.electrons
    brightest = np.array(
        [scene.electrons.max() for scene in scenes if len(scene.electrons) and not np.ptp(scene.knots)]
    )
    assert len(brightest) > 50
    assert np.all((brightest > 0.99 * low) & (brightest < 1.01 * high))
    assert brightest.max() / brightest.min() > 50


def test_every_kind_of_specimen_turns_up(scenes):
    counts = np.array([len(scene.columns()) for scene in scenes])
    assert (counts == 0).sum() >= 3
    assert ((counts > 0) & (counts < 10)).sum() >= 3
    assert (counts > 50).sum() >= 50
    assert {-1, 0, 1} <= {int(s) for scene in scenes for s in np.unique(scene.specimen.sublattice)}


def test_columns_are_far_enough_apart_to_tell(scenes, simulator):
    closest = simulator.specimen.closest
    ratios = []
    for scene in scenes:
        if len(scene.yx) > 1:
            ratios.append(cKDTree(scene.yx).query(scene.yx, k=2)[0][:, 1].min() / scene.width)
    assert np.min(ratios) > 0.5 * closest
    assert np.median(ratios) > closest


def test_the_truth_lies_in_the_frame(scenes):
    for scene in scenes:
        columns = scene.columns()
        assert columns.shape == SHAPE
        assert np.all((columns.yx >= -0.5) & (columns.yx < np.array(SHAPE) - 0.5))
        assert all(np.isfinite(v).all() for v in columns.fields.values() if v.dtype.kind == "f")


def test_an_unknown_kind_is_refused():
    prior = SpecimenPrior((), {"liquid": 1.0})
    with pytest.raises(StemnetError, match="liquid"):
        prior.draw(np.random.default_rng(0), (10.0, 10.0), 0.4)


def test_a_microscope_without_artefacts_has_none():
    prior = MicroscopePrior(rough=0.0)
    for seed in range(20):
        microscope, _, _ = prior.draw(np.random.default_rng(seed))
        assert microscope.artefacts == ()
        assert microscope.gradient == 0.0


def test_every_artefact_turns_up_when_all_are_asked_for():
    prior = MicroscopePrior(rough=1.0)
    kinds = {
        type(artefact).__name__
        for seed in range(40)
        for artefact in prior.draw(np.random.default_rng(seed))[0].artefacts
    }
    assert kinds == {
        "Afterglow", "Contamination", "Drift", "Filtering", "Flicker", "Flyback", "Hum", "LineJitter", "ReadNoise",
        "Saturation", "Support", "Wander",
    }  # fmt: skip


def test_round_aberrations_are_made_worse_and_filters_take_the_ground_where_asked():
    tame, rough = MicroscopePrior(rough=1.0), MicroscopePrior(rough=1.0, worse=(3.0, 3.0), band=1.0)
    for seed in range(10):
        one, other = (prior.draw(np.random.default_rng(seed))[0] for prior in (tame, rough))
        assert other.probe.defocus == pytest.approx(3 * one.probe.defocus)
        assert [a.highpass > 0 for a in other.artefacts if type(a).__name__ == "Filtering"] == [True]
        assert [a.highpass for a in one.artefacts if type(a).__name__ == "Filtering"] == [0.0]


EVERYTHING = {
    group: instantiate(OmegaConf.load(resources.configs() / group / "everything.yaml"), _convert_="all")
    for group in ("specimen", "microscope")
}
WRONGS = {type(wrong).__name__: wrong for wrong in EVERYTHING["specimen"].wrongs}
WIDTH, FIELD = 0.4, (32.0, 36.0)
# What each wrong is tried on, and what must have been done to that first.
ON = {
    "SecondSheet": ("WSe2", None, ()),
    "Chains": ("MoSe2", None, ()),
    "Tilts": ("perovskite", None, ()),
    "MixedSites": ("MoWS2", None, ()),
    "Wedge": ("SrTiO3", "001", ("Thick",)),
    "Terraces": ("SrTiO3", "001", ("Thick",)),
    "Attenuation": ("SrTiO3", "001", ("Thick",)),
    "Mistilt": ("SrTiO3", "001", ("Thick",)),
    "SizeMismatch": ("GaAs", "110", ("Substitutions",)),
    "Particle": ("Au", "110", ()),
}
# What it must plant, or "species", "columns", "thickness", "places" for what must change.
CHANGES = {
    "TiltBoundary": {"grain", "boundary_distance_A", "orientation_rad"},
    "Twin": {"grain", "boundary_distance_A"},
    "StackingFault": {"grain", "boundary_distance_A"},
    "Antiphase": {"grain", "phase_shift"},
    "LowAngleBoundary": {"core_distance_A", "rotation_rad"},
    "Polycrystal": {"grain", "phase", "orientation_rad"},
    "SecondSheet": {"layer", "layers", "columns"},
    "Thick": {"thickness"},
    "Wedge": {"thickness"},
    "Terraces": {"thickness"},
    "Particle": {"thickness", "columns"},
    "Alloy": {"species", "heavy_share"},
    "MixedSites": {"species", "heavy_share"},
    "Attenuation": {"thickness", "repeats"},
    "Tilts": {"tilt_rad", "tilt_amplitude_rad"},
    "Chains": {"chain_amplitude_A", "mode_1", "places"},
    "Polar": {"polar_y_A", "polar_x_A", "domain", "places"},
    "Modulation": {"mode_amplitude_A", "places"},
    "RowShear": {"shear_amplitude_A", "places"},
    "Dislocations": {"core_distance_A", "strain_xx", "places"},
    "Substitutions": {"species", "defect"},
    "Antisites": {"species", "defect"},
    "Vacancies": {"occupancy", "defect"},
    "VacancyLines": {"vacancy_line"},
    "Divacancies": {"columns"},
    "SizeMismatch": {"mismatch_y_A", "places"},
    "ChemicalStrain": {"composition", "strain_xx", "places"},
    "Strain": {"places"},
    "SmoothStrain": {"places"},
    "Bend": {"places"},
    "Inclusion": {"places"},
    "CorrelatedDisorder": {"places"},
    "Mistilt": {"mistilt_y_A", "spread_xx_A2", "places"},
    "Heat": {"thermal_rms_A", "spread_xx_A2"},
    "Interstitials": {"adatom", "columns"},
    "Adatoms": {"adatom"},
    "BeamDamage": {"order", "places"},
    "Amorphous": {"order", "columns"},
    "Edge": {"inside", "edge_distance_A", "columns"},
}


def grown(name: str, seed: int) -> tuple[Specimen, Growth]:
    """What a wrong is tried on, and how it was grown."""
    rng = np.random.default_rng(seed)
    of, axis, first = ON.get(name, ("SrTiO3", "001", ()))
    seen = perovskite() if of == "perovskite" else crystal(of, axis)
    prior = EVERYTHING["specimen"]
    growth = Growth(
        crystal=seen,
        field_of_view=FIELD,
        orientation=rng.uniform(0, 6),
        margin=12 * WIDTH + WRONGS[name].pull * max(FIELD),
        width=WIDTH,
        closest=prior.closest * WIDTH,
        spacing=visible_spacing(seen, prior.visible),
        visible=prior.visible,
    )
    specimen = growth.grown(rng, growth.orientation)
    for other in first:
        assert WRONGS[other].applies(specimen, growth)
        specimen = WRONGS[other].draw(rng, specimen, growth)
    return specimen, growth


def check_valid(specimen: Specimen) -> None:
    """Finite, and one value a column in everything."""
    count = len(specimen)
    for values in (specimen.species, specimen.sublattice, specimen.thickness, *specimen.planted.values()):
        assert np.shape(values)[:1] == (count,)
    assert specimen.yx.shape == specimen.displacement.shape == (count, 2)
    assert np.isfinite(specimen.yx).all()
    assert np.isfinite(specimen.displacement).all()
    assert np.isfinite(specimen.thickness).all()
    assert (specimen.thickness > 0).all()
    assert (scattering(specimen.species, 1.7) > 0).all()


def changed(before: Specimen, after: Specimen) -> set[str]:
    """What is planted anew, and which of "columns", "species", "thickness", "places" are others."""
    found = set(after.planted) - set(before.planted)
    if len(before) != len(after):
        return found | {"columns", "species", "thickness", "places"}
    for name, one, other in (
        ("species", before.species, after.species),
        ("thickness", before.thickness, after.thickness),
        ("places", before.yx, after.yx),
    ):
        if not np.array_equal(one, other):
            found.add(name)
    return found


def test_every_wrong_is_listed_and_tested():
    assert set(CHANGES) == set(WRONGS) == {kind.__name__ for kind in Wrong.__subclasses__()}


@pytest.mark.parametrize("name", CHANGES)
def test_a_wrong_does_what_it_says_and_leaves_a_valid_specimen(name: str):
    done: set[str] = set()
    for seed in range(4):
        before, growth = grown(name, seed)
        assert WRONGS[name].applies(before, growth)
        after = WRONGS[name].draw(np.random.default_rng(seed), before, growth)
        check_valid(after)
        done |= changed(before, after)
    assert CHANGES[name] <= done


@pytest.mark.parametrize("name", sorted(set(CHANGES) - {"SecondSheet", "Amorphous"}))
def test_visible_columns_stay_apart(name: str):
    """Two sheets, and two packings on top of each other, are as close as they come; all else is not."""
    for seed in range(4):
        before, growth = grown(name, seed)
        after = WRONGS[name].draw(np.random.default_rng(seed), before, growth)
        yx = after.yx[seen(after, growth)]
        if len(yx) > 1:
            assert cKDTree(yx).query(yx, k=2)[0][:, 1].min() > 0.7 * growth.closest


@pytest.mark.parametrize("name", CHANGES)
def test_a_wrong_depends_on_the_generator_alone(name: str):
    before, growth = grown(name, 3)
    one, other = (WRONGS[name].draw(np.random.default_rng(8), before, growth) for _ in range(2))
    assert np.array_equal(one.yx, other.yx)
    assert np.array_equal(one.species, other.species)
    assert np.array_equal(one.thickness, other.thickness)


def test_wrongs_that_make_no_sense_do_not_apply():
    sheet, of_sheet = grown("SecondSheet", 0)
    for name in ("Tilts", "Thick", "Wedge", "Terraces", "Attenuation", "Particle", "Mistilt", "MixedSites"):
        assert not WRONGS[name].applies(sheet, of_sheet)
    solid, of_solid = grown("Particle", 0)
    for name in ("SecondSheet", "Chains", "Polar", "Antisites", "Antiphase", "MixedSites", "SizeMismatch"):
        assert not WRONGS[name].applies(solid, of_solid)
    # Where grains have met there is no one lattice.
    grains = WRONGS["TiltBoundary"].draw(np.random.default_rng(0), solid, of_solid)
    for name in ("Twin", "Dislocations", "Modulation", "RowShear", "VacancyLines", "LowAngleBoundary"):
        assert WRONGS[name].applies(solid, of_solid)
        assert not WRONGS[name].applies(grains, of_solid)


def test_all_wrongs_together_leave_images_that_are_images():
    """Five times as much is wrong as in training, and each scene is a function of its index alone."""
    often = replace(
        EVERYTHING["specimen"],
        wrongs=tuple(replace(wrong, chance=min(1.0, 5 * wrong.chance)) for wrong in WRONGS.values()),
        shares={"crystal": 0.8, "lattice": 0.2},
    )
    microscope = replace(EVERYTHING["microscope"], inverted=0.3)
    simulator = Simulator(often, microscope, shape=(64, 64), seed=3)
    scenes = [simulator.scene(0, 0, index) for index in range(60)]
    assert len({name for scene in scenes for name in scene.specimen.planted}) > 40
    again = simulator.scene(0, 0, 7)
    assert np.array_equal(scenes[7].apparent, again.apparent)
    assert scenes[7].seed == again.seed
    images, means = render(scenes), expected(scenes)
    assert images.isfinite().all()
    assert (means >= 0).all()
    assert (means.mean((1, 2)) > 0).all()
    for scene in scenes:
        check_valid(scene.specimen)
        ratio = scene.signal_to_noise()
        assert np.isfinite(ratio).all()
        assert (ratio >= 0).all()


def test_a_crystal_is_large_enough_for_what_is_seen_of_it():
    prior = EVERYTHING["specimen"]
    for seed in range(60):
        drawn = prior.crystal(np.random.default_rng(seed), "crystal", 0.7)
        assert visible_spacing(drawn, prior.visible) > 0.999 * prior.closest * 0.7
        assert drawn.nearest_spacing > 0.999 * UNRESOLVED * 0.7


def test_what_does_not_count_as_visible_does_not_enlarge_a_crystal():
    titanate = perovskite()
    assert visible_spacing(titanate, 0.0) == pytest.approx(3.905 / 2)
    assert visible_spacing(titanate, 0.1) == pytest.approx(3.905 / np.sqrt(2))


def test_merging_keeps_atoms_and_their_center():
    split = Crystal(
        "split",
        ((6.0, 0.0), (0.0, 6.0)),
        ((0.0, 0.0), (0.0, 0.95), (0.5, 0.5)),
        ("Sr", "O", "TiO"),
        (0, 2, 1),
    )
    one = merged(split, 0.5)
    light, heavy = scattering(["O", "Sr"], 1.7)
    assert set(one.species) == {"SrO", "TiO"}
    assert one.sites[0] == pytest.approx((0.0, -0.05 * light / (light + heavy)))
    assert merged(split, 0.2) is split


def test_what_universal_does_not_ask_for_is_not_drawn(simulator):
    for seed in range(40):
        microscope, _, _ = simulator.microscope.draw(np.random.default_rng(seed))
        assert not {type(artefact) for artefact in microscope.artefacts} & {Inversion, Gain, Digits}
        assert microscope.probe.defocus_spread == microscope.probe.cs == microscope.probe.threefold == 0
    assert simulator.specimen.wrongs == ()


def test_everything_draws_the_rest():
    prior = replace(EVERYTHING["microscope"], inverted=0.3)
    drawn = [prior.draw(np.random.default_rng(seed))[0] for seed in range(60)]
    kinds = {type(artefact) for microscope in drawn for artefact in microscope.artefacts}
    assert {Inversion, Gain, Digits} <= kinds
    assert any(microscope.probe.defocus_spread > 0 for microscope in drawn)
    assert all(microscope.probe.cs and microscope.probe.threefold for microscope in drawn)
    ring = replace(prior, light=0.0)
    exponents = np.array([ring.draw(np.random.default_rng(seed))[0].exponent for seed in range(60)])
    assert 1.5 <= exponents.min() < 1.75
    assert 1.9 < exponents.max() < 2.0
    # Some as in bright field.
    assert 0.05 < np.mean([microscope.exponent < 1.5 for microscope in drawn]) < 0.3
    assert 0.02 < np.mean([not microscope.artefacts for microscope in drawn]) < 0.5


def test_some_sublattices_are_far_fainter_than_the_brightest():
    rng = np.random.default_rng(1)
    prior = replace(EVERYTHING["specimen"], faint=1.0, shares={"crystal": 1.0}, wrongs=())
    for _ in range(12):
        specimen = prior.draw(rng, (30.0, 30.0), 0.5)
        light = scattering(specimen.species, 1.7) * specimen.thickness
        typical = [np.median(light[specimen.sublattice == kind]) for kind in np.unique(specimen.sublattice)]
        if len(typical) > 1:
            assert 0.01 < min(typical) / max(typical) < 0.4


def test_files_hold_whole_numbers_that_are_not_all_the_same():
    """Scaled, lifted, inverted or not: the numbers fit, and the columns are seen in them."""
    prior = replace(EVERYTHING["microscope"], inverted=0.3, gain=0.5, digits=1.0, electrons=(2000.0, 30000.0))
    simulator = Simulator(SpecimenPrior((perovskite(),), {"crystal": 1.0}, edge=0.0), prior, (64, 64), 5)
    scenes = [simulator.scene(0, 0, index) for index in range(40)]
    for scene, image in zip(scenes, render(scenes).numpy(), strict=True):
        (digits,) = (response for response in scene.responses if isinstance(response, Digits))
        assert np.array_equal(image, np.floor(image))
        assert 0 <= image.min() < image.max() <= 2**digits.bits - 1
        assert len(np.unique(image)) > 12
        assert (image == 2**digits.bits - 1).mean() < 0.5


@pytest.mark.parametrize(
    "wrong",
    [
        {"voltages": ()},
        {"semi_angle": (36.0, 18.0)},
        {"source_size": (0.5,)},
        {"width": (0.0, 2.0)},
        {"electrons": 300.0},
        {"inner_angle": (-1.0, 50.0)},
        {"rough": 7.0},
        {"inverted": float("nan")},
        {"defocus": -25.0},
    ],
)
def test_an_impossible_prior_of_microscopes_is_refused(wrong):
    with pytest.raises(StemnetError, match="give"):
        MicroscopePrior(**wrong)
