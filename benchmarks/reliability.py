"""Are the probabilities of columns true? Held-out simulations, told nothing.

    python benchmarks/reliability.py                    60 images of 256 px
    python benchmarks/reliability.py --images 200 --picture docs/pictures/reliability.png
    python benchmarks/reliability.py --views 8          with mirrored and turned views

Images are drawn as for the training of the shipped weights, from a split that
training never sees: any crystal, with all that may be wrong with specimen,
scan and detector. A column is real if a true one lies within a width of it;
true columns too faint to be seen count neither way. The first table sets
columns' probabilities against how many are real, the second images' promised
F1 against the true one. The last line sets network and fit judging together
against a threshold on each: the network's calibrated one and 2.5 standard errors.
"""

from __future__ import annotations

from stemnet.runtime import prepare_process

prepare_process()

import argparse  # noqa: E402
import itertools  # noqa: E402
import json  # noqa: E402
import sys  # noqa: E402
from dataclasses import dataclass  # noqa: E402
from pathlib import Path  # noqa: E402

import numpy as np  # noqa: E402
import torch  # noqa: E402
from hydra import compose, initialize_config_dir  # noqa: E402
from hydra.utils import instantiate  # noqa: E402
from tqdm import tqdm  # noqa: E402

from stemnet import resources  # noqa: E402
from stemnet.detection.matching import match  # noqa: E402
from stemnet.detection.segmenter import Detection, Settings, find_columns  # noqa: E402
from stemnet.micrograph import Micrograph  # noqa: E402
from stemnet.models.checkpoint import Checkpoint, load  # noqa: E402
from stemnet.training.targets import Targets  # noqa: E402

TEST = 2
EDGES = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 1.0001)
APART = 2
"""Images whose false columns were least expected, which the last column of the table leaves out."""
PROMISES = (0.0, 0.7, 0.85, 0.95, 0.98, 1.0001)


@dataclass(frozen=True)
class Example:
    """A simulated image (H, W) with its true columns (N, 2), which of them must be found, and their width [px]."""

    image: np.ndarray
    yx: np.ndarray
    needed: np.ndarray
    width: float

    @property
    def asked(self) -> int:
        """Columns that must be found and are not cut by the rim."""
        return int((self.needed & ~_on_rim(self.yx, self.image.shape, self.width)).sum())

    def judged(self, checkpoint: Checkpoint, settings: Settings) -> tuple[Detection, np.ndarray, float]:
        """What is found; whether each is real, 1, false, 0, or counts neither way, -1; and F1."""
        found = find_columns(Micrograph(self.image), checkpoint, settings)
        pairs = match(found.columns.yx, self.yx, self.width).pairs
        real = np.zeros(len(found.columns), dtype=int)
        real[pairs[:, 0]] = np.where(self.needed[pairs[:, 1]], 1, -1)
        real[_on_rim(found.columns.yx, self.image.shape, self.width)] = -1
        hit, false = int((real == 1).sum()), int((real == 0).sum())
        return found, real, 2 * hit / max(hit + false + self.asked, 1)


def main() -> None:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--images", type=int, default=60)
    options.add_argument("--side", type=int, default=256, help="pixels")
    options.add_argument("--seed", type=int, default=2026)
    options.add_argument("--views", type=int, default=1)
    options.add_argument("--checkpoint", type=Path, default=resources.weights())
    options.add_argument("--picture", type=Path)
    options.add_argument("--json", type=Path)
    given = options.parse_args()
    torch.set_num_threads(1)
    columns, images = _collected(given)
    worst = sorted(range(len(columns)), key=lambda i: -float((columns[i][0] - columns[i][1]).sum()))[:APART]
    rows, rest = _bins(columns), _bins([two for i, two in enumerate(columns) if i not in worst])
    without = {row["from"]: row["real"] for row in rest}
    print(f"{'probability':>14s} {'columns':>8s} {'said':>6s} {'real':>6s}  without the {APART} worst images")
    for row in rows:
        row["real_without_worst"] = without.get(row["from"], float("nan"))
        print(
            f"{row['from']:6.2f} to {row['to']:4.2f} {row['count']:8d} {row['said']:6.3f} {row['real']:6.3f}  "
            f"{row['real_without_worst']:6.3f}"
        )
    print(f"\n{'promised F1':>14s} {'images':>8s} {'said':>6s} {'true':>6s}")
    for low, high in itertools.pairwise(PROMISES):
        part = [i for i in images if low <= i["promised"] < high]
        if part:
            said, true = (np.mean([i[name] for i in part]) for name in ("promised", "f1"))
            print(f"{low:6.2f} to {min(high, 1):4.2f} {len(part):8d} {said:6.3f} {true:6.3f}")
    if not images:
        sys.exit(
            f"None of {given.images} images asks for ten columns or more; give more --images, or a larger --side."
        )
    together, apart = (np.mean([image[name] for image in images]) for name in ("f1", "f1_apart"))
    print(
        f"\nmean F1 of {len(images)} images: judged together {together:.3f}, by a threshold on each {apart:.3f}"
    )
    if given.picture:
        _draw(rows, images, given.picture)
    if given.json:
        given.json.write_text(json.dumps({"columns": rows, "images": images}, indent=1, default=float))


