import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from stemnet.report import panels


def drawn(shape, draw, dpi=100):
    """RGB of one panel that fills its figure, one dot per pixel of the image."""
    figure = Figure(figsize=(shape[1] / dpi, shape[0] / dpi), dpi=dpi)
    canvas = FigureCanvasAgg(figure)
    axes = figure.add_axes((0, 0, 1, 1))
    draw(axes)
    axes.set_axis_off()
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].astype(float)


def test_marks_lie_on_the_pixels_they_name():
    # A tall image, marks in one corner: a swap of axes or a flip would put them elsewhere.
    shape, yx = (300, 200), np.array([[40.0, 150.0]])

    def draw(axes):
        panels.field_of_view(axes, shape)
        panels.disks(axes, yx, 20.0, facecolors="red", linewidths=0)

    red = drawn(shape, draw)[..., 1] < 100
    rows, cols = np.nonzero(red)
    assert (rows.mean(), cols.mean()) == pytest.approx((40, 150), abs=0.6)
    assert np.ptp(rows) == pytest.approx(20, abs=2)


def test_marks_and_image_agree_where_it_is_shrunk():
    image = np.zeros((401, 301), dtype=np.float32)
    image[300:310, 50:60] = 1
    small, factor = panels.shrink(image, 150)
    assert factor == 3

    def draw(axes):
        panels._draw(axes, small, factor, "gray", None)
        axes.set(xlim=(-0.5, 300.5), ylim=(400.5, -0.5))

    rows, cols = np.nonzero(drawn(image.shape, draw)[..., 0] > 127)
    assert (rows.mean(), cols.mean()) == pytest.approx((304.5, 54.5), abs=1)


@settings(deadline=None, max_examples=30)
@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 12))
def test_shrinking_averages_whole_blocks(height, width, largest):
    image = np.random.default_rng(height * 41 + width).random((height, width))
    small, factor = panels.shrink(image, largest)
    assert max(small.shape) <= largest
    for i in range(small.shape[0]):
        for j in range(small.shape[1]):
            block = image[i * factor : (i + 1) * factor, j * factor : (j + 1) * factor]
            assert small[i, j] == pytest.approx(block.mean())


def test_shrinking_leaves_out_pixels_without_measurement():
    image = np.array([[np.nan, 2.0, np.nan, np.nan], [4.0, np.nan, np.nan, np.nan]])
    small, _ = panels.shrink(image, 2)
    np.testing.assert_array_equal(small, [[3.0, np.nan]])


@pytest.mark.parametrize(
    ("width", "sampling", "words", "pixels"),
    [
        (512, 0.1, "1 nm", 100),
        (512, None, "100 px", 100),
        (100, 0.1, "2 Å", 20),
        (4096, 0.3, "20 nm", 2000 / 3),
    ],
)
def test_scale_bar_is_a_round_length_of_true_size(width, sampling, words, pixels):
    axes = Figure().subplots()
    panels.field_of_view(axes, (width // 2, width))
    panels.scale_bar(axes, sampling)
    bar = axes.artists[0]
    assert bar.txt_label.get_text() == words
    assert bar.size_bar.get_children()[0].get_width() == pytest.approx(pixels)


def test_spacing_is_the_median_to_the_nearest_neighbor():
    grid = np.stack(np.indices((6, 9)), axis=-1).reshape(-1, 2) * 7.0
    assert panels.typical_spacing(grid, (50, 70)) == 7
    assert panels.typical_spacing(grid[:1], (50, 70)) == 3.5
    assert panels.typical_spacing(np.zeros((3, 2)), (50, 70)) == 3.5


@settings(deadline=None, max_examples=50)
@given(st.integers(2, 300), st.integers(2, 300), st.integers(0, 30), st.integers(0, 99))
def test_crop_lies_in_the_image(height, width, n, seed):
    yx = np.random.default_rng(seed).random((n, 2)) * (height, width)
    row, column, side = panels.crop_limits(yx, (height, width), 20)
    assert 0 <= row <= row + side <= height
    assert 0 <= column <= column + side <= width
    assert side >= 1


def test_signed_scores_are_white_at_zero_and_gray_where_missing():
    axes = Figure().subplots()
    panels.field_of_view(axes, (30, 30))
    scores = np.array([-2.0, 0.0, 1.0, np.nan])
    panels.score_map(axes, np.array([[5, 5], [5, 15], [15, 5], [15, 15]]), scores, (30, 30))
    missing, known = axes.collections
    assert known.norm.vmin == -known.norm.vmax
    low, middle, high = known.to_rgba([-2.0, 0.0, 2.0])[:, :3]
    assert middle.min() > 0.95
    assert low[2] > low[0]  # blue below zero
    assert high[0] > high[2]  # red above
    assert len(missing.get_offsets()) == 1


def test_legend_counts_every_label():
    axes = Figure().subplots()
    panels.label_map(axes, np.random.default_rng(0).random((6, 2)), np.array([0, 2, 2, -1, -1, -1]), (1, 1))
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["0 (1)", "2 (2)", "not valid (3)"]
