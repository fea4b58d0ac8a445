"""Does an offset head place columns better? ``python benchmarks/heads.py [--steps N] [--json FILE]``.

Three networks of the same body learn from the same batches, from the same
initial weights of that body, for the same number of steps:

- centroid: the logit alone, as stemnet has it; a position is the centroid of
  the probability around a peak (`stemnet.detection.localization.locate`).
- offset: two more channels, y and x from a pixel to its nearest column, under
  an L1 loss at the pixels around target peaks.
- gaussian: two further channels, the logarithms of the offset's standard
  deviations, under a Gaussian negative log-likelihood, as in DECODE (Speiser et
  al., Nature Methods 18, 1082, 2021).

They are judged on the same scenes of the test split: F1 at each network's best
threshold, and the RMSE of raw positions, before any fit, over the columns that
all networks found; then by the electrons of a scene's brightest column. A step
of each is timed on its own, so that equal steps can be held against equal time.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from stemnet.runtime import prepare_process

prepare_process()

import numpy as np  # noqa: E402
import torch  # noqa: E402
from hydra import compose, initialize_config_dir  # noqa: E402
from hydra.utils import instantiate  # noqa: E402
from torch import Tensor, nn  # noqa: E402

from stemnet import resources  # noqa: E402
from stemnet.detection.localization import locate  # noqa: E402
from stemnet.detection.matching import match  # noqa: E402
from stemnet.models.unet import UNet  # noqa: E402
from stemnet.simulation.scene import Scene  # noqa: E402
from stemnet.training.losses import PeakBCE  # noqa: E402
from stemnet.training.targets import Targets  # noqa: E402
from stemnet.training.task import THRESHOLDS  # noqa: E402
from stemnet.training.validation import Tally  # noqa: E402

HEADS = {"centroid": 1, "offset": 3, "gaussian": 5}
"""Channels that each network answers with."""
AROUND = 1
"""Offsets are learnt this far around the pixel of a column [px]: the peak may be beside it."""
DOSES = (25, 200, 2000, 50000)
"""Edges of the bins: electrons in the brightest column."""
TEST = 2


@dataclass(frozen=True)
class Offsets:
    """Where offsets are asked for: places (K,) in a flat batch of B H W pixels, and offsets (K, 2) [px]."""

    place: Tensor
    offset: Tensor


def offsets(scenes: list[Scene], targets: Targets) -> Offsets:
    """From each pixel near a visible column to the nearest of them."""
    height, width = scenes[0].shape
    steps = np.arange(-AROUND, AROUND + 1)
    dy, dx = (part.ravel() for part in np.meshgrid(steps, steps, indexing="ij"))
    places, values = [], []
    for number, scene in enumerate(scenes):
        truth = scene.columns()
        yx = truth.yx[targets.must_be_found(truth)]
        near = np.rint(yx).astype(int)
        y, x = (near[:, :1] + dy).ravel(), (near[:, 1:] + dx).ravel()
        away = np.repeat(yx, len(dy), axis=0) - np.stack([y, x], axis=1)
        inside = (y >= 0) & (y < height) & (x >= 0) & (x < width)
        place = ((number * height + y) * width + x)[inside]
        away = away[inside]
        # Of a pixel between two columns the nearer one's offset is kept.
        order = np.lexsort(((away**2).sum(1), place))
        kept = order[np.unique(place[order], return_index=True)[1]]
        places.append(place[kept])
        values.append(away[kept])
    return Offsets(
        torch.as_tensor(np.concatenate(places)), torch.as_tensor(np.concatenate(values), dtype=torch.float32)
    )


def offset_loss(answer: Tensor, wanted: Offsets) -> Tensor:
    """L1 [px] of two channels, or the negative log-likelihood of four; mean over pixels and axes."""
    if not len(wanted.place):
        return answer.sum() * 0
    flat = answer.permute(0, 2, 3, 1).reshape(-1, answer.shape[1])[wanted.place]
    error = flat[:, :2] - wanted.offset
    if answer.shape[1] == 2:
        return error.abs().mean()
    # A floor keeps a handful of perfect pixels from outweighing all others.
    spread = nn.functional.softplus(flat[:, 2:]) + 0.02
    return (0.5 * (error / spread) ** 2 + spread.log()).mean()


def networks(seed: int, base: int, block: int) -> dict[str, nn.Module]:
    """One of each head, on bodies with the same initial weights."""
    made: dict[str, nn.Module] = {}
    for name, outputs in HEADS.items():
        torch.manual_seed(seed)
        made[name] = UNet(base=base, levels=4, outputs=outputs, block=block).to(
            memory_format=torch.channels_last
        )
    body = {k: v for k, v in made["centroid"].state_dict().items() if not k.startswith("head.")}
    for network in made.values():
        network.load_state_dict(body, strict=False)
    return made


class Student:
    """A network with its optimizer and the CPU-seconds that its steps took."""

    def __init__(self, network: nn.Module, steps: int, rate: float, share: float) -> None:
        self.network = network
        self.optimizer = torch.optim.AdamW(network.parameters(), lr=rate, weight_decay=1e-4)
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(
            self.optimizer, rate, total_steps=steps, pct_start=0.1
        )
        self.share = share
        self.seconds = 0.0

    def step(self, images: Tensor, target: Tensor, weight: Tensor, scenes: list, targets: Targets) -> float:
        """One step of training; returns the loss."""
        begun = time.process_time()
        with torch.autocast("cpu", torch.bfloat16):
            answer = self.network(images)
        answer = answer.float()
        loss = PeakBCE()(answer[:, 0], target, weight)
        if answer.shape[1] > 1:
            loss = loss + self.share * offset_loss(answer[:, 1:], offsets(scenes, targets))
        self.optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimizer.step()
        self.schedule.step()
        self.seconds += time.process_time() - begun
        return loss.item()


def peaks(answer: Tensor) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Peaks of an answer (B, C, H, W): image (N,), positions (N, 2), score (N,), and sigma (N, 2) or NaN [px]."""
    image, yx, score = locate(answer[:, 0].sigmoid(), float(THRESHOLDS[0]))
    spread = torch.full_like(yx, float("nan"))
    if answer.shape[1] > 1:
        pixel = yx.round().long()
        told = answer[image, 1:, pixel[:, 0], pixel[:, 1]]
        yx = pixel + told[:, :2]
        if answer.shape[1] == 5:
            spread = nn.functional.softplus(told[:, 2:]) + 0.02
    return image.numpy(), yx.double().numpy(), score.numpy(), spread.numpy()


