"""From the folder of a sweep to one table and one figure."""

from __future__ import annotations

from pathlib import Path

from omegaconf import DictConfig
from tqdm import tqdm

from stemnet import storage
from stemnet.doors.sweep_runs import read_sweep, run_folders
from stemnet.doors.sweep_tables import as_text, means_of, numbers_of, rows_of
from stemnet.errors import StemnetError
from stemnet.report.style import save
from stemnet.report.sweep import sweep_figure


def gather_from(config: DictConfig) -> None:
    """Write ``sweep.csv``, ``sweep_means.csv`` and ``sweep.png`` beside the runs, and print the means.

    Raises
    ------
    StemnetError
        If no folder was named, it holds no finished run, or the runs are not of
        one sweep.
    """
    named = [config.folder] if isinstance(config.folder, str) else list(config.folder or [])
    if len(named) != 1:
        raise StemnetError(
            f"{len(named)} folders were named; give the folder of one sweep: stemnet-gather FOLDER."
        )
    folder = Path(named[0])
    candidates = run_folders(folder) if folder.is_dir() else []
    sweep = read_sweep(folder, tqdm(candidates, desc="runs", unit="run", disable=None, leave=False))
    over = [config.over] if isinstance(config.over, str) else list(config.over or [])
    wanted = [config.numbers] if isinstance(config.numbers, str) else list(config.numbers or [])
    names, means = numbers_of(sweep, wanted), means_of(sweep, over)
    storage.write_rows(folder / "sweep.csv", rows_of(sweep))
    storage.write_rows(folder / "sweep_means.csv", means)
    factors = [name for name in sweep.varied if name not in over]
    save(sweep_figure(means, factors, names, title=folder.name), folder / "sweep.png")
    print(as_text(means, names))
    repeated = [name for name in over if name in sweep.varied]
    spread = f"; ± is the standard deviation over {', '.join(repeated)}" if repeated else ""
    print(f"{len(sweep.runs)} runs, which differ in {', '.join(sweep.varied) or 'nothing'}{spread}.")
    for sentence in sweep.left_out:
        print(f"Left out: {sentence}")
    print(f"-> {folder / 'sweep.csv'}, sweep_means.csv, sweep.png")
