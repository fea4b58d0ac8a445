"""What representations are compared on: patches, neighbor vectors, or the spectra of windows, with what was planted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from stemnet.columns import Columns
from stemnet.descriptors.neighbors import lattice_of, neighbor_vectors
from stemnet.descriptors.patches import column_patches, patch_size
from stemnet.descriptors.spectra_stream import window_spectra
from stemnet.descriptors.table import Descriptors
from stemnet.errors import StemnetError
from stemnet.studies.described import first_frame
from stemnet.studies.framework import DOUBTFUL, brighter, find_framework, first_rows
from stemnet.studies.measured import Measured
from stemnet.studies.sliding_fft_truth import labels_at, planted_maps
from stemnet.studies.sliding_fft_windows import first_image, spacing_of, suitable_windows

LABELS = ("domain", "grain", "phase", "defect")
"""Planted labels of columns that a clustering may find."""
ORIENTATION = "orientation_rad"


@dataclass(frozen=True)
class Rows:
    """What every method is given.

    Parameters
    ----------
    table : Descriptors
        Row i is column i, or window i.
    side : int or None
        Of rows that are square pictures.
    labels : mapping of str to ndarray, shape (N,)
        Planted, by name; none without a truth.
    orientation : ndarray, shape (N,), or None
        Planted, from +x towards +y [rad].
    sublattice : ndarray of int, shape (N,), or None
        Of columns.
    """

    table: Descriptors
    side: int | None
    labels: Mapping[str, np.ndarray]
    orientation: np.ndarray | None
    sublattice: np.ndarray | None = None


def rows_of_columns(
    measured: Measured, rows: str, center: int | None, size: int | None, notes: list[str]
) -> Rows:
    """Patches of the image or of the probability, or neighbor vectors; parameters as of the study.

    `notes` gathers what should be known.
    """
    frame = find_framework(first_frame(measured))
    columns = frame.columns
    if frame.note:
        notes.append(frame.note)
    side = None
    if rows != "vectors":
        side = size or patch_size(columns)
        cut = column_patches(columns, _cut_from(measured, rows), side)
        table = _disks(cut, side, _described(columns, center))
    else:
        table = neighbor_vectors(columns, center=center, lattice=frame.lattice)
    labels, orientation, truth = {}, None, measured.truth
    if truth is not None:
        first = first_rows(measured)
        for name in (name for name in LABELS if name in truth.columns):
            planted = truth.of(name)[first]
            # words count as their numbers
            text = planted.dtype.kind in "US"
            labels[name] = np.unique(planted, return_inverse=True)[1].reshape(-1) if text else planted
        if ORIENTATION in truth.columns:
            # planted from y towards x
            orientation = -truth.of(ORIENTATION)[first]
    return Rows(table, side, labels, orientation, columns["sublattice"])


def _cut_from(measured: Measured, rows: str) -> np.ndarray:
    """The image, or the network's probability, (H, W)."""
    if rows == "patches":
        return measured.micrograph.frames[0]
    if measured.probability is None:
        raise StemnetError(
            f"{measured.name} came without the network's probability map. Give rows=patches, or find columns first."
        )
    return np.asarray(measured.probability[0], dtype=np.float32)


def rows_of_windows(measured: Measured, size: int | None, notes: list[str]) -> Rows:
    """Spectra of sliding windows as maps of frequencies, which turn as the image does; no columns are needed.

    Parameters
    ----------
    measured : Measured
        Columns size the windows where they show a lattice, to four periods.
    size : int, optional
        Side of a window [px].
    notes : list of str
        What should be known is added here.
    """
    image = first_image(measured, notes)
    windows = suitable_windows(image.shape, spacing_of(measured, image, notes), notes, size=size)
    spectra = window_spectra(image, windows)
    planes = windows.plane(spectra.values)
    side = planes.shape[1]
    # a spectrum says nothing of the mean: its middle is filled with what lies around
    planes[:, side // 2, side // 2] = planes[:, side // 2, side // 2 + 1]
    names = tuple(f"k{y:+d}{x:+d}_1" for y, x in np.ndindex(side, side))
    table = Descriptors(planes.reshape(len(planes), -1), names, spectra.yx, spectra.valid, "window")
    truth = measured.truth
    labels, orientation = {}, None
    if truth is not None:
        labels = {
            name: labels_at(label, truth.field_step, table.yx) for name, label in planted_maps(truth).items()
        }
        if ORIENTATION in truth.fields:
            orientation = -labels_at(truth.fields[ORIENTATION], truth.field_step, table.yx)
    return Rows(_disks(table, side, np.ones(len(table), bool)), side, labels, orientation)


def _described(columns: Columns, center: int | None) -> np.ndarray:
    """Which columns are described, (N,): a sublattice, or of several grains the brighter columns."""
    if center is None:
        return np.ones(len(columns), bool)
    whole = lattice_of(columns)
    if whole is None or whole.confidence < DOUBTFUL:
        # the lattice of one grain says nothing of the sublattices of the others
        return brighter(columns)
    return np.asarray(columns["sublattice"]) == center


def _disks(table: Descriptors, side: int, described: np.ndarray) -> Descriptors:
    """Pictures on the disk that every rotation leaves, less their mean there, which thickness and ground make."""
    axis = np.arange(side) - (side - 1) / 2
    inside = (np.hypot(*np.meshgrid(axis, axis, indexing="ij")) <= side / 2).ravel()
    level = table.values[:, inside].mean(axis=1, keepdims=True)
    valid = table.valid & described
    values = np.where(inside, table.values - level, 0.0)
    return Descriptors(np.where(valid[:, None], values, np.nan), table.names, table.yx, valid, table.row)
