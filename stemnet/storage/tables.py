"""Tables as CSV: the columns of one input, and the inputs of one batch."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from stemnet.columns import Columns
from stemnet.errors import StemnetError
from stemnet.storage.whole_file import whole_file

# Unit of the fields that have one. Lengths in pixels say so in the name of their CSV column.
UNITS = {
    "intensity": "image units x px^2",
    "intensity_sigma": "image units x px^2",
    "cross_section": "image units x px^2",
    "cross_section_sigma": "image units x px^2",
    "width": "px",
    "width_sigma": "px",
    "ellipticity_angle": "rad",
    "sigma_y": "px",
    "sigma_x": "px",
    "displacement_y": "px",
    "displacement_x": "px",
}
POSITIONS = ("y_px", "x_px", "y_A", "x_A")
FIRST = ("score", "intensity", "width", "frame", "sigma_y", "sigma_x", "sublattice")
SUMMARY = ("input", "status", "columns", "sampling_A_per_px", "sampling_from", "seconds", "message")


def column_values(columns: Columns, extra: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Join the fields of the columns and `extra`, each checked to have shape (N,).

    Raises
    ------
    StemnetError
        If an extra has another length, or the name of a position or a field.
    """
    for name, values in extra.items():
        if np.shape(values) != (len(columns),):
            raise StemnetError(
                f"The values '{name}' have shape {np.shape(values)} for {len(columns)} columns; a column of "
                f"the table holds one value per row. Pass an array of shape ({len(columns)},)."
            )
        if name in columns or name in POSITIONS:
            raise StemnetError(
                f"The name '{name}' is taken in the table of columns; each of its columns needs a name of "
                "its own. Rename the extra values."
            )
    return {**columns.fields, **{name: np.asarray(values) for name, values in extra.items()}}


def write_columns_csv(
    path: str | os.PathLike, columns: Columns, extra: Mapping[str, np.ndarray] | None = None
) -> None:
    """Write columns as CSV, one row per atom column.

    The header begins with ``y_px,x_px,y_A,x_A,score,intensity,width_px,frame,
    sigma_y_px,sigma_x_px,sublattice``; the other fields and `extra` follow.
    Cells without a value (an unknown sampling, a field that was not measured,
    NaN) are empty; a missing ``frame`` is 0, a single image.

    Parameters
    ----------
    path : path-like
        File to write.
    columns : Columns
        N columns.
    extra : mapping of str to ndarray, shape (N,), optional
        More columns of the table: cluster labels, latent coordinates.
    """
    fields = column_values(columns, extra or {})
    fields.setdefault("frame", np.zeros(len(columns), dtype=np.int64))
    names = [*FIRST, *(name for name in fields if name not in FIRST)]
    blank = [""] * len(columns)
    positions = (*columns.yx.T, *columns.yx_angstrom.T)
    cells = [_texts(values) for values in positions]
    cells += [_texts(fields[name]) if name in fields else blank for name in names]
    with whole_file(path) as part, part.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([*POSITIONS, *(_header(name) for name in names)])
        writer.writerows(zip(*cells, strict=True))


def read_columns_csv(
    path: str | os.PathLike, shape: tuple[int, int] | None = None, sampling: float | None = None
) -> Columns:
    """Read columns from a CSV file, written here or by anything that names ``y_px`` and ``x_px``.

    Parameters
    ----------
    path : path-like
        File to read.
    shape : tuple of int, optional
        Rows and columns of the image [px], which a CSV does not hold; without
        it, the smallest image that holds every column.
    sampling : float, optional
        [A/px]; without it, the ratio of ``y_A, x_A`` to ``y_px, x_px``, unknown
        when these are empty.

    Returns
    -------
    Columns
        Empty cells are NaN; a column of empty cells only is left out.

    Raises
    ------
    StemnetError
        If the file is not such a table.
    """
    header, cells = _read_cells(Path(path))
    if not {"y_px", "x_px"} <= set(header):
        raise StemnetError(
            f"{path} has the columns {', '.join(header) or '(none)'}; a table of atom columns needs y_px and "
            "x_px. Rename the columns, in pixels with pixel centers at integers."
        )
    values = {name: _values(text) for name, text in zip(header, cells, strict=True)}
    yx = np.stack([values["y_px"], values["x_px"]], axis=1) if cells[0] else np.empty((0, 2))
    if yx.dtype.kind not in "if" or not np.isfinite(yx).all():
        raise StemnetError(
            f"{path} has positions that are empty or not numbers; every row needs y_px and x_px. "
            "Fill or delete these rows."
        )
    if sampling is None and {"y_A", "x_A"} <= set(header):
        sampling = _sampling(yx, values["y_A"], values["x_A"])
    if shape is None:
        shape = tuple(np.ceil(yx.max(axis=0)).astype(int) + 1) if len(yx) else (1, 1)
    fields = {
        _field(name): column
        for name, text, column in zip(header, cells, values.values(), strict=True)
        if name not in POSITIONS and any(text)
    }
    return Columns(yx, shape, sampling, fields)