def _collected(given: argparse.Namespace) -> tuple[list[tuple[np.ndarray, np.ndarray]], list[dict]]:
    """Score and truth of the columns found in every image, and its promised and true F1."""
    with initialize_config_dir(str(resources.configs()), version_base="1.3"):
        config = compose(
            "train", overrides=["experiment=universal", f"patch={given.side}", f"seed={given.seed}"]
        )
    simulator = instantiate(config.simulator, _convert_="all")
    targets: Targets = instantiate(config.targets, _convert_="all")
    checkpoint = load(given.checkpoint)
    columns, images = [], []
    for number in tqdm(range(given.images), disable=None, leave=False):
        scene = simulator.scene(TEST, 0, number)
        image, truth = simulator.images([scene])[0].numpy(), scene.columns()
        width = float(np.hypot(scene.width, scene.lowpass))
        example = Example(image, truth.yx, targets.must_be_found(truth), width)
        found, real, f1 = example.judged(checkpoint, Settings(views=given.views))
        _, _, apart = example.judged(
            checkpoint, Settings(threshold=checkpoint.card.threshold, significance=2.5)
        )
        columns.append((found.columns["score"][real >= 0], real[real >= 0] == 1))
        if example.asked >= 10:
            images.append({"scene": number, "promised": found.expected_f1, "f1": f1, "f1_apart": apart})
    return columns, images


def _on_rim(yx: np.ndarray, shape: tuple[int, ...], width: float) -> np.ndarray:
    return ((yx < width) | (yx > np.array(shape) - 1 - width)).any(axis=1)


def _bins(columns: list[tuple[np.ndarray, np.ndarray]]) -> list[dict]:
    rows = []
    if not columns:
        return rows
    score, real = (np.concatenate(part) for part in zip(*columns, strict=True))
    for low, high in itertools.pairwise(EDGES):
        part = (score >= low) & (score < high)
        if part.any():
            said, true = float(score[part].mean()), float(real[part].mean())
            rows.append(
                {"from": low, "to": min(high, 1.0), "count": int(part.sum()), "said": said, "real": true}
            )
    return rows


def _draw(rows: list[dict], images: list[dict], path: Path) -> None:
    import matplotlib.pyplot as plt

    from stemnet.report.style import save

    figure, (left, right) = plt.subplots(1, 2, figsize=(7.2, 3.4), layout="constrained")
    left.plot([0.5, 1], [0.5, 1], color="0.7", lw=1)
    said = [row["said"] for row in rows]
    left.scatter(said, [row["real"] for row in rows], s=28, color="C0", zorder=3, label="all images")
    rest = [row["real_without_worst"] for row in rows]
    left.scatter(
        said, rest, s=34, facecolor="none", edgecolor="C0", zorder=3, label=f"without the {APART} worst"
    )
    left.legend(frameon=False, loc="upper left")
    left.set(xlabel="probability of a column", ylabel="share that is real", title="columns")
    right.plot([0, 1], [0, 1], color="0.7", lw=1)
    right.scatter(
        [image["promised"] for image in images], [image["f1"] for image in images], s=14, color="C1", zorder=3
    )
    right.set(xlabel="promised F1", ylabel="true F1", title="images", xlim=(0.2, 1.02), ylim=(0.2, 1.02))
    save(figure, path)


if __name__ == "__main__":
    main()
