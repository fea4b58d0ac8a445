"""Movies: what stands still stands still, what moves moves as asked, and any frame can be made alone."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import cKDTree

from stemnet.errors import StemnetError
from stemnet.simulation import movie as movie_module
from stemnet.simulation.artefacts.contamination import Contamination
from stemnet.simulation.artefacts.jitter import LineJitter
from stemnet.simulation.artefacts.support import Support
from stemnet.simulation.crystal import dichalcogenide, perovskite
from stemnet.simulation.deformation import smoothly_strained, strained, with_strain
from stemnet.simulation.distortions.walls import Wall
from stemnet.simulation.growth import disordered, grow
from stemnet.simulation.hopping import Exchange, Hopping, VacancyHopping
from stemnet.simulation.microscope import Microscope
from stemnet.simulation.movement import Diffusion, DriftPath, Growth, MovingWall, Turning
from stemnet.simulation.movie import Movie, simulate_movie
from stemnet.simulation.probe import Probe
from stemnet.simulation.rendering import render
from stemnet.simulation.specimen import Specimen, joined

torch.set_num_threads(1)
SHAPE, SAMPLING = (96, 96), 0.2
MICROSCOPE = Microscope(Probe(80, 30, source_size=0.8), sampling=SAMPLING, dose=2e4)
SIZE = SHAPE[0] * SAMPLING


def atoms(yx, species="Pt") -> Specimen:
    yx = np.asarray(yx, dtype=float).reshape(-1, 2)
    return Specimen(yx, np.full(len(yx), species), np.full(len(yx), -1), np.zeros_like(yx), np.ones(len(yx)))


def square(n: int, a: float = 2.0) -> np.ndarray:
    return a * np.stack(np.meshgrid(np.arange(n), np.arange(n), indexing="ij"), -1).reshape(-1, 2)


def sheet(margin=10.0) -> Specimen:
    return grow(dichalcogenide(), (SIZE, SIZE), margin=margin)


def filmed(specimen, frames, *movements, seed=0, seconds=1.0, microscope=MICROSCOPE) -> Movie:
    return Movie(specimen, microscope, SHAPE, frames, movements, seconds, seed)


@settings(max_examples=15)
@given(st.integers(0, 1000), st.floats(-0.5, 0.5), st.floats(0, 0.2))
def test_what_does_not_move_keeps_its_place_but_for_the_drift(seed, speed, unsteadiness):
    path = DriftPath((speed, -speed / 2), unsteadiness, 5, scanning=0.0)
    movie = filmed(sheet(), 6, path, seed=seed)
    tables = [movie.columns(movie.scene(k), k) for k in range(6)]
    first = dict(zip(tables[0]["track"], tables[0].yx, strict=True))
    for table in tables:
        drift = np.stack([table["drift_y_A"], table["drift_x_A"]], 1) / SAMPLING
        assert len(np.unique(table["track"])) == len(table)
        shared = np.isin(table["track"], list(first))
        at_start = np.array([first[track] for track in table["track"][shared]]).reshape(-1, 2)
        assert np.allclose((table.yx - drift)[shared], at_start, atol=1e-9)
        assert not table["moved"].any()


def test_drift_within_a_frame_shears_it_by_what_the_specimen_goes_meanwhile():
    movie = filmed(sheet(), 3, DriftPath((0.4, -0.6)))
    table = movie.columns(movie.scene(1), 1)
    still = filmed(sheet(), 3)
    stands = dict(zip(still.scene(1).columns()["track"], still.scene(1).columns().yx, strict=True))
    both = np.isin(table["track"], list(stands))
    gone = table.yx[both] - np.array([stands[track] for track in table["track"][both]])
    late = table.yx[both, 0] / (SHAPE[0] - 1) - 0.5
    for axis, speed in enumerate((0.4, -0.6)):
        # A column is where its matter is when its rows are scanned.
        assert np.allclose(gone[:, axis] * SAMPLING, speed * (1 + late), atol=0.02)


def test_line_jitter_moves_columns_and_truth_alike_about_their_tracks():
    rough = Microscope(MICROSCOPE.probe, SAMPLING, 2e4, artefacts=(LineJitter(0.05, 0.5),))
    movie = filmed(sheet(), 4, microscope=rough)
    tables = [movie.scene(k).columns() for k in range(4)]
    tracks = set.intersection(*(set(table["track"]) for table in tables))
    places = np.stack([table.yx[np.isin(table["track"], list(tracks))] for table in tables])
    assert 0.02 < places.std(0)[:, 1].mean() * SAMPLING < 0.06
    assert places.std(0)[:, 0].mean() < places.std(0)[:, 1].mean() / 3


def test_correlating_frames_finds_the_planted_drift():
    rng = np.random.default_rng(1)
    specimen = disordered((SIZE, SIZE), separation=3.0, filling=1.0, species=("Mo",), rng=rng, margin=20)
    bright = Microscope(MICROSCOPE.probe, SAMPLING, 1e6)
    movie = filmed(specimen, 8, DriftPath((0.05, -0.08), 0.05, 3), microscope=bright)
    stack = render([movie.scene(k) for k in range(8)]).numpy()
    window = np.outer(np.hanning(SHAPE[0]), np.hanning(SHAPE[1]))
    spectra = np.fft.fft2((stack - stack.mean((1, 2), keepdims=True)) * window)
    for frame in range(1, 8):
        # The maximum of the correlation, on a grid 17 times as fine.
        product = np.fft.fftshift(spectra[frame] * np.conj(spectra[frame - 1]))
        fine = np.abs(np.fft.ifft2(np.fft.ifftshift(np.pad(product, [(16 * 48, 16 * 48)] * 2))))
        place = np.array(np.unravel_index(fine.argmax(), fine.shape))
        found = (place + fine.shape[0] // 2) % fine.shape[0] - fine.shape[0] // 2
        planted = (movie.drift[frame] - movie.drift[frame - 1]) / SAMPLING
        assert np.abs(found * SHAPE[0] / fine.shape[0] - planted).max() < 0.1


def test_drift_is_smooth_within_its_memory_and_a_random_walk_beyond():
    path = DriftPath(unsteadiness=0.1, memory=4.0)
    drawn = [path.drawn(sheet(), 400, 1.0, np.random.default_rng(seed)) for seed in range(100)]
    paths = np.stack([each.positions for each in drawn])
    velocity = np.diff(paths, axis=1)
    # The mean of two neighboring velocities that keep exp(-1/4) of each other.
    assert velocity.std() == pytest.approx(0.1 * np.sqrt((1 + np.exp(-0.25)) / 2), rel=0.03)
    # <r^2> an axis is 2 u^2 m (t - m (1 - exp(-t / m))) for the time's integral; the sum differs by little.
    expected = 2 * 0.1**2 * 4 * (399 - 4)
    assert (paths[:, -1] ** 2).mean() == pytest.approx(expected, rel=0.25)


def test_hops_are_as_many_as_a_poisson_process_of_the_rate_makes():
    sites = square(60)
    rows = np.arange(0, 3600, 90)
    specimen = atoms(sites[rows])
    movie = filmed(specimen, 301, Hopping(tuple(range(40)), tuple(map(tuple, sites)), rate=0.6), seconds=0.5)
    hops = np.stack([movie.specimen_at(k).planted["hops"] for k in range(301)])
    assert not hops[0].any()
    counts = hops[1:].ravel()
    assert counts.sum() == pytest.approx(40 * 300 * 0.3, abs=4 * np.sqrt(3600))
    assert counts.var() / counts.mean() == pytest.approx(1.0, abs=0.06)
    for n, share in enumerate(np.exp(-0.3) * np.array([1, 0.3, 0.045])):
        assert (counts == n).mean() == pytest.approx(share, abs=0.012)
    # The flag says who moved, and places change with it alone.
    before, after = movie.specimen_at(7), movie.specimen_at(8)
    went = np.hypot(*(after.yx - before.yx).T) > 0
    assert np.array_equal(after.planted["moved"] == 1, after.planted["hops"] > 0)
    assert not went[after.planted["moved"] == 0].any()
    single = after.planted["hops"] == 1
    assert np.allclose(np.hypot(*(after.yx - before.yx)[single].T), 2.0)


@pytest.mark.parametrize("kind", ["diffusion", "hopping"])
def test_mean_square_displacement_grows_as_4_d_t(kind):
    sites = square(61)
    start = sites[[1860]]
    rows, frames = 60, 60
    if kind == "diffusion":
        movie = filmed(
            atoms(np.repeat(start, rows, 0)), frames, Diffusion(tuple(range(rows)), 0.4), seconds=0.5
        )
        coefficient = 0.4
        walks = np.stack([movie.specimen_at(k).yx for k in range(frames)])
    else:
        # One atom a movie: they would be in each other's way.
        walks = []
        for seed in range(rows):
            one = filmed(
                atoms(start), frames, Hopping((0,), tuple(map(tuple, sites)), 0.5), seed=seed, seconds=0.5
            )
            walks.append(np.stack([one.specimen_at(k).yx[0] for k in range(frames)]))
        walks = np.stack(walks, 1)
        coefficient = 0.5 * 2.0**2 / 4
    # All pairs of frames ten apart: independent enough that 60 atoms decide.
    steps = walks[10:] - walks[:-10]
    assert (steps**2).sum(-1).mean() == pytest.approx(4 * coefficient * 5.0, rel=0.2)
    assert (walks[1:] - walks[:-1]).mean() == pytest.approx(0, abs=0.06)


def test_no_site_is_taken_twice_and_a_full_lattice_stands():
    sites = square(5)
    crowded = filmed(atoms(sites[:20]), 50, Hopping(tuple(range(20)), tuple(map(tuple, sites)), 2.0))
    for frame in range(50):
        places = crowded.specimen_at(frame).yx
        assert len(np.unique(places.round(6), axis=0)) == 20
    full = filmed(atoms(sites), 5, Hopping(tuple(range(25)), tuple(map(tuple, sites)), 2.0))
    assert np.array_equal(full.specimen_at(4).yx, sites)


def test_vacancies_change_places_with_columns_of_their_sublattice():
    whole = sheet()
    gone = np.zeros(len(whole), dtype=bool)
    gone[np.flatnonzero(whole.sublattice == 1)[[10, 25, 40]]] = True
    movie = filmed(whole.without(gone), 30, VacancyHopping(0.8))
    sites = whole.yx[np.lexsort(whole.yx.T)]
    moved = 0
    for frame in range(30):
        now = movie.specimen_at(frame)
        everything = np.concatenate([now.yx, now.vacant.yx])
        assert np.allclose(everything[np.lexsort(everything.T)], sites)
        assert (now.vacant.sublattice == 1).all()
        assert np.array_equal(now.planted["track"], np.arange(len(now)))
        # A site keeps its place in the lattice, whoever stands on it.
        home = cKDTree(whole.yx).query(now.yx)[1]
        assert np.array_equal(now.index, whole.index[home])
        moved += now.planted["hops"].sum()
    assert moved == pytest.approx(3 * 29 * 0.8, abs=4 * np.sqrt(70))


def test_columns_change_their_species_and_back_at_the_rates_asked_for():
    rows = tuple(range(200))
    movie = filmed(atoms(square(15)[:200], "Mo"), 200, Exchange(rows, "W", 0.3, 0.1))
    states = np.stack([movie.specimen_at(k).species == "W" for k in range(200)])
    assert not states[0].any()
    assert states[1].mean() == pytest.approx(0.75 * (1 - np.exp(-0.4)), abs=0.1)
    assert states[50:].mean() == pytest.approx(0.75, abs=0.02)


def test_a_wall_sweeps_over_the_columns_at_its_speed():
    specimen = grow(perovskite(), (SIZE, SIZE))
    wall = Wall((0.0, -1.0), (0.0, 1.0), (0.0, 1.0), (0.0, 4.0), 2.0)
    movie = filmed(specimen, 11, MovingWall(wall, ((1, 0.2), (2, -0.3)), speed=1.0))
    for frame in (0, 5, 10):
        now = movie.specimen_at(frame)
        still = now.yx - now.displacement
        assert np.array_equal(now.planted["domain"], (still[:, 1] > 4 + frame).astype(int))
        center = now.sublattice == 1
        expected = 0.2 * np.tanh((still[center, 1] - 4 - frame) / 2)
        assert np.allclose(now.displacement[center, 1], expected)
        assert np.allclose(now.planted["polar_x_A"][center], expected)


def test_a_crystal_turns_and_its_planted_fields_turn_with_it():
    about = (SIZE / 2, SIZE / 2)
    specimen = sheet()
    movie = filmed(specimen, 4, Turning(0.05, about))
    now = movie.specimen_at(3)
    (before, after) = (place - np.array(about) for place in (specimen.yx, now.yx))
    assert np.allclose(np.hypot(*after.T), np.hypot(*before.T))
    angle = np.arctan2(*(after.T[::-1])) - np.arctan2(*(before.T[::-1]))
    assert np.allclose(np.mod(angle, 2 * np.pi), 0.15)
    assert np.allclose(now.origin_of(now.yx), specimen.yx, atol=1e-6)
    assert not now.displacement.any()


def test_an_edge_grows():
    movie = filmed(sheet(), 5, Growth((0.0, 1.0), (0.0, 6.0), 2.0), DriftPath((0.0, 0.1)))
    for frame in range(5):
        now = movie.specimen_at(frame)
        reached = now.yx[:, 1].max() - 0.1 * frame
        assert 6 + 2 * frame - 3.2 < reached <= 6 + 2 * frame + 1e-9
    assert set(movie.specimen_at(0).planted["track"]) < set(movie.specimen_at(4).planted["track"])


def everything_at_once(frames: int, seed: int) -> Movie:
    specimen = sheet().without(np.arange(len(sheet())) == 60)
    added = atoms([[8.0, 8.0], [3.0, 14.0]])
    full = joined(specimen, added)
    rows = (len(specimen), len(specimen) + 1)
    movements = (
        VacancyHopping(0.5),
        Diffusion(rows, 0.3),
        Exchange((50, 51, 52), "W", 0.3, 0.2),
        DriftPath((0.1, 0.05), 0.05, 4.0),
    )
    rough = Microscope(
        MICROSCOPE.probe,
        SAMPLING,
        2e4,
        gradient=0.3,
        artefacts=(LineJitter(0.03, 0.5), Contamination(0.1)),
    )
    return filmed(full, frames, *movements, seed=seed, microscope=rough)


@settings(max_examples=5)
@given(st.integers(0, 10**6), st.integers(0, 5))
def test_a_frame_alone_is_that_frame_of_the_movie_and_a_longer_movie_begins_the_same(seed, frame):
    movie = everything_at_once(6, seed)
    stack = render([movie.scene(k) for k in range(6)])
    for other in (everything_at_once(6, seed), everything_at_once(9, seed)):
        scene = other.scene(frame)
        assert torch.equal(render([scene])[0], stack[frame])
        assert np.array_equal(scene.columns().yx, movie.scene(frame).columns().yx)


def test_a_movie_is_the_same_whatever_is_rendered_together(monkeypatch):
    movie = everything_at_once(7, 3)
    made = []
    for pixels in (1, 3 * 96 * 96, 2**20):
        monkeypatch.setattr(movie_module, "PIXELS_AT_ONCE", pixels)
        made.append(simulate_movie(movie.specimen, movie.microscope, SHAPE, 7, movie.movements, seed=3))
    for other in made[1:]:
        assert np.array_equal(made[0].micrograph.image, other.micrograph.image)
        assert np.array_equal(made[0].columns.yx, other.columns.yx)
    film = made[0]
    assert film.micrograph.image.shape == (7, 96, 96)
    assert np.array_equal(np.unique(film.columns["frame"]), np.arange(7))
    assert film.columns["track"].min() >= 0
    assert np.allclose(film.micrograph.metadata["drift_A"], movie.drift)
    assert film.micrograph.metadata["frame_time"] == 1.0
    for frame in range(7):
        here = film.columns["frame"] == frame
        assert len(np.unique(film.columns["track"][here])) == here.sum()
        assert np.allclose(film.columns["drift_y_A"][here], movie.drift[frame, 0])


def test_what_belongs_to_specimen_and_detector_is_the_same_in_all_frames():
    movie = everything_at_once(5, 1)
    scenes = [movie.scene(k) for k in range(5)]
    # W in place of Mo would brighten a ground that is told as a share of the brightest column.
    assert len({str(np.unique(scene.specimen.species)) for scene in scenes}) > 1
    assert all(np.allclose(scene.knots, scenes[0].knots, rtol=1e-9) for scene in scenes)
    assert np.ptp(scenes[0].knots) > 0
    assert not np.array_equal(scenes[0].raster.rows, scenes[1].raster.rows)
    still = filmed(sheet(), 3, microscope=Microscope(MICROSCOPE.probe, SAMPLING, 2e4, gradient=0.5))
    first, second = (still.scene(k) for k in range(2))
    assert np.array_equal(first.electrons, second.electrons)
    assert np.ptp(first.electrons[first.specimen.species == "Mo"]) > 0
    assert first.drawn[1].sum() == pytest.approx(first.electrons.sum())
    assert not torch.equal(*render([first, second]))


def test_fields_and_vacancies_go_with_the_drift():
    whole = strained(sheet(), np.array([[0.01, 0.0], [0.0, 0.0]]))
    planted = with_strain(smoothly_strained(whole, 0.02, 15.0, np.random.default_rng(0)))
    planted = planted.without(np.arange(len(planted)) == 80)
    movie = filmed(planted, 4, DriftPath((0.5, 0.3), scanning=0.0))
    now = movie.specimen_at(3)
    assert np.allclose(now.field_at("strain_yy", now.yx), now.planted["strain_yy"], atol=1e-6)
    assert np.allclose(now.vacant.yx, planted.vacant.yx + movie.drift[3])
    assert np.array_equal(now.displacement, planted.displacement)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: filmed(sheet(), 0), "0 frames"),
        (lambda: filmed(sheet(), 2, seconds=0.0), "positive"),
        (lambda: filmed(sheet(), 2, Diffusion((10**6,), 1.0)).scene(0), "rows"),
        (lambda: filmed(sheet(), 2, Diffusion((0,), -1.0)).scene(0), "-1"),
        (lambda: filmed(sheet(), 2, VacancyHopping(1.0)).scene(0), "none"),
        (lambda: filmed(sheet(), 2, Hopping((0,), ((0.0, 0.0),), 1.0)).scene(0), "two or more"),
        (lambda: filmed(sheet(), 2, Hopping((0, 1), ((0.0, 0.0), (1e3, 0.0)), 1.0)).scene(0), "same site"),
        (lambda: filmed(sheet(), 2).scene(2), "frames 0 to 1"),
        (lambda: DriftPath(memory=0.0), "memory"),
    ],
)
def test_what_cannot_be_filmed_is_told(make, words):
    with pytest.raises(StemnetError, match=words):
        make()


def test_a_specimen_may_be_empty():
    film = simulate_movie(atoms([]), MICROSCOPE, SHAPE, 2, (DriftPath((1.0, 0.0)),), seed=0)
    assert len(film.columns) == 0
    assert film.micrograph.image.shape == (2, *SHAPE)


def test_a_support_lasts_and_drifts_with_the_specimen():
    """Without columns and with many electrons the frames are the support alone."""
    microscope = Microscope(
        Probe(80, 30), sampling=SAMPLING, dose=1e9, background=0.0, artefacts=(Support(0.3, 0.5),)
    )
    movie = filmed(atoms(np.zeros((0, 2))), 3, DriftPath((1.0, -0.6), scanning=0.0), microscope=microscope)
    scenes = [movie.scene(k) for k in range(3)]
    frames = render(scenes).double().numpy()
    assert movie.drift[2] / SAMPLING == pytest.approx([10.0, -6.0])
    counting = np.sqrt(2 * frames[0].max())
    np.testing.assert_allclose(frames[2][10:, :-6], frames[0][:-10, 6:], atol=6 * counting)
    assert np.abs(frames[2] - frames[0]).max() > 50 * counting
    support = scenes[0].support
    assert frames[0].mean() == pytest.approx(2 * support, rel=0.15)
    assert frames[0].std() == pytest.approx(support, rel=0.15)
    other = filmed(atoms(np.zeros((0, 2))), 1, seed=1, microscope=microscope)
    assert np.abs(render([other.scene(0)]).double().numpy()[0] - frames[0]).max() > 50 * counting
