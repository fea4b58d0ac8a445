import numpy as np
import pytest
from scipy.linalg import subspace_angles
from sklearn.decomposition import PCA
from streams import shifted, table, two_phases

from stemnet.analysis.streamed import blocks, score_map
from stemnet.analysis.streamed_pca import StreamedPCA
from stemnet.descriptors.spectra_stream import SpectraStream
from stemnet.descriptors.windows import Windows
from stemnet.errors import StemnetError

WINDOWS = Windows(32, 8, highest=0.25)


@pytest.mark.parametrize("size", [1, 64, 333, 10**6])
def test_streamed_pca_is_that_of_all_rows_at_once(size):
    rows = shifted()
    found, wanted = StreamedPCA(6).fit(blocks(table(rows), size)), PCA(svd_solver="full").fit(rows)
    np.testing.assert_allclose(found.eigenvalues_, wanted.explained_variance_, rtol=1e-9)
    np.testing.assert_allclose(
        found.explained_variance_ratio_, wanted.explained_variance_ratio_[:6], rtol=1e-9
    )
    np.testing.assert_allclose(found.mean_, wanted.mean_, rtol=1e-12)
    assert subspace_angles(found.components_.T, wanted.components_[:6].T).max() < 1e-7
    scores = found.transform(blocks(table(rows), size))
    np.testing.assert_allclose(np.abs(scores), np.abs(wanted.transform(rows)[:, :6]), atol=2e-2, rtol=1e-4)
    again = StreamedPCA(40).fit(blocks(table(rows), size))
    np.testing.assert_allclose(again.inverse_transform(again.transform(blocks(table(rows)))), rows, rtol=1e-5)


def test_the_first_component_separates_two_lattices():
    stream = SpectraStream(two_phases(), WINDOWS)
    maps = score_map(StreamedPCA().fit_transform(stream), stream.grid)
    assert maps.shape[-1] == 16
    x = WINDOWS.centers((256, 256))[:, 1].reshape(stream.grid)
    left, right = maps[x < 112, 0], maps[x > 144, 0]
    assert max(left.max(), right.max()) > 0 > min(left.min(), right.min())
    assert left.max() < right.min() or right.max() < left.min()


@pytest.mark.parametrize(
    ("call", "word"),
    [
        (lambda: StreamedPCA(3).fit([]), "0 complete rows"),
        (lambda: StreamedPCA(3).fit(blocks(table(np.eye(3, 8)))), "3 complete rows"),
        (lambda: StreamedPCA(0).fit(blocks(table(np.eye(9, 8)))), "0 components"),
        (lambda: StreamedPCA(2).fit(blocks(table(np.ones((50, 8))))), "equal rows"),
    ],
)
def test_what_has_no_components_gets_a_sentence(call, word):
    with pytest.raises(StemnetError, match=word):
        call()
