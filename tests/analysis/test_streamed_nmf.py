import numpy as np
import pytest
from sklearn.base import clone
from sklearn.decomposition import NMF
from streams import shifted, table, two_phases

from stemnet.analysis.streamed import blocks
from stemnet.analysis.streamed_nmf import StreamedNMF, _even_sample
from stemnet.descriptors.spectra_stream import SpectraStream, window_spectra
from stemnet.descriptors.windows import Windows
from stemnet.errors import StemnetError

WINDOWS = Windows(32, 8, highest=0.25)


@pytest.mark.parametrize("axis", [0, 1])
def test_factors_separate_two_lattices_whatever_lies_at_the_top(axis):
    image = two_phases() if axis == 1 else two_phases().T  # then the first blocks hold one lattice only
    model = StreamedNMF(2)
    scores = model.fit_transform(SpectraStream(image, WINDOWS, 60))
    assert min(model.components_.min(), scores.min()) >= 0
    place = WINDOWS.centers(image.shape)[:, axis]
    agree = ((scores[:, 0] > scores[:, 1]) == (place < 127.5))[np.abs(place - 127.5) > 24].mean()
    assert max(agree, 1 - agree) > 0.99


def test_streamed_factors_explain_nearly_as_much_as_those_of_all_rows():
    held = window_spectra(two_phases(), WINDOWS)
    model = StreamedNMF(3, passes=2)
    left = held.values - model.inverse_transform(model.fit_transform(blocks(held, 100)))
    best = NMF(3, init="nndsvda", max_iter=300, tol=1e-3).fit(held.values)
    assert (left**2).sum() < 1.03 * best.reconstruction_err_**2


@pytest.mark.parametrize("size", [1, 7, 64, 1000])
def test_factors_start_from_rows_taken_evenly(size):
    rows = np.arange(1000.0)[:, None]
    sample, n = _even_sample(blocks(table(rows), size), 100)
    assert n == 1000
    np.testing.assert_array_equal(sample, rows[::16])


def test_the_contract_of_scikit_learn():
    model = clone(StreamedNMF(5, passes=2, random_state=3))
    assert model.get_params() == {"n_components": 5, "passes": 2, "random_state": 3}
    assert StreamedNMF().n_components == 16
    source = blocks(table(np.abs(shifted())))
    np.testing.assert_array_equal(model.fit(source).components_, clone(model).fit(source).components_)


@pytest.mark.parametrize(
    ("call", "word"),
    [
        (lambda: StreamedNMF(2).fit(blocks(table(-shifted()))), "0 or more"),
        (lambda: StreamedNMF(2, passes=0).fit(blocks(table(shifted()))), "passes"),
        (lambda: StreamedNMF(9).fit(blocks(table(np.eye(5, 20)))), "5 complete rows"),
    ],
)
def test_what_has_no_factors_gets_a_sentence(call, word):
    with pytest.raises(StemnetError, match=word):
        call()
