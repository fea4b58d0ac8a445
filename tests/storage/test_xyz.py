import re

import numpy as np
import pytest

from stemnet import Columns
from stemnet.storage import write_columns_xyz


def blocks(path):
    """Read extended XYZ: (comment line, {property: list of text}) per block."""
    lines = path.read_text(encoding="utf-8").splitlines()
    found = []
    while lines:
        n, comment, rows, lines = int(lines[0]), lines[1], lines[2:], lines[2:]
        rows, lines = rows[:n], lines[n:]
        spec = re.search(r"Properties=(\S+)", comment).group(1).split(":")
        names = [name for name, n in zip(spec[::3], spec[2::3], strict=True) for _ in range(int(n))]
        table = [row.split() for row in rows]
        assert all(len(row) == len(names) for row in table)
        found.append((comment, names, table))
    return found


def positions(table):
    return np.array([[float(cell) for cell in row[1:4]] for row in table])


def lattice(comment):
    return np.array(re.search(r'Lattice="([^"]+)"', comment).group(1).split(), float).reshape(3, 3)


def test_a_viewer_shows_the_columns_as_the_image_does(tmp_path):
    # Top left, top right, bottom left pixel of an image 4 high and 6 wide.
    columns = Columns([[0, 0], [0, 5], [3, 0]], (4, 6), 0.5)
    write_columns_xyz(tmp_path / "c.xyz", columns)
    ((comment, _, table),) = blocks(tmp_path / "c.xyz")
    np.testing.assert_allclose(positions(table), [[0.25, 1.75, 0], [2.75, 1.75, 0], [0.25, 0.25, 0]])
    np.testing.assert_allclose(lattice(comment), np.diag([3, 2, 1]))
    assert "unit=angstrom" in comment
    assert 'pbc="F F F"' in comment


def test_unknown_sampling_gives_pixels_and_says_so(tmp_path):
    write_columns_xyz(tmp_path / "c.xyz", Columns([[1, 2]], (4, 6)))
    ((comment, _, table),) = blocks(tmp_path / "c.xyz")
    np.testing.assert_allclose(positions(table), [[2.5, 2.5, 0]])
    assert "unit=px" in comment


def test_species_are_elements_or_x_and_numbers_follow(tmp_path):
    fields = {
        "species": np.array(["W", "S2", ""]),
        "score": np.array([0.5, np.nan, 1], np.float32),
        "sublattice": np.array([0, 1, -1]),
        "note": np.array(["two words", "", ""]),
    }
    columns = Columns(np.arange(6).reshape(3, 2), (9, 9), 0.1, fields)
    write_columns_xyz(
        tmp_path / "c.xyz", columns, 'a "quoted"\nword', {"kmeans_vectors": np.array([2, 0, -1])}
    )
    ((comment, names, table),) = blocks(tmp_path / "c.xyz")
    assert names == ["species", "pos", "pos", "pos", "score", "sublattice", "kmeans_vectors"]
    assert [row[0] for row in table] == ["W", "X", "X"]
    assert [row[4:] for row in table] == [["0.5", "0", "2"], ["nan", "1", "0"], ["1", "-1", "-1"]]
    assert comment.endswith("comment=\"a 'quoted' word\" frame=0")


def test_frames_are_blocks(tmp_path):
    frame = np.array([2, 0, 2, 0, 0])
    columns = Columns(np.arange(10).reshape(5, 2), (20, 20), None, {"frame": frame})
    write_columns_xyz(tmp_path / "c.xyz", columns)
    found = blocks(tmp_path / "c.xyz")
    assert [comment.split()[-1] for comment, _, _ in found] == ["frame=0", "frame=2"]
    for number, (_, _, table) in zip((0, 2), found, strict=True):
        np.testing.assert_allclose(positions(table)[:, 0] - 0.5, columns.yx[frame == number, 1])


@pytest.mark.parametrize("sampling", [None, 0.1])
def test_no_columns_is_one_empty_block(tmp_path, sampling):
    write_columns_xyz(tmp_path / "c.xyz", Columns(np.empty((0, 2)), (5, 5), sampling))
    ((_, _, table),) = blocks(tmp_path / "c.xyz")
    assert table == []