def write_rows(
    path: str | os.PathLike, rows: Iterable[Mapping[str, object]], first: Sequence[str] = ()
) -> None:
    """Write rows of named values as CSV.

    Parameters
    ----------
    path : path-like
        File to write.
    rows : iterable of mapping
        Not all need the same names; what a row lacks stays empty, as do None
        and NaN.
    first : sequence of str
        Names that begin the header, present in the rows or not.
    """
    rows = list(rows)
    names = list(dict.fromkeys([*first, *(name for row in rows for name in row)]))
    with whole_file(path) as part, part.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(names)
        writer.writerows([_text(row.get(name)) for name in names] for row in rows)


def read_rows(path: str | os.PathLike) -> list[dict[str, str]]:
    """Read a CSV file as one mapping of header to text per row."""
    header, cells = _read_cells(Path(path))
    return [dict(zip(header, row, strict=True)) for row in zip(*cells, strict=True)]


def write_summary(path: str | os.PathLike, rows: Iterable[Mapping[str, object]]) -> None:
    """Write the table of a batch, one row per input, the failed ones too.

    Parameters
    ----------
    path : path-like
        File to write.
    rows : iterable of mapping
        With ``input``, ``status`` (``ok``, ``low confidence`` or ``failed``),
        ``columns`` (how many), ``sampling_A_per_px``, ``sampling_from``,
        ``seconds``, ``message``; more names follow these.
    """
    write_rows(path, rows, SUMMARY)


def _header(name: str) -> str:
    return f"{name}_px" if UNITS.get(name) == "px" else name


def _field(header: str) -> str:
    name = header.removesuffix("_px")
    return name if UNITS.get(name) == "px" else header


def _texts(values: np.ndarray) -> list[str]:
    """Spell an array; floats keep a point, so that they come back as floats."""
    if values.dtype.kind in "biu":
        return [str(int(value)) for value in values.tolist()]
    if values.dtype.kind != "f":
        return [_text(value) for value in values.tolist()]
    spell = ("%.7g" if values.dtype.itemsize < 8 else "%.12g").__mod__
    texts = [spell(value) for value in values.tolist()]
    return [
        text if "." in text or "e" in text or "inf" in text else "" if text == "nan" else text + ".0"
        for text in texts
    ]


def _text(value: object) -> str:
    if value is None or (isinstance(value, (float, np.floating)) and np.isnan(value)):
        return ""
    return f"{value:.7g}" if isinstance(value, (float, np.floating)) else str(value)


def _values(texts: tuple[str, ...]) -> np.ndarray:
    """Integers if all are, else floats with NaN for empty cells, else text."""
    for parse in (int, lambda text: float(text) if text else np.nan):
        try:
            return np.array([parse(text) for text in texts], dtype=np.int64 if parse is int else np.float64)
        except (ValueError, OverflowError):
            continue
    return np.array(texts, dtype=np.str_)


def _sampling(yx: np.ndarray, y_angstrom: np.ndarray, x_angstrom: np.ndarray) -> float | None:
    """Least-squares ratio of angstrom to pixels, freed of the rounding of the digits written."""
    angstrom = np.stack([y_angstrom, x_angstrom], axis=1)
    if angstrom.dtype.kind not in "if" or not np.isfinite(angstrom).all() or not np.any(yx):
        return None
    return float(f"{(angstrom * yx).sum() / (yx**2).sum():.9g}")


def _read_cells(path: Path) -> tuple[list[str], list[tuple[str, ...]]]:
    """Header and, per header, the cells below it."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            header, *rows = list(csv.reader(file)) or [[]]
    except FileNotFoundError as error:
        raise StemnetError(f"There is no file {path}; pass the path of an existing CSV file.") from error
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise StemnetError(f"{path} could not be read as CSV ({error}); pass a CSV file in UTF-8.") from error
    rows = [row for row in rows if row]
    if any(len(row) != len(header) for row in rows):
        raise StemnetError(
            f"{path} has rows that are longer or shorter than its header of {len(header)}; a table needs "
            "equal rows. Write it again or repair it."
        )
    return header, list(zip(*rows, strict=True)) if rows else [() for _ in header]
