"""Training examples per CPU-second: ``python benchmarks/training.py [--json FILE]``.

A step of stemnet makes its examples and learns from them; its parts (drawing
specimens and microscopes, rendering to counts with normalization, drawing
targets, forward with backward and the optimizer) are timed apart, round after
round in one run, so that a machine whose speed drifts is the same for all. The
network has about 0.6 million parameters, the laws are those of
``experiment=universal``.

Beside it stands a plain step in torch of a U-Net of the same size as AtomAI has
it (Ziatdinov et al., Nature Machine Intelligence 4, 1101, 2022): single
precision, full resolution from 16 channels on, batch normalization and leaky
ReLU, bilinear upsampling; learning only, on examples that are there already.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path

from stemnet.runtime import prepare_process

prepare_process()

import torch  # noqa: E402
from hydra import compose, initialize_config_dir  # noqa: E402
from hydra.utils import instantiate  # noqa: E402
from torch import Tensor, nn  # noqa: E402

from stemnet import resources  # noqa: E402
from stemnet.training.losses import PeakBCE  # noqa: E402

GOAL = 10.0
"""Examples per CPU-second, simulation included."""


class Convolutions(nn.Sequential):
    """Some 3x3 convolutions, each with leaky ReLU and batch normalization."""

    def __init__(self, count: int, inputs: int, outputs: int) -> None:
        layers: list[nn.Module] = []
        for number in range(count):
            layers += [
                nn.Conv2d(inputs if number == 0 else outputs, outputs, 3, padding=1),
                nn.LeakyReLU(0.01),
                nn.BatchNorm2d(outputs),
            ]
        super().__init__(*layers)


class Peer(nn.Module):
    """A U-Net of 16, 32, 64 and 128 channels; two convolutions a level, three at the deepest."""

    def __init__(self) -> None:
        super().__init__()
        self.down = nn.ModuleList(
            Convolutions(count, inputs, outputs)
            for count, inputs, outputs in ((2, 1, 16), (2, 16, 32), (2, 32, 64), (3, 64, 128))
        )
        self.narrow = nn.ModuleList(nn.Conv2d(2 * width, width, 1) for width in (16, 32, 64))
        self.up = nn.ModuleList(Convolutions(2, 2 * width, width) for width in (16, 32, 64))
        self.head = nn.Conv2d(16, 1, 1)

    def forward(self, image: Tensor) -> Tensor:
        """Logits (B, 1, H, W) of images of the same shape."""
        skipped = []
        x = image
        for level, block in enumerate(self.down):
            x = block(x if level == 0 else nn.functional.max_pool2d(x, 2))
            skipped.append(x)
        for level in (2, 1, 0):
            x = nn.functional.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
            x = self.up[level](torch.cat([self.narrow[level](x), skipped[level]], dim=1))
        return self.head(x)


def parameters(network: nn.Module) -> int:
    return sum(value.numel() for value in network.parameters())


def learner(network: nn.Module, loss: Callable, half: bool, lr: float = 1e-3) -> Callable[..., float]:
    """A step of training: forward, backward, optimizer."""
    optimizer = torch.optim.AdamW(network.parameters(), lr=lr)

    def step(images: Tensor, *wanted: Tensor) -> float:
        with torch.autocast("cpu", torch.bfloat16, enabled=half):
            logits = network(images)[:, 0]
        value = loss(logits.float(), *wanted)
        optimizer.zero_grad()
        value.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        return value.item()

    return step


class Clock:
    """CPU-seconds of parts, gathered over rounds."""

    def __init__(self) -> None:
        self.seconds: dict[str, list[float]] = {}

    def timed(self, part: str, work: Callable, *arguments):
        """Do some work and note what it took."""
        begun = time.process_time()
        result = work(*arguments)
        self.seconds.setdefault(part, []).append(time.process_time() - begun)
        return result

    def mean(self, part: str) -> float:
        """Over all rounds but the first, in which memory is fetched and kernels are chosen."""
        return sum(self.seconds[part][1:]) / max(len(self.seconds[part]) - 1, 1)


def measure(options: argparse.Namespace) -> dict:
    """Time all parts in turn."""
    with initialize_config_dir(str(resources.configs()), version_base="1.3"):
        config = compose(
            "train", ["experiment=universal", f"patch={options.patch}", f"model.base={options.base}"]
        )
    simulator = instantiate(config.simulator, _convert_="all")
    targets = instantiate(config.targets, _convert_="all")
    normalization = instantiate(config.normalization)
    torch.manual_seed(0)
    networks = {
        half: instantiate(config.model).to(memory_format=torch.channels_last) for half in (True, False)
    }
    peer = Peer()
    ours = {half: learner(network, PeakBCE(), half) for half, network in networks.items()}
    theirs = learner(peer, nn.functional.binary_cross_entropy_with_logits, half=False)
    clock = Clock()
    for number in range(options.rounds + 1):
        scenes = clock.timed(
            "draw", lambda at=number: [simulator.scene(0, at, index) for index in range(options.batch)]
        )
        images = clock.timed("render", lambda seen=scenes: normalization(simulator.images(seen))[:, None])
        target, weight = clock.timed("targets", targets, scenes)
        laid = images.contiguous(memory_format=torch.channels_last)
        clock.timed("learn, bfloat16", ours[True], laid, target, weight)
        clock.timed("learn, float32", ours[False], laid, target, weight)
        clock.timed("peer", theirs, images, target)
    milliseconds = {part: 1e3 * clock.mean(part) / options.batch for part in clock.seconds}
    simulation = sum(milliseconds[part] for part in ("draw", "render", "targets"))
    return {
        "patch_px": options.patch,
        "batch": options.batch,
        "rounds": options.rounds,
        "parameters": parameters(networks[True]),
        "peer_parameters": parameters(peer),
        "cpu_ms_an_image": milliseconds,
        "images_per_cpu_s": {
            "stemnet, bfloat16, simulation included": 1e3 / (simulation + milliseconds["learn, bfloat16"]),
            "stemnet, float32, simulation included": 1e3 / (simulation + milliseconds["learn, float32"]),
            "stemnet, bfloat16, learning only": 1e3 / milliseconds["learn, bfloat16"],
            "stemnet, float32, learning only": 1e3 / milliseconds["learn, float32"],
            "peer, float32, learning only": 1e3 / milliseconds["peer"],
        },
        "goal": GOAL,
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", type=Path, help="write the numbers here too")
    parser.add_argument("--patch", type=int, default=256, help="rows and columns of an example [px]")
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument(
        "--base", type=int, default=18, help="channels of the first level; 18: 0.6 M parameters"
    )
    options = parser.parse_args()
    torch.set_num_threads(1)
    result = measure(options)
    print(
        f"{options.patch} px, batches of {options.batch}; stemnet's network has {result['parameters'] / 1e6:.2f} M "
        f"parameters, the peer's {result['peer_parameters'] / 1e6:.2f} M"
    )
    for part, value in result["cpu_ms_an_image"].items():
        print(f"  {part:40s}{value:8.1f} CPU-ms an image")
    for what, value in result["images_per_cpu_s"].items():
        print(f"  {what:40s}{value:8.1f} images per CPU-second")
    print(f"Goal: at least {GOAL:g} images per CPU-second, simulation included.")
    if options.json:
        options.json.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
