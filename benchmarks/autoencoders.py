"""Autoencoders beside those of AtomAI and pyroVED: speed, reconstruction and angles, on the same rows in one run.

    python benchmarks/autoencoders.py                   ours alone, a minute
    python benchmarks/autoencoders.py --peers PYTHON    the peers too, in an interpreter that has them; half an hour
    python benchmarks/autoencoders.py --rows 2000       more rows; peers take as much longer
    python benchmarks/autoencoders.py --json FILE       the rows of the table
    python benchmarks/autoencoders.py --page FILE       puts the table between the marks of a page
    python benchmarks/autoencoders.py --done FILE       measures nothing: the rows that --json wrote

The peers are no dependencies: PYTHON is that of a virtual environment with
`atomai` and `pyroved`. One that does not import is left out, with its reason.

Every method has a latent of two, sees the same rows on as many threads, and is
judged on rows of another image; the truth of the angles stays in this process.
Speed is that of training, in samples per CPU-second, method after method in
each round, so that what the machine does besides meets all of them; ratios are
medians over rounds. Errors are given twice: after the CPU seconds that our fit
took until it stopped itself (the peers run whole passes, one at least), and
after the peers' own 100 passes; ours is the same fit both times. While the long
fits run, peers run side by side.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from stemnet.runtime import prepare_process

prepare_process()

import numpy as np  # noqa: E402
import torch  # noqa: E402
from autoencoders_rows import Task, left_over, off_by, tasks  # noqa: E402
from contest_tables import filled, markdown  # noqa: E402

from stemnet.analysis import VariationalAutoencoder  # noqa: E402
from stemnet.models.elbo import train  # noqa: E402
from stemnet.models.schedule import Trained  # noqa: E402

PEERS = ("AtomAI", "pyroVED")
OURS = "stemnet"
PASSES = 100
"""Of the peers: the default of AtomAI, and the example of pyroVED."""
TIMED = 40
"""Passes that are timed; of a peer's decoder of coordinates, one."""
SEED = 0


class Peer:
    """A peer in its own interpreter, asked line by line."""

    def __init__(self, python: str, name: str, folder: Path, threads: int) -> None:
        self.name, self.folder = name, folder
        worker = Path(__file__).with_name("autoencoders_peers.py")
        self.process = subprocess.Popen(
            [python, str(worker), name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"OMP_NUM_THREADS": str(threads)},
        )

    def ask(self, invariance: str | None, **how: Any) -> None:
        """Send one question; the rows lie in the folder."""
        question = {"folder": str(self.folder), "rows": "rows.npy", "invariance": invariance, "seed": SEED}
        self.process.stdin.write(json.dumps(question | how) + "\n")
        self.process.stdin.flush()

    def answer(self) -> dict[str, Any]:
        """Of the question that was asked."""
        line = self.process.stdout.readline()
        return json.loads(line) if line else {"error": "its interpreter ended"}

    def errors(self, task: Task) -> dict[str, float]:
        """What the peer left in the folder, held against the truth."""
        rebuilt = np.load(self.folder / f"{self.name}_rebuilt.npy")
        angle = np.load(self.folder / f"{self.name}_angle.npy") if task.invariance else None
        return errors(task, rebuilt, angle)


def main() -> None:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--peers", metavar="PYTHON", help="interpreter with atomai and pyroved")
    options.add_argument("--rows", type=int, default=640, help="to learn from")
    options.add_argument("--only", default="", help="tasks whose names hold this word, such as turned")
    options.add_argument("--rounds", type=int, default=3, help="of timing")
    options.add_argument("--passes", type=int, default=PASSES, help="of the peers' long fits")
    options.add_argument("--threads", type=int, default=1)
    options.add_argument("--json", type=Path, help="write the rows here")
    options.add_argument("--page", type=Path, help="put the table into this page")
    options.add_argument("--done", type=Path, help="rows that were measured before, in place of measuring")
    given = options.parse_args()
    if given.peers and shutil.which(given.peers) is None:
        sys.exit(
            f"--peers {given.peers} is no program. Give the python of an environment with atomai and pyroved."
        )
    rows = json.loads(given.done.read_text()) if given.done else all_measured(given)
    table = shown(rows)
    print(table)
    if not any(row["method"] in PEERS for row in rows):
        print("No peer was measured: give --peers PYTHON, an interpreter that has them.")
    if given.page:
        filled(given.page, {"autoencoders": table})


def all_measured(given: argparse.Namespace) -> list[dict[str, Any]]:
    """Rows of all tasks, as the options say."""
    torch.set_num_threads(given.threads)
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        peers = [Peer(given.peers, name, Path(folder), given.threads) for name in PEERS if given.peers]
        for task in (task for task in tasks(given.rows, SEED) if given.only in task.name):
            np.save(Path(folder) / "rows.npy", task.rows.astype(np.float32))
            np.save(Path(folder) / "held.npy", task.held.astype(np.float32))
            rows += measured(task, peers, given.rounds, given.passes, given.threads)
            if given.json:  # what is done is kept, should the rest be cut off
                given.json.write_text(json.dumps(rows, indent=1))
            print(f"{task.name}: {time.process_time():.0f} CPU s here", file=sys.stderr, flush=True)
        for peer in peers:
            peer.process.stdin.close()
            peer.process.wait()
    return rows