@dataclass(frozen=True)
class Found:
    """What a network found in one scene: positions (N, 2) [px], score (N,), sigma (N, 2) [px]."""

    yx: np.ndarray
    score: np.ndarray
    spread: np.ndarray


def find(network: nn.Module, images: Tensor, batch: int) -> list[Found]:
    """Apply a network in single precision."""
    found: list[Found] = []
    network.eval()
    for start in range(0, len(images), batch):
        part = images[start : start + batch]
        with torch.inference_mode():
            image, yx, score, spread = peaks(network(part))
        found += [Found(yx[image == i], score[image == i], spread[image == i]) for i in range(len(part))]
    return found


def judge(found: dict[str, list[Found]], scenes: list[Scene], targets: Targets) -> list[dict]:
    """A row for each network and dose, the first dose being all: F1, and RMSE of what all networks found."""
    dose = np.array([max(scene.electrons.max(initial=0.0), 1.0) for scene in scenes])
    truths = [scene.columns() for scene in scenes]
    visible = [targets.must_be_found(truth) for truth in truths]
    radius = [float(np.hypot(scene.width, scene.lowpass)) for scene in scenes]
    threshold: dict[str, float] = {}
    for name, each in found.items():
        threshold[name] = _tally(each, truths, visible, radius, range(len(scenes))).scores()["threshold"]
    errors = {name: [] for name in found}
    for i, truth in enumerate(truths):
        held = {}
        for name, each in found.items():
            rows = np.flatnonzero(each[i].score >= threshold[name])
            pairs = match(each[i].yx[rows], truth.yx, radius[i]).pairs
            held[name] = {int(t): int(rows[f]) for f, t in pairs if visible[i][t]}
        common = sorted(set.intersection(*(set(each) for each in held.values())))
        for name, each in found.items():
            rows = [held[name][t] for t in common]
            away = each[i].yx[rows] - truth.yx[common]
            errors[name].append(np.concatenate([away, away / each[i].spread[rows]], axis=1))
    table = []
    for low, high in [(0, np.inf), *pairwise(DOSES)]:
        chosen = np.flatnonzero((dose >= low) & (dose < high))
        if not sum(len(errors[name][i]) for name in found for i in chosen):
            # Few scenes may hold none of this dose, or no column that all heads found.
            continue
        for name, each in found.items():
            tally = _tally(each, truths, visible, radius, chosen)
            k = int(np.argmin(abs(tally.thresholds - threshold[name])))
            away = np.concatenate([errors[name][i] for i in chosen])
            table.append(
                {
                    "head": name,
                    "electrons": [float(low), float(high)],
                    "scenes": len(chosen),
                    "columns": len(away),
                    "threshold": threshold[name],
                    "f1": float(tally.f1[k]),
                    "rmse_px": float(np.sqrt(np.mean(away[:, :2] ** 2))),
                    "median_px": float(np.median(np.hypot(away[:, 0], away[:, 1]))),
                    # 1 where the head knows how far it errs; the middle 68 % decide, not the outliers.
                    "error_over_sigma": float(np.quantile(np.abs(away[:, 2:]), 0.683))
                    if name == "gaussian"
                    else float("nan"),
                }
            )
    return table


