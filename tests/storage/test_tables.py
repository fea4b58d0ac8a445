import csv

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from stemnet import Columns, StemnetError
from stemnet.storage import read_columns_csv, read_rows, write_columns_csv, write_rows, write_summary

HEADER = "y_px,x_px,y_A,x_A,score,intensity,width_px,frame,sigma_y_px,sigma_x_px,sublattice"
LAW = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@st.composite
def any_columns(draw):
    n = draw(st.integers(0, 12))

    def reals(**kwargs):
        return draw(npst.arrays(np.float64, n, elements=st.floats(**kwargs)))

    def integers(low, high):
        return draw(npst.arrays(np.int64, n, elements=st.integers(low, high)))

    fields = {
        "score": reals(min_value=0, max_value=1, width=32).astype(np.float32),
        "intensity": reals(min_value=-1e9, max_value=1e9),
        "width": reals(min_value=0, max_value=40, allow_nan=False),
        "sigma_y": np.where(reals(min_value=0, max_value=1) < 0.5, np.nan, 0.125),
        "frame": integers(0, 3),
        "sublattice": integers(-1, 4),
        "species": draw(npst.arrays("U3", n, elements=st.sampled_from(["W", "S2", "a,b", 'q"'])))
        if n
        else np.empty(0, "U3"),
    }
    kept = draw(st.sets(st.sampled_from(sorted(fields))))
    yx = np.stack([reals(min_value=-2, max_value=9000), reals(min_value=-2, max_value=9000)], axis=1)
    sampling = draw(st.none() | st.floats(0.01, 2))
    return Columns(yx, (9000, 9001), sampling, {name: fields[name] for name in kept})


@LAW
@given(columns=any_columns())
def test_columns_come_back_from_csv(tmp_path, columns):
    write_columns_csv(tmp_path / "columns.csv", columns)
    back = read_columns_csv(tmp_path / "columns.csv", columns.shape)

    assert len(back) == len(columns)
    np.testing.assert_allclose(back.yx, columns.yx, atol=1e-6, rtol=0)
    if columns.sampling is not None and len(columns) and np.abs(columns.yx).max() > 1e-3:
        assert back.sampling == pytest.approx(columns.sampling, rel=1e-6)
    if columns.sampling is None:
        assert back.sampling is None
    for name, values in columns.fields.items():
        if name not in back:  # nothing in it
            assert len(values) == 0 or np.isnan(values).all()
        elif values.dtype.kind == "U":
            np.testing.assert_array_equal(back[name], values)
        else:
            assert back[name].dtype.kind == values.dtype.kind
            np.testing.assert_allclose(back[name], values, rtol=1e-6, atol=1e-30)


def test_header_is_a_contract_and_empty_tables_keep_it(tmp_path):
    write_columns_csv(tmp_path / "columns.csv", Columns(np.empty((0, 2)), (5, 6)), {"pca_0": np.empty(0)})
    assert (tmp_path / "columns.csv").read_text() == HEADER + ",pca_0\n"
    assert len(read_columns_csv(tmp_path / "columns.csv")) == 0


def test_unknown_is_empty_not_a_number(tmp_path):
    columns = Columns([[1.5, 2.25], [3, 4]], (8, 8), None, {"width": np.array([np.nan, 2.0])})
    write_columns_csv(tmp_path / "columns.csv", columns, {"kmeans_vectors": np.array([-1, 3])})
    with open(tmp_path / "columns.csv", newline="") as file:
        first, second = csv.DictReader(file)
    assert (first["y_px"], first["x_px"]) == ("1.5", "2.25")
    assert (first["y_A"], first["score"], first["width_px"], first["frame"]) == ("", "", "", "0")
    assert (second["width_px"], first["kmeans_vectors"], second["kmeans_vectors"]) == ("2.0", "-1", "3")


def test_angstrom_is_pixels_times_sampling(tmp_path):
    write_columns_csv(tmp_path / "columns.csv", Columns([[10, 20]], (30, 30), 0.2))
    (row,) = read_rows(tmp_path / "columns.csv")
    assert (float(row["y_A"]), float(row["x_A"])) == pytest.approx((2, 4))


def test_image_without_a_stated_shape_holds_every_column(tmp_path):
    (tmp_path / "other.csv").write_text("label,x_px,y_px\nPt,3,10.5\nC,7,0\n")
    columns = read_columns_csv(tmp_path / "other.csv")
    assert columns.shape == (12, 8)
    assert columns.sampling is None
    np.testing.assert_array_equal(columns["label"], ["Pt", "C"])


@pytest.mark.parametrize(
    ("content", "word"),
    [
        ("a,b\n1,2\n", "y_px"),
        ("", "y_px"),
        ("y_px,x_px\n1,\n", "empty"),
        ("y_px,x_px\none,two\n", "not numbers"),
        ("y_px,x_px\n1\n", "shorter"),
        (b"\xff\xfe\x00", "UTF-8"),
    ],
)
def test_a_file_that_is_no_table_is_refused_in_words(tmp_path, content, word):
    path = tmp_path / "bad.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(StemnetError, match=word):
        read_columns_csv(path)


def test_missing_file_is_refused_in_words(tmp_path):
    with pytest.raises(StemnetError, match="no file"):
        read_columns_csv(tmp_path / "missing.csv")


@pytest.mark.parametrize("extra", [{"pca_0": np.zeros(3)}, {"score": np.zeros(2)}, {"y_px": np.zeros(2)}])
def test_extra_columns_must_fit_and_have_names_of_their_own(tmp_path, extra):
    columns = Columns(np.zeros((2, 2)), (4, 4), None, {"score": np.ones(2)})
    with pytest.raises(StemnetError):
        write_columns_csv(tmp_path / "columns.csv", columns, extra)
    assert not list(tmp_path.iterdir())


def test_summary_lists_failed_inputs(tmp_path):
    rows = [
        {"input": "a, b=1.tif", "status": "ok", "columns": 12, "sampling_A_per_px": 0.1, "seconds": 1.5},
        {"input": "é.dm4", "status": "failed", "message": 'got "x"; need y'},
    ]
    write_summary(tmp_path / "summary.csv", rows)
    first, second = read_rows(tmp_path / "summary.csv")
    assert list(first) == [
        "input", "status", "columns", "sampling_A_per_px", "sampling_from", "seconds", "message",
    ]  # fmt: skip
    assert (first["input"], first["columns"], second["columns"]) == ("a, b=1.tif", "12", "")
    assert second["message"] == 'got "x"; need y'


def test_rows_may_differ_in_their_names(tmp_path):
    write_rows(tmp_path / "t.csv", [{"a": 1}, {"b": np.nan, "c": None}, {"b": np.float32(0.1)}])
    assert read_rows(tmp_path / "t.csv") == [
        {"a": "1", "b": "", "c": ""},
        {"a": "", "b": "", "c": ""},
        {"a": "", "b": "0.1", "c": ""},
    ]


def test_a_cut_off_write_leaves_the_former_file(tmp_path):
    write_rows(tmp_path / "t.csv", [{"a": 1}])

    def cut_off():
        yield {"a": 2}
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_rows(tmp_path / "t.csv", cut_off())
    assert read_rows(tmp_path / "t.csv") == [{"a": "1"}]
    assert [path.name for path in tmp_path.iterdir()] == ["t.csv"]


def test_a_folder_that_cannot_be_made_is_said(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StemnetError, match="could not be written"):
        write_rows(tmp_path / "file" / "t.csv", [{"a": 1}])
