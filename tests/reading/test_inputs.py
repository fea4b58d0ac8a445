"""The list of inputs, and the names of their results."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stemnet.reading import expand_inputs, unique_stems


@pytest.fixture
def folder(tmp_path, monkeypatch):
    for name in (
        "b.tif",
        "a.npy",
        "notes.txt",
        "table.csv",
        "a.json",
        ".hidden.tif",
        "x [1].png",
        "deep/c.dm4",
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_folder_gives_its_readable_files_sorted(folder):
    assert expand_inputs(["."]) == ["./a.npy", "./b.tif", "./x [1].png"]


def test_glob_gives_readable_files_and_may_go_deeper(folder):
    assert expand_inputs(["*"]) == ["a.npy", "b.tif", "x [1].png"]
    assert expand_inputs(["**/*.dm4"]) == ["deep/c.dm4"]
    assert expand_inputs(["*.csv"]) == ["table.csv"]


def test_what_names_nothing_is_kept(folder):
    (folder / "empty").mkdir()
    given = ["gone.tif", "*.emd", "empty", "", "a,b=c (2).tif"]
    assert expand_inputs(given) == given


@pytest.mark.parametrize(
    "name", ["[1].tif", "a*.tif", "what?.tif", "a, b = c.tif", "Å 原子 (2).tif", "~x.tif"]
)
def test_a_file_of_that_very_name_wins_over_the_glob(folder, name):
    (folder / name).touch()
    (folder / "1.tif").touch()
    (folder / "abc.tif").touch()
    assert expand_inputs([name]) == [name]


def test_order_is_kept_and_nothing_comes_twice(folder):
    assert expand_inputs(["b.tif", "./b.tif", "*.npy", str(folder / "b.tif"), "*"]) == [
        "b.tif", "a.npy", "x [1].png",
    ]  # fmt: skip


def test_stems():
    assert unique_stems(["si110_dumbbell_9.8pm.png", "d/b.tif"]) == ["si110_dumbbell_9.8pm", "b"]
    assert unique_stems(["a.tif", "a.png", "d/a.tif", "e/a.tif"]) == ["a", "a_png", "a_tif", "a_tif_2"]
    assert unique_stems(["a.tif", "a.png", "a_png.dm4"]) == ["a", "a_png_2", "a_png"]
    assert unique_stems(["a", "b/a"]) == ["a", "a_2"]


names = st.text("aAbB_2.", min_size=1, max_size=4).filter(lambda text: text.strip("."))


@given(
    st.lists(
        st.builds("{}/{}{}".format, names, names, st.sampled_from(["", ".tif", ".TIF", ".png"])), max_size=12
    )
)
def test_result_names_never_collide(paths):
    results = unique_stems(paths)
    assert len(results) == len(paths)
    assert len({name.casefold() for name in results}) == len(paths)
    for path, name in zip(paths, results, strict=True):
        assert name.startswith(Path(path).stem)