def _tally(each: list[Found], truths: list, visible: list, radius: list, chosen) -> Tally:
    tally = Tally(THRESHOLDS)
    for i in chosen:
        tally.add(each[i].yx, each[i].score, truths[i].yx, visible[i], radius[i])
    return tally


def run(seed: int, options: argparse.Namespace) -> list[dict]:
    """Train all heads on one seed and judge them."""
    with initialize_config_dir(str(resources.configs()), version_base="1.3"):
        config = compose("train", ["experiment=universal", f"seed={1000 + seed}", f"patch={options.patch}"])
    simulator = instantiate(config.simulator, _convert_="all")
    targets = instantiate(config.targets, _convert_="all")
    normalization = instantiate(config.normalization)
    students = {
        name: Student(network, options.steps, config.learning_rate, options.share)
        for name, network in networks(seed, options.base, options.block).items()
    }
    simulating = 0.0
    for step in range(options.steps):
        begun = time.process_time()
        scenes = [simulator.scene(0, step, index) for index in range(options.batch)]
        images = normalization(simulator.images(scenes))[:, None].contiguous(
            memory_format=torch.channels_last
        )
        target, weight = targets(scenes)
        simulating += time.process_time() - begun
        losses = {
            name: student.step(images, target, weight, scenes, targets) for name, student in students.items()
        }
        if step % 50 == 0:
            words = ", ".join(f"{name} {loss:.3f}" for name, loss in losses.items())
            print(f"seed {seed}, step {step} of {options.steps}: {words}", flush=True)
    scenes = [simulator.scene(TEST, 0, index) for index in range(options.scenes)]
    images = torch.cat(
        [
            normalization(simulator.images(scenes[start : start + options.batch]))[:, None]
            for start in range(0, len(scenes), options.batch)
        ]
    )
    found = {name: find(student.network, images, options.batch) for name, student in students.items()}
    # The same network read otherwise: does learning offsets help where positions are centroids all the same?
    found["offset, read as centroid"] = find(_First(students["offset"].network), images, options.batch)
    rows = judge(found, scenes, targets)
    for row in rows:
        student = students[row["head"].split(",")[0]]
        row.update(seed=seed, cpu_s=student.seconds, simulating_cpu_s=simulating)
    return rows


class _First(nn.Module):
    """A network's first channel alone."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, image: Tensor) -> Tensor:
        return self.network(image)[:, :1]


def show(rows: list[dict]) -> None:
    print(
        f"{'seed':>4s} {'electrons':>14s} {'head':26s}{'F1':>8s}{'RMSE [px]':>11s}{'median [px]':>13s}"
        f"{'error/sigma':>13s}{'columns':>9s}{'CPU-s':>8s}"
    )
    for row in rows:
        low, high = row["electrons"]
        bin_ = "all" if high == np.inf else f"{low:.0f}-{high:.0f}"
        print(
            f"{row['seed']:>4d} {bin_:>14s} {row['head']:26s}{row['f1']:>8.4f}{row['rmse_px']:>11.4f}"
            f"{row['median_px']:>13.4f}{row['error_over_sigma']:>13.2f}{row['columns']:>9d}{row['cpu_s']:>8.0f}",
            flush=True,
        )


def main() -> None:
    """Train, judge and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", type=Path, help="write the rows here too")
    parser.add_argument("--steps", type=int, default=1000, help="of training, for each head")
    parser.add_argument(
        "--seeds", type=int, default=2, help="repetitions, each with its own data and weights"
    )
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--patch", type=int, default=128, help="rows and columns of an example [px]")
    parser.add_argument("--base", type=int, default=16, help="channels of the network's first level")
    parser.add_argument("--block", type=int, default=2, help="edge of its blocks of pixels [px]")
    parser.add_argument("--scenes", type=int, default=256, help="held-out scenes")
    parser.add_argument("--share", type=float, default=0.2, help="weight of the offsets' loss")
    options = parser.parse_args()
    torch.set_num_threads(1)
    rows = []
    for seed in range(options.seeds):
        rows += run(seed, options)
        show([row for row in rows if row["seed"] == seed])
        if options.json:
            options.json.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
