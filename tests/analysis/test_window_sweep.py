import pytest
from streams import domains, noise

from stemnet.analysis.window_sweep import window_sweep, windows_of_sizes
from stemnet.errors import StemnetError


def test_larger_windows_gain_contrast_and_lose_resolution():
    table = window_sweep(domains(0.1, 0.35) + 0.3 * noise(), (16, 32, 64, 999), spacing=10, surrogates=3)
    assert [row["size_px"] for row in table] == [16, 32, 64]
    assert [row["cells"] for row in table] == [1.6, 3.2, 6.4]
    assert [row["resolution_px"] for row in table] == [8, 16, 32]
    assert [row["step_px"] for row in table] == [2, 4, 8]
    assert table[2]["contrast"] > 3 * table[1]["contrast"]
    assert table[2]["signal"] >= 1
    assert 0 < table[2]["signal_share"] < 1


def test_windows_that_do_not_fit_get_a_sentence():
    with pytest.raises(StemnetError, match="32, 64 px"):
        window_sweep(noise(side=40), (32, 64))


def test_the_windows_of_a_sweep_are_known_before():
    windows = windows_of_sizes((200, 150), (16, 64, 80), spacing=10, log=True)
    assert [(one.size, one.step, one.log) for one in windows] == [(16, 2, True), (64, 8, True)]
    assert windows[0].highest == 0.35
    assert windows_of_sizes((200, 150), (16,), step=5)[0].step == 5
