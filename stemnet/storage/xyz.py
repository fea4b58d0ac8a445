"""Columns as extended XYZ, which ASE, OVITO and other viewers of atoms open."""

from __future__ import annotations

import os
from collections.abc import Mapping

import numpy as np

from stemnet.columns import Columns
from stemnet.storage.tables import column_values
from stemnet.storage.whole_file import whole_file

SYMBOLS = (
    "H He Li Be B C N O F Ne Na Mg Al Si P S Cl Ar K Ca Sc Ti V Cr Mn Fe Co Ni Cu Zn Ga Ge As Se Br Kr "
    "Rb Sr Y Zr Nb Mo Tc Ru Rh Pd Ag Cd In Sn Sb Te I Xe Cs Ba La Ce Pr Nd Pm Sm Eu Gd Tb Dy Ho Er Tm Yb "
    "Lu Hf Ta W Re Os Ir Pt Au Hg Tl Pb Bi Po At Rn Fr Ra Ac Th Pa U Np Pu Am Cm Bk Cf Es Fm Md No Lr "
    "Rf Db Sg Bh Hs Mt Ds Rg Cn Nh Fl Mc Lv Ts Og"
)
ELEMENTS = frozenset(SYMBOLS.split())


def write_columns_xyz(
    path: str | os.PathLike,
    columns: Columns,
    comment: str = "",
    extra: Mapping[str, np.ndarray] | None = None,
) -> None:
    """Write columns as extended XYZ, one block per frame that holds columns.

    x points right and y up, from the lower left corner of the field of view,
    so that a viewer shows the columns as the image does: x = (x_px + 1/2) s,
    y = (H - 1/2 - y_px) s, with s the sampling; z = 0, the beam direction is
    not resolved. Lengths are in angstrom, or in pixels when the sampling is
    unknown; the comment line says which. The species is the field ``species``
    where it names an element, X elsewhere.

    Parameters
    ----------
    path : path-like
        File to write.
    columns : Columns
        N columns.
    comment : str
        Words for the comment line.
    extra : mapping of str to ndarray, shape (N,), optional
        More numbers per column: cluster labels, latent coordinates.
    """
    fields = column_values(columns, extra or {})
    frame = fields.pop("frame", np.zeros(len(columns), dtype=np.int64))
    species = fields.pop("species", np.full(len(columns), "X"))
    numbers = {name: values for name, values in fields.items() if values.dtype.kind in "biuf"}
    properties = ["species:S:1", "pos:R:3"]
    properties += [f"{name}:{'R' if values.dtype.kind == 'f' else 'I'}:1" for name, values in numbers.items()]
    scale, unit = (1.0, "px") if columns.sampling is None else (columns.sampling, "angstrom")
    height, width = columns.shape
    head = " ".join(
        [
            f'Lattice="{width * scale:.10g} 0 0 0 {height * scale:.10g} 0 0 0 1"',
            f"Properties={':'.join(properties)}",
            'pbc="F F F"',
            f"unit={unit}",
            'axes="x right, y up, origin at the lower left corner of the field of view"',
        ]
    )
    words = " ".join(comment.replace('"', "'").replace("\\", "/").split())
    head += f' comment="{words}"' if words else ""
    cells = [
        [name if name in ELEMENTS else "X" for name in species.tolist()],
        [f"{value:.7f}" for value in ((columns.yx[:, 1] + 0.5) * scale).tolist()],
        [f"{value:.7f}" for value in ((height - 0.5 - columns.yx[:, 0]) * scale).tolist()],
        ["0.0"] * len(columns),
    ]
    cells += [
        [f"{value:.7g}" for value in values.tolist()]
        if values.dtype.kind == "f"
        else [str(int(value)) for value in values.tolist()]
        for values in numbers.values()
    ]
    lines = np.array([" ".join(row) for row in zip(*cells, strict=True)], dtype=object)
    with whole_file(path) as part, part.open("w", encoding="utf-8") as file:
        for number in np.unique(frame) if len(columns) else [0]:
            block = lines[frame == number]
            file.write(f"{len(block)}\n{head} frame={int(number)}\n")
            file.writelines(f"{line}\n" for line in block)
