"""Responses of many images at once: what is done to them before and after their electrons are counted."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from stemnet.simulation.artefacts.kinds import Response
from stemnet.simulation.scene import Scene

Drawing = Callable[[Sequence[int], tuple[int, int]], Tensor]
"""Gives standard normal numbers (len(rows), height, width) for chosen images, each from its own generator."""


def responded(images: Tensor, scenes: Sequence[Scene], draw: Drawing, before_counting: bool) -> Tensor:
    """Pass images (B, H, W) through their responses, those of one class together.

    Parameters
    ----------
    images : Tensor, shape (B, H, W)
    scenes : sequence of Scene
    draw : Drawing
    before_counting : bool
        Those below stage 0, or the others.

    Returns
    -------
    Tensor, shape (B, H, W)
    """
    groups: dict[tuple[int, int, type[Response]], list[tuple[int, dict[str, float]]]] = defaultdict(list)
    for row, scene in enumerate(scenes):
        seen: dict[type[Response], int] = defaultdict(int)
        view = scene.view
        for response in scene.responses:
            if (response.stage < 0) == before_counting:
                # The second response of a class waits until the first has been applied.
                turn = (response.stage, seen[type(response)], type(response))
                groups[turn].append((row, response.parameters(view)))
                seen[type(response)] += 1
            view = response.onward(view)
    for (_, _, kind), members in sorted(groups.items(), key=lambda item: item[0][:2]):
        rows = [row for row, _ in members]
        parameters = {
            name: torch.tensor(
                [values[name] for _, values in members], dtype=torch.float32, device=images.device
            )
            for name in members[0][1]
        }
        parameters = {name: values[:, None, None] for name, values in parameters.items()}

        def noise(wide: bool = True, rows: list[int] = rows) -> Tensor:
            height, width = scenes[0].shape
            return draw(rows, (height, width if wide else 1))

        if len(rows) == len(scenes):
            images = kind.apply(images, parameters, noise)
        else:
            images[rows] = kind.apply(images[rows], parameters, noise)
    return images