def measured(
    task: Task, peers: Sequence[Peer], rounds: int, passes: int, threads: int
) -> list[dict[str, Any]]:
    """Rows of the table: ours and each peer's that answers."""
    ours, cpu, passed = fitted(task)
    own = errors(task, ours.reconstruct(task.held), ours.pose(task.held).angle if task.invariance else None)
    answers = {}
    for words in ({"cpu": cpu}, {"passes": passes}):
        for peer in peers:
            peer.ask(task.invariance, held="held.npy", **words)
        for peer in peers:
            answer = peer.answer()
            found = answer if "error" in answer else answer | peer.errors(task)
            answers[peer.name, next(iter(words))] = found
    able = [peer for peer in peers if "error" not in answers[peer.name, "passes"]]
    for peer in set(peers) - set(able):
        print(f"{peer.name} is left out: {answers[peer.name, 'passes']['error']}.", file=sys.stderr)
    speeds: dict[str, list[float]] = {OURS: []} | {peer.name: [] for peer in able}
    for _ in range(rounds):
        speeds[OURS].append(speed(task))
        for peer in able:
            peer.ask(task.invariance, passes=1 if task.invariance else TIMED)
            answer = peer.answer()
            speeds[peer.name].append(answer["samples"] / answer["cpu"])
    base = {
        "task": task.name, "rows": len(task.rows), "shape": task.rows.shape[1:], "threads": threads,
        "guessed_angle_rms_deg": task.guessed if task.invariance else None,
        "noise_left_over": task.noise if task.rows.ndim == 3 else None,
    }  # fmt: skip
    rows = [_row(base, OURS, speeds, own | {"cpu": cpu, "passes": round(passed)}, own | {"cpu": cpu})]
    return rows + [
        _row(base, one.name, speeds, answers[one.name, "passes"], answers[one.name, "cpu"]) for one in able
    ]


def fitted(task: Task, **settings: Any) -> tuple[VariationalAutoencoder, float, float]:
    """Our autoencoder, with its defaults otherwise; the CPU seconds that its fit took, and the passes over its rows."""
    ended: list[Trained] = []

    def kept(*arguments: Any) -> Trained:
        ended.append(train(*arguments))
        return ended[0]

    model = VariationalAutoencoder(2, invariance=task.invariance, random_state=SEED, **settings)
    began = time.process_time()
    model.fit_by(kept, task.rows)
    return model, time.process_time() - began, ended[0].passes


def speed(task: Task) -> float:
    """Samples that ours is trained on per CPU-second, start and end of a fit taken off; rows held out do not count."""
    found = [fitted(task, max_epochs=epochs, patience=10**6) for epochs in (1, 1 + TIMED)]
    (_, begun, first), (model, ended, last) = found
    trained = len(task.rows) - int(model.validation_fraction * len(task.rows))
    return (last - first) * trained / (ended - begun)


def errors(task: Task, rebuilt: np.ndarray, angle: np.ndarray | None) -> dict[str, float]:
    """Of held rows."""
    found = {"left_over": left_over(task, rebuilt)}
    if angle is not None:
        found["angle_rms_deg"], found["angle_median_deg"] = off_by(task, angle)
    return found


def _row(
    base: Mapping[str, Any],
    name: str,
    speeds: Mapping[str, list[float]],
    long: Mapping[str, Any],
    equal: Mapping[str, Any],
) -> dict[str, Any]:
    """One line: after a long fit, and after equal CPU seconds."""
    ratios = np.array(speeds[OURS]) / np.array(speeds[name])
    kept = ("left_over", "angle_rms_deg", "angle_median_deg", "cpu", "passes")
    return (
        dict(base)
        | {"method": name, "version": long.get("version", "this"), "samples_per_cpu_s": float(np.median(speeds[name]))}
        | {"ours_over_it": float(np.median(ratios)), "ratios": ratios.tolist(), "rounds": speeds[name]}
        | {key: long[key] for key in kept if key in long}
        | {f"equal_cpu_{key}": equal[key] for key in kept if key in equal}
    )  # fmt: skip


def shown(rows: Sequence[Mapping[str, Any]]) -> str:
    """The table in Markdown."""
    head = (
        "rows", "learned from", "method", "samples per CPU-s", "ours over it", "left over, equal CPU",
        "angle, equal CPU [deg]", "left over", "angle [deg]", "passes", "CPU [s]",
    )  # fmt: skip
    lines = []
    for row in rows:
        known = {
            "noise alone leaves": row["noise_left_over"],
            "a guess is off by": row["guessed_angle_rms_deg"],
        }
        said = "; ".join(f"{words} {value:.3g}" for words, value in known.items() if value)
        name = row["method"] if row["method"] == OURS else f"{row['method']} {row['version']}"
        lines.append(
            [
                row["task"] + (f" ({said})" if said else ""),
                str(row["rows"]),
                name,
                f"{row['samples_per_cpu_s']:.0f}",
                f"{row['ours_over_it']:.2g}" if row["ours_over_it"] < 10 else f"{row['ours_over_it']:.0f}",
                f"{row['equal_cpu_left_over']:.3f}",
                _angle(row, "equal_cpu_"),
                f"{row['left_over']:.3f}",
                _angle(row, ""),
                str(row["passes"]),
                f"{row['cpu']:.1f}",
            ]
        )
    return markdown(head, lines)


def _angle(row: Mapping[str, Any], when: str) -> str:
    """Root mean square and median."""
    if f"{when}angle_rms_deg" not in row:
        return "-"
    return f"{row[f'{when}angle_rms_deg']:.2f} ({row[f'{when}angle_median_deg']:.2f})"


if __name__ == "__main__":
    main()
