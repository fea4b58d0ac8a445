import numpy as np
import pytest
from sklearn.exceptions import NotFittedError
from streams import shifted, table, two_phases

from stemnet.analysis.streamed import blocks, score_map
from stemnet.analysis.streamed_pca import StreamedPCA
from stemnet.descriptors.spectra_stream import Block, SpectraStream, window_spectra
from stemnet.descriptors.windows import Windows
from stemnet.errors import StemnetError

WINDOWS = Windows(32, 8, highest=0.25)


def test_masked_rows_never_matter_and_keep_their_place():
    rows, valid = shifted(), np.random.default_rng(1).uniform(size=700) > 0.3
    valid[100:300] = False  # whole blocks of nothing
    gaps = np.where(valid[:, None], rows, np.nan)
    found = StreamedPCA(3)
    scores = found.fit_transform(blocks(table(gaps, valid), 64))
    np.testing.assert_array_equal(np.isfinite(scores).all(axis=1), valid)
    alone = StreamedPCA(3).fit(blocks(table(rows[valid]), 64))
    assert found.n_samples_seen_ == valid.sum()
    np.testing.assert_allclose(found.eigenvalues_, alone.eigenvalues_, rtol=1e-9)


def test_windows_streamed_or_held_give_the_same_maps():
    image = two_phases()
    image[100:130, 60:100] = np.nan
    stream, held = SpectraStream(image, WINDOWS, 100), window_spectra(image, WINDOWS)
    one, other = StreamedPCA(2).fit_transform(stream), StreamedPCA(2).fit_transform(blocks(held))
    np.testing.assert_allclose(one, other, atol=1e-3)
    maps = score_map(one, stream.grid)
    assert maps.shape == (*stream.grid, 2)
    np.testing.assert_array_equal(np.isfinite(maps[..., 0]), stream.valid)


def test_what_is_not_fitted_says_so():
    with pytest.raises(NotFittedError, match="StreamedPCA"):
        StreamedPCA().transform([])


@pytest.mark.parametrize(
    ("call", "word"),
    [
        (lambda: StreamedPCA(2).fit([Block(0, np.eye(9, 5000), np.ones(9, bool))]), "highest="),
        (lambda: StreamedPCA(2).fit(blocks(table(np.eye(9))) + blocks(table(np.eye(8)))), "as many"),
        (lambda: StreamedPCA(2).fit(blocks(table(np.full((9, 4), np.nan)))), "finite"),
        (lambda: StreamedPCA(2).fit(blocks(table(shifted()))).transform(blocks(table(np.eye(9)))), "as many"),
        (lambda: score_map(np.zeros((10, 2)), (3, 3)), "3 x 3"),
    ],
)
def test_what_is_no_stream_gets_a_sentence(call, word):
    with pytest.raises(StemnetError, match=word):
        call()
