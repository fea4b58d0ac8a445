"""Laws of the benchmark that holds our autoencoders beside those of others."""

import sys
from functools import cache
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "benchmarks"))

from autoencoders import Peer, measured, shown
from autoencoders_rows import Task, left_over, off_by, tasks


@cache
def few():
    return tasks(40, 0)


def flakes():
    return few()[2]


def test_nothing_is_left_of_rows_rebuilt_and_all_of_rows_that_are_the_mean():
    task = flakes()
    assert left_over(task, task.held) == 0
    mean = np.broadcast_to(task.rows.mean(axis=0), task.held.shape)
    assert left_over(task, mean) == pytest.approx(1)
    corners = task.held.copy()
    corners[:, :4, :4] = 1e6  # outside of the disk
    assert left_over(task, corners) == 0


def test_noise_alone_leaves_what_the_means_of_counts_would():
    rng = np.random.default_rng(0)
    expected = 20 + 10 * rng.random((300, 32, 32))
    rows = rng.poisson(expected).astype(float)
    task = Task("counts", "rotation", rows, rows)
    assert task.noise == pytest.approx(left_over(task, expected), rel=0.01)


def test_angles_count_modulo_the_symmetry_from_any_zero_in_either_direction():
    task = flakes()
    kind = np.array([0.3, -1.0, 2.0])[task.kind]
    turns = 2 * np.pi / task.fold * np.random.default_rng(0).integers(0, 6, len(task.fold))
    for sign in (1, -1):
        assert off_by(task, sign * (task.angle + kind + turns)) == pytest.approx((0, 0), abs=1e-6)
    off = np.radians(2) * np.resize([1, -1], len(task.fold))
    assert off_by(task, task.angle + off)[1] == pytest.approx(2, rel=0.1)


def test_a_guess_is_off_by_what_is_said():
    fold = np.full(20000, 4)
    rng = np.random.default_rng(0)
    task = Task("", "rotation", np.zeros((1, 2)), np.zeros((1, 2)), rng.uniform(-3, 3, 20000), fold, 0 * fold)
    assert off_by(task, rng.uniform(-3, 3, 20000))[0] == pytest.approx(task.guessed, rel=0.02)


def test_rows_learned_from_and_judged_on_are_of_different_images():
    for task in few():
        assert task.rows.shape == task.held.shape
        apart = (task.rows.reshape(len(task.rows), 1, -1) == task.held.reshape(1, len(task.held), -1)).all(2)
        assert not apart.any()


def test_a_peer_that_is_not_installed_is_left_out_and_ours_is_measured(tmp_path, capfd):
    task = few()[0]
    np.save(tmp_path / "rows.npy", task.rows)
    np.save(tmp_path / "held.npy", task.held)
    peer = Peer(sys.executable, "AtomAI", tmp_path, 1)
    rows = measured(task, [peer], rounds=1, passes=1, threads=1)
    peer.process.stdin.close()
    peer.process.wait()
    assert [row["method"] for row in rows] == ["stemnet"]
    assert rows[0]["samples_per_cpu_s"] > 0
    assert "AtomAI is left out: ModuleNotFoundError: No module named 'atomai'" in capfd.readouterr().err
    assert "stemnet" in shown(rows)
