"""Every figure, for results of every size: drawn, filled, and nobody's settings touched."""

import subprocess
import sys

import matplotlib
import numpy as np
import pytest
from matplotlib.axis import Axis
from matplotlib.text import Text
from PIL import Image
from two_domains import two_domains

from stemnet import Columns
from stemnet.report import (
    clusters_figure,
    columns_figure,
    pca_figure,
    save,
    side_by_side_figure,
    training_figure,
    vae_figure,
)


def small(n):
    """The two domains cut to their first n columns, with the fields that every figure needs."""
    example = two_domains(18 if n else 3)
    rows = np.arange(n)
    values = example.values[rows]
    scores = example.scores[rows]
    labels = np.where(np.isfinite(scores[:, 0]), (scores[:, 0] > 0).astype(int), -1)
    return example, example.columns.select(rows), values, scores, labels


def large():
    """20000 columns on a 2300 px wide image, without the cost of drawing their blobs."""
    rng = np.random.default_rng(0)
    yx = np.stack(np.indices((100, 200)), axis=-1).reshape(-1, 2) * 11.5 + 6 + rng.normal(0, 0.3, (20000, 2))
    image = rng.random((1150, 2300), dtype=np.float32)
    columns = Columns(yx, image.shape, None, {"sublattice": np.arange(20000) % 2})
    values = rng.normal(size=(20000, 8))
    return image, columns, values


def figures_of(image, columns, values, scores, labels, components, mean, ratio, sampling):
    def decode(latent):
        return mean + latent @ components[:2]

    both = {"k-means (vectors)": labels, "k-means (angles)": labels}
    latents = {"PCA": scores, "VAE": scores[:, :2]}
    yx = columns.yx
    return {
        "columns": columns_figure(image, columns, np.clip(image, 0, 1), title="a (b) = $c$.tif"),
        "bare columns": columns_figure(image, columns),
        "side by side": side_by_side_figure(image, yx, latents, both, sampling=sampling),
        "pca": pca_figure(image, yx, scores, components, mean, ratio, sampling=sampling),
        "clusters": clusters_figure(yx, values, both, image.shape, sampling=sampling),
        "vae": vae_figure(yx, scores[:, :2], labels, decode, mean, image.shape, sampling=sampling),
    }


def assert_printed(figure, path):
    """Saved at 300 dpi of the figure's own size, and not blank."""
    save(figure, path)
    pixels = np.asarray(Image.open(path).convert("L"), dtype=float)
    width, height = figure.get_size_inches() * 300
    assert abs(pixels.shape[1] - width) <= 1
    assert abs(pixels.shape[0] - height) <= 1
    assert pixels.std() > 5
    assert np.all(pixels[0, [0, -1]] == 255)  # nothing runs over the corners
    assert path.stat().st_size > 5000


def texts_of(figure):
    """Every text that is drawn: not those of ticks beyond the limits of their axis."""
    beyond = {
        label
        for axis in figure.findobj(Axis)
        for tick in (*axis.get_major_ticks(), *axis.get_minor_ticks())
        if not min(axis.get_view_interval()) <= tick.get_loc() <= max(axis.get_view_interval())
        for label in (tick.label1, tick.label2)
    }
    return [
        text
        for text in figure.findobj(Text)
        if text.get_text().strip() and text.get_visible() and text not in beyond
    ]


def assert_readable(figure):
    """No text is tiny, leaves the page or covers another."""
    page, texts = figure.bbox, texts_of(figure)
    boxes = [text.get_window_extent() for text in texts]
    for i, (text, box) in enumerate(zip(texts, boxes, strict=True)):
        assert text.get_fontsize() >= 6
        assert page.x0 <= box.x0 <= box.x1 <= page.x1, text.get_text()
        assert page.y0 <= box.y0 <= box.y1 <= page.y1, text.get_text()
        assert not [texts[j].get_text() for j in range(i) if box.overlaps(boxes[j])], text.get_text()


@pytest.mark.parametrize("n", [0, 1, 500])
def test_figures_of_small_results(tmp_path, n):
    before = dict(matplotlib.rcParams)
    example, columns, values, scores, labels = small(n)
    figures = figures_of(
        example.image, columns, values, scores, labels, example.components, example.mean, example.ratio, 0.15
    )
    for name, figure in figures.items():
        assert_printed(figure, tmp_path / f"{name}.png")
        assert_readable(figure)
    assert dict(matplotlib.rcParams) == before


def test_figures_of_twenty_thousand_columns(tmp_path):
    image, columns, values = large()
    labels = np.arange(20000) % 3 - 1
    figures = figures_of(
        image, columns, values, values[:, :2], labels, np.eye(8)[:2], np.ones(8), np.array([0.6, 0.2]), None
    )
    for name in ("columns", "side by side", "vae"):
        assert_printed(figures[name], tmp_path / f"{name}.png")
        assert_readable(figures[name])


def test_one_class_more_than_the_named_colors(tmp_path):
    example, columns, _, _, _ = small(500)
    labels = np.arange(500) % 9 - 1
    figure = clusters_figure(columns.yx, example.values[:500], {"k-means": labels}, example.image.shape)
    assert_printed(figure, tmp_path / "clusters.png")
    # The map and the four largest clusters.
    assert len(figure.axes) == 5


def test_one_latent_coordinate_is_enough(tmp_path):
    example, columns, _, scores, labels = small(500)

    def decode(latent):
        return example.mean + latent @ example.components[:1]

    figure = vae_figure(columns.yx, scores[:, :1], labels, decode, example.mean, example.image.shape)
    assert_printed(figure, tmp_path / "vae.png")


def test_a_training_log_with_gaps(tmp_path):
    rows = [
        {"epoch": "0", "train_loss": "1.0", "val_loss": "", "val_f1": "0.4", "val_rmse_px": "0.5"},
        {"epoch": "0", "train_loss": "", "val_loss": "0.8", "val_f1": "", "val_rmse_px": ""},
        {"epoch": "1", "train_loss": "0.5", "val_loss": "0.4", "val_f1": "0.9", "val_rmse_px": "0.1"},
    ]
    figure = training_figure(rows)
    assert_printed(figure, tmp_path / "training.png")
    loss = {line.get_label(): line.get_xydata().tolist() for line in figure.axes[0].lines}
    assert loss == {"train_loss": [[0, 1], [1, 0.5]], "val_loss": [[0, 0.8], [1, 0.4]]}
    assert len(figure.axes) == 3


def test_an_empty_training_log_is_an_empty_figure(tmp_path):
    figure = training_figure([])
    save(figure, tmp_path / "training.png")
    assert not figure.axes[0].lines


def test_pyplot_and_its_state_are_never_loaded():
    code = (
        "import io, sys, numpy as np\n"
        "from stemnet import Columns\n"
        "from stemnet.report import columns_figure\n"
        "columns_figure(np.eye(32), Columns([[4, 4], [20, 20]], (32, 32), 0.1)).savefig(io.BytesIO())\n"
        "print('matplotlib.pyplot' in sys.modules, 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]
