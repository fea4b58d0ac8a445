"""Rows of many images in one table: masked, counted, and never mixed where they differ."""

from pathlib import Path

import numpy as np
import pytest

from stemnet import storage
from stemnet.columns import Columns
from stemnet.descriptors import neighbor_vectors
from stemnet.doors.pooling import listed, own_rows, pooled, sources_of
from stemnet.doors.row_maker import RowMaker, Source, common_size, common_windows
from stemnet.errors import StemnetError
from stemnet.micrograph import Micrograph

VECTORS = RowMaker("vectors", neighbor_vectors)


def crystal(name="a", seed=0, step=14.0, side=160, sampling=0.2, hexagonal=False, frames=1) -> Source:
    """Columns of a crystal with thermal disorder, all frames alike, and their image."""
    rng = np.random.default_rng(seed)
    i, j = np.meshgrid(np.arange(-20, 40), np.arange(-20, 40), indexing="ij")
    cell = np.array([[1, 0], [0.5, np.sqrt(0.75)]]) if hexagonal else np.eye(2)
    yx = step * np.stack([i, j], -1).reshape(-1, 2) @ cell + 6
    yx = yx[((yx > 4) & (yx < side - 5)).all(axis=1)]
    yx = yx + 0.3 * rng.normal(size=yx.shape)
    axis = np.arange(side)
    a, b = np.exp(-((axis - yx[:, :1]) ** 2) / 8), np.exp(-((axis - yx[:, 1:]) ** 2) / 8)
    image = np.repeat(np.einsum("ny,nx->yx", a, b)[None], frames, axis=0)
    frame = np.repeat(np.arange(frames), len(yx))
    columns = Columns(
        np.tile(yx, (frames, 1)), (side, side), sampling, {"frame": frame, "intensity": np.ones(len(frame))}
    )
    return Source(name, Micrograph(image, sampling, name), columns)


def written(folder: Path, source: Source) -> Path:
    """As predict.py leaves it."""
    path = folder / source.name / "result.h5"
    path.parent.mkdir(parents=True)
    storage.write_result(path, source.micrograph, source.columns)
    return path


def test_rows_of_all_images_are_pooled_with_where_they_come_from():
    one, other = crystal("a"), crystal("b", seed=1)
    pool = pooled([one, other], VECTORS)
    alone = neighbor_vectors(one.columns)
    np.testing.assert_allclose(pool.rows[pool.source == 0], alone.complete)
    assert alone.valid.sum() < len(one.columns)
    assert (pool.names, pool.sources) == (alone.names, ("a", "b"))
    assert pool.notes[0] == f"a: {len(one.columns)} columns, {alone.valid.sum()} rows."


def test_frames_of_a_stack_are_images_of_their_own():
    single, stack = crystal(), crystal(frames=3)
    rows = pooled([single], VECTORS).rows
    np.testing.assert_allclose(pooled([stack], VECTORS).rows, np.tile(rows, (3, 1)))
    patches = RowMaker("patches", size=15)
    np.testing.assert_allclose(pooled([stack], patches).rows, np.tile(pooled([single], patches).rows, (3, 1)))


def test_what_has_gaps_is_left_out():
    source = crystal()
    image = source.micrograph.image.copy()
    image[..., :60, :] = np.nan
    torn = Source("torn", Micrograph(image, 0.2, "torn"), source.columns)
    whole, rest = (pooled([one], RowMaker("patches", size=15)).rows for one in (source, torn))
    assert 0 < len(rest) < len(whole)
    assert np.isfinite(rest).all()


def test_rows_of_different_numbers_are_not_mixed():
    square = crystal("a")
    with pytest.raises(StemnetError, match=r"a has rows of 8 numbers \(r0y_A, ...\), and b of 12 numbers"):
        pooled([square, crystal("b", hexagonal=True)], VECTORS)
    with pytest.raises(StemnetError, match=r"\(r0y_A, ...\), and c of 8 numbers \(r0y_px, ...\)"):
        pooled([square, crystal("c", sampling=None)], VECTORS)


def test_where_there_is_no_row_it_is_said():
    empty = Source("empty", Micrograph(np.zeros((64, 64)), 0.2), Columns(np.zeros((0, 2)), (64, 64), 0.2))
    with pytest.raises(
        StemnetError, match=r"None of 1 images has a complete row \(empty: 0 columns, 0 rows.\)"
    ):
        pooled([empty], VECTORS)
    assert len(pooled([empty, crystal()], VECTORS).rows) > 0
    with pytest.raises(StemnetError, match="rows=pixels was given; give vectors, patches or windows"):
        RowMaker("pixels")


