"""One peer's autoencoder, in an interpreter of its own: asked by `autoencoders.py`, line by line, in JSON.

    PYTHON benchmarks/autoencoders_peers.py AtomAI       or pyroVED

Knows nothing of stemnet and nothing of what was planted: it is given files of
rows, and writes files of rows rebuilt and of angles. What the peers leave to
the user (a prior of the angle, a likelihood, a batch) is chosen as their own
documentation does, or as serves them better; it stands beside each.

AtomAI: M. Ziatdinov et al., Nature Machine Intelligence 4, 1101 (2022);
pyroVED: M. Ziatdinov et al., arXiv:2106.12472.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import torch

LATENT = 2
AT_ONCE = 100
"""Rows decoded together; a decoder of coordinates takes much memory."""


class AtomAI:
    """`atomai.models.VAE` and `rVAE`, with their defaults: batches of 32, Adam with 1e-4.

    Rows of mean 0 and variance 1, since its Gaussian likelihood has variance 1; of vectors, whose spread is small
    beside their length, each number less its mean. Rows hold no shifts, so none is sought
    (`translation=False`: quicker, and less to learn). The prior of the angle is that of its documentation, pi / 2.
    """

    batch = 32

    def __init__(self, rows: np.ndarray, invariance: str | None, seed: int, scratch: Path) -> None:
        import atomai

        self.version = atomai.__version__
        self.turns, self.scratch = invariance is not None, scratch
        self.level, self.scale = centered(rows)
        self.rows = self._scaled(rows)
        make = atomai.models.rVAE if self.turns else atomai.models.VAE
        more = {"translation": False} if self.turns else {}
        self.model = make(rows.shape[1:], latent_dim=LATENT, seed=seed, **more)

    def once(self) -> int:
        """Pass once over the rows; how many were seen, incomplete batches being dropped."""
        more = {"rotation_prior": np.pi / 2} if self.turns else {}
        self.model.fit(
            self.rows,
            training_cycles=1,
            batch_size=self.batch,
            filename=str(self.scratch / "atomai"),
            **more,
        )
        return len(self.rows) // self.batch * self.batch

    def rebuilt(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        """Rows as the model has them, and their angles [rad]."""
        from atomai.utils import transform_coordinates

        net = self.model
        net.encoder_net.eval(), net.decoder_net.eval()
        latent = torch.from_numpy(net.encode(self._scaled(rows))[0])
        parts = []
        with torch.no_grad():
            for z in latent.split(AT_ONCE):
                if self.turns:
                    grid = net.x_coord.expand(len(z), *net.x_coord.shape)
                    parts.append(net.decoder_net(transform_coordinates(grid, z[:, 0], 0), z[:, 1:]))
                else:
                    parts.append(net.decoder_net(z))
        found = torch.cat(parts).numpy().reshape(rows.shape) * self.scale + self.level
        return found, latent[:, 0].numpy() if self.turns else None

    def _scaled(self, rows: np.ndarray) -> np.ndarray:
        return ((rows - self.level) / self.scale).astype(np.float32)


class PyroVED:
    """`pyroved.models.iVAE` and `SVItrainer`, with their defaults: batches of 100, Adam with 1e-3.

    Patches between 0 and 1 with the default likelihood, Bernoulli; vectors of mean 0 and variance 1 with the Gaussian
    one, since they are signed.
    """

    def __init__(self, rows: np.ndarray, invariance: str | None, seed: int, scratch: Path) -> None:
        import pyroved

        self.version = pyroved.__version__
        self.turns, images = invariance is not None, rows.ndim == 3
        self.level, self.scale = (float(rows.min()), float(np.ptp(rows))) if images else centered(rows)
        self.shares = images
        likelihood = {} if images else {"sampler_d": "gaussian", "sigmoid_d": False}
        self.model = pyroved.models.iVAE(
            rows.shape[1:], LATENT, ["r"] if self.turns else None, seed=seed, **likelihood
        )
        self.trainer = pyroved.trainers.SVItrainer(self.model, seed=seed)
        self.rows = self._scaled(rows)
        self.loader = pyroved.utils.init_dataloader(self.rows)

    def once(self) -> int:
        """Pass once over the rows; how many were seen."""
        self.trainer.step(self.loader)
        return len(self.rows)

    def rebuilt(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        """Rows as the model has them, and their angles [rad]."""
        from pyroved.utils import transform_coordinates

        net = self.model
        net.eval()
        latent = net.encode(self._scaled(rows))[0]
        parts = []
        with torch.no_grad():
            for z in latent.split(AT_ONCE):
                if self.turns:
                    angle, _, _, rest = net.split_latent(z)
                    grid = net.grid.expand(len(z), *net.grid.shape)
                    parts.append(net.decoder(transform_coordinates(grid, angle, 0, 1), rest))
                else:
                    parts.append(net.decoder(z))
        net.train()
        found = torch.cat(parts).numpy().reshape(rows.shape) * self.scale + self.level
        return found, latent[:, 0].numpy() if self.turns else None

    def _scaled(self, rows: np.ndarray) -> torch.Tensor:
        scaled = torch.from_numpy((rows - self.level) / self.scale).float()
        return scaled.clamp(0, 1) if self.shares else scaled


def centered(rows: np.ndarray) -> tuple[np.ndarray | float, float]:
    """What makes rows of mean 0 and variance 1: one level for all pixels of patches, one for each number of vectors."""
    level = float(rows.mean()) if rows.ndim == 3 else rows.mean(axis=0)
    return level, float(np.sqrt(((rows - level) ** 2).mean()))


PEERS = {"AtomAI": AtomAI, "pyroVED": PyroVED}


def main() -> None:
    """Answer every line until there are no more."""
    warnings.filterwarnings("ignore")
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    make, answers = PEERS[sys.argv[1]], sys.stdout
    for line in sys.stdin:
        asked = json.loads(line)
        try:
            # what peers print would come among the answers
            with contextlib.redirect_stdout(io.StringIO()):
                answer = answered(make, asked)
        except Exception as problem:
            answer = {"error": f"{type(problem).__name__}: {problem}"}
        print(json.dumps(answer), file=answers, flush=True)


def answered(make: type[AtomAI] | type[PyroVED], asked: dict) -> dict:
    """Train afresh: ``passes`` times, or until ``cpu`` seconds have gone by; rebuild where ``held`` names rows."""
    folder = Path(asked["folder"])
    peer = make(np.load(folder / asked["rows"]), asked["invariance"], asked["seed"], folder)
    seen, passes, began = 0, 0, time.process_time()
    while passes < asked["passes"] if "passes" in asked else time.process_time() - began < asked["cpu"]:
        seen += peer.once()
        passes += 1
    answer = {
        "cpu": time.process_time() - began, "samples": seen, "passes": passes, "version": peer.version,
    }  # fmt: skip
    if "held" in asked:
        found, angle = peer.rebuilt(np.load(folder / asked["held"]))
        np.save(folder / f"{sys.argv[1]}_rebuilt.npy", found)
        if angle is not None:
            np.save(folder / f"{sys.argv[1]}_angle.npy", angle)
    return answer


if __name__ == "__main__":
    main()