def test_one_size_of_patch_for_all_images_or_none():
    assert common_size([crystal("a"), crystal("b", step=15.0)]) % 2 == 1
    with pytest.raises(StemnetError, match=r"suit a, and of \d+ px b: .* Give size="):
        common_size([crystal("a"), crystal("b", step=24.0, side=260)])


def test_windows_hold_four_periods_of_all_images_or_what_is_asked_for():
    windows = common_windows([crystal("a"), crystal("b", step=15.0)])
    # of 14 and 15 px
    assert (windows.size, windows.step, windows.log) == (56, 14, True)
    assert windows.highest == pytest.approx(3.5 / 14.5, rel=0.01)
    given = common_windows([crystal("a"), crystal("c", step=24.0, side=260)], size=64, step=10)
    assert (given.size, given.step) == (64, 10)
    with pytest.raises(StemnetError, match=r"Windows of 56 px suit a, and of 96 px c: .* Give size="):
        common_windows([crystal("a"), crystal("c", step=24.0, side=260)])
    noise = np.random.default_rng(0).normal(size=(80, 80))
    blank = Source("blank", Micrograph(noise, 0.2), Columns(np.zeros((0, 2)), (80, 80), 0.2))
    with pytest.raises(StemnetError, match=r"None of 1 images shows a lattice .* Give size="):
        common_windows([blank])
    assert common_windows([blank], size=32).step == 8


def test_all_windows_of_all_frames_are_pooled_with_columns_or_without():
    single, stack = crystal(), crystal(frames=2)
    none = Source("none", single.micrograph, Columns(np.zeros((0, 2)), (160, 160), 0.2))
    maker = RowMaker("windows").suited([single])
    rows = pooled([single], maker).rows
    assert len(rows) == ((160 - 56) // 14 + 1) ** 2
    np.testing.assert_array_equal(pooled([none], maker).rows, rows)
    np.testing.assert_allclose(pooled([stack], maker).rows, np.tile(rows, (2, 1)), rtol=1e-4, atol=1e-4)
    assert maker.patch_shape is None
    turning = RowMaker("windows").suited([single], turning=True)
    assert pooled([single], turning).rows.shape == (len(rows), np.prod(turning.patch_shape))


def test_images_or_rows_are_put_aside_and_no_row_is_in_both():
    pool = pooled([crystal(str(n), seed=n) for n in range(4)], VECTORS)
    train, test = pool.parted(0.25, None, seed=0)
    assert (train ^ test).all()
    assert len(np.unique(pool.source[test])) == 1
    assert not set(pool.source[test]) & set(pool.source[train])
    train, test = pool.parted(0.25, "rows", seed=0)
    assert test.sum() == round(0.25 * len(test))
    assert len(np.unique(pool.source[test])) == 4
    assert not np.array_equal(test, pool.parted(0.25, "rows", seed=1)[1])
    with pytest.raises(StemnetError, match=r"1 of 1 images were to be put aside"):
        pooled([crystal()], VECTORS).parted(0.2, "images", seed=0)


def test_results_of_predicting_are_read_as_they_are(tmp_path):
    sources = [crystal("a"), crystal("b", seed=1)]
    paths = [written(tmp_path / "results", one) for one in sources]
    assert listed([str(tmp_path / "results")]) == [str(path) for path in paths]
    assert listed([str(paths[0]), str(paths[0])]) == [str(paths[0])]

    def never(path):
        raise AssertionError(path)

    back = sources_of([str(path) for path in paths], ["result", "result_h5"], never)
    assert [one.name for one in back] == ["a", "b"]
    np.testing.assert_array_equal(pooled(back, VECTORS).rows, pooled(sources, VECTORS).rows)


@pytest.mark.parametrize(
    "maker",
    [
        RowMaker("patches", size=15),
        RowMaker("windows", size=56).suited([crystal()]),
        RowMaker("windows", size=56).suited([crystal()], turning=True),
    ],
    ids=["patches", "windows", "maps"],
)
def test_a_trained_method_gets_rows_of_its_own(maker, tmp_path):
    from stemnet.analysis import VariationalAutoencoder
    from stemnet.analysis.vae_file import VAECard

    source = crystal()
    rows = maker(source.columns, source.micrograph.frames[0]).complete
    assert len(rows) > 20
    model = VariationalAutoencoder(max_epochs=1).fit(rows)
    model.save(tmp_path / "vae.safetensors", VAECard(rows=maker.record({})))
    trained = VariationalAutoencoder.of(tmp_path / "vae.safetensors")
    made = own_rows(
        {"vae": trained, "other": VariationalAutoencoder()}, source.columns, source.micrograph.frames
    )
    assert list(made) == ["vae"]
    np.testing.assert_allclose(made["vae"].complete, rows)
    assert len(made["vae"]) == len(source.columns)
    names = next(iter(maker.tables(source))).names
    assert made["vae"].names == names
