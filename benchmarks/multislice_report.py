"""Tables and figures of `multislice.py`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from stemnet.simulation.depth import brightness

Row = dict[str, object]
THICKNESSES = (1, 2, 5, 10, 15)
"""Of the tilted specimen, in steps of five cells, that get a row."""
BLUE, ORANGE, GREEN, PURPLE = "#0072B2", "#D55E00", "#009E73", "#CC79A7"
"""Okabe and Ito's, which the color-blind can tell apart."""


def _table(title: str, columns: Sequence[tuple[str, str, int, Callable[[Row], str]]], rows: list[Row]) -> str:
    """Columns are (name, unit, width, what to write)."""
    lines = [title, ""]
    lines += ["".join(f"{column[i]:>{column[2]}}" for column in columns).rstrip() for i in (0, 1)]
    lines += ["".join(f"{write(row):>{width}}" for _, _, width, write in columns).rstrip() for row in rows]
    return "\n".join(lines)


def _both(name: str, digits: int, index: int | None = None, factor: float = 1.0) -> Callable[[Row], str]:
    """Multislice / fast model."""

    def write(row: Row) -> str:
        pair = [row.get(name), row.get(f"{name}_fast")]
        if index is not None:
            pair = [values[index] if len(values) > index else None for values in pair]
        return "" if None in pair else " / ".join(f"{factor * value:.{digits}f}" for value in pair)

    return write


def _one(name: str, digits: int, factor: float = 1.0) -> Callable[[Row], str]:
    return lambda row: f"{factor * row[name]:.{digits}f}"


def _sure(name: str, digits: int, factor: float = 1.0) -> Callable[[Row], str]:
    """A value with its standard error."""
    return lambda row: f"{factor * row[name]:.{digits}f}±{factor * row[f'{name}_error']:.{digits}f}"


def comparison_table(rows: list[Row]) -> str:
    """One row a specimen and thickness."""
    columns = [
        ("", "", 8, lambda row: row["specimen"]),
        ("t", "nm", 6, _one("thickness_nm", 1)),
        ("r image", "", 9, _one("correlation_image", 4)),
        ("r line", "", 9, _one("correlation_line", 4)),
        ("left", "%", 6, _one("misfit", 1, 100)),
        ("scale", "", 7, _one("scale", 2)),
        ("offset", "%", 8, _one("offset", 1, 100)),
        ("column 1", "mA2/repeat", 15, _both("column_A2", 2, 0, 1e3)),
        ("column 2", "mA2/repeat", 14, _both("column_A2", 2, 1, 1e3)),
        ("ratio", "", 13, _both("ratio", 2)),
        ("n", "", 13, _both("exponent", 2)),
        ("+-", "", 6, lambda row: f"{row['exponent_error']:.2f}" if "exponent_error" in row else ""),
        ("sigma 1", "A", 14, _both("width_A", 3, 0)),
        ("valley/peak", "", 14, _both("valley", 3)),
        ("cell", "mA2/repeat", 14, _both("cell_A2", 2, None, 1e3)),
        ("CPU", "s", 13, lambda row: f"{row['cpu_s']:.0f} / {row['cpu_s_fast']:.3f}"),
    ]
    return _table("Unit cells: multislice / fast model", columns, rows)


def decay_table(decay: dict[str, Row]) -> str:
    """One row a column."""
    columns = [
        ("column", "", 8, lambda row: row["species"]),
        ("thin", "mA2/repeat", 12, _one("thin_A2", 2, 1e3)),
        ("mu", "1/nm", 8, _one("mu_per_A", 3, 10)),
        ("1 / mu", "nm", 8, lambda row: f"{0.1 / row['mu_per_A']:.1f}"),
        ("rms", "%", 7, _one("rms", 0, 100)),
    ]
    rows = [{"species": species, **values} for species, values in decay.items()]
    return _table(
        "Integrated intensity of columns as thin (1 - exp(-mu t)) / mu, fitted from 2 nm on", columns, rows
    )


def atoms_table(rows: list[Row]) -> str:
    """One row a voltage and annulus."""

    def both(index: int, element: str) -> Callable[[Row], str]:
        return lambda row: (
            f"{1e3 * row['cross_section_A2'][element]:.3f} / {1e3 * row['cross_section_fast_A2'][index]:.3f}"
        )

    columns = [
        ("voltage", "kV", 8, _one("voltage_kV", 0)),
        ("annulus", "mrad", 10, lambda row: f"{row['inner_mrad']}-{row['outer_mrad']}"),
        ("n", "", 14, _both("exponent", 2)),
    ]
    elements = list(rows[0]["cross_section_A2"])
    columns += [
        (element, "mA2", 17, both(elements.index(element), element))
        for element in ("C", "Ti", "Mo", "W")
        if element in elements
    ]
    title = "Single atoms: multislice / contrast.z_exponent and contrast.cross_section"
    return _table(title, columns, rows)


def tilt_table(rows: list[Row]) -> str:
    """One row a tilt and thickness."""
    thin = min(row["thickness_nm"] for row in rows)
    rows = [row for row in rows if round(row["thickness_nm"] / thin) in THICKNESSES]
    columns = [
        ("tilt", "mrad", 6, _one("tilt_mrad", 0)),
        ("t", "nm", 6, _one("thickness_nm", 1)),
        ("Sr", "pm", 12, _sure("shift_Sr_A", 1, 100)),
        ("TiO", "pm", 12, _sure("shift_TiO_A", 1, 100)),
        ("TiO - Sr", "pm", 12, _sure("offset_A", 1, 100)),
        ("by depth", "pm", 10, _one("offset_by_depth_A", 1, 100)),
        ("peak Sr", "", 9, _one("height_Sr", 2)),
        ("peak TiO", "", 10, _one("height_TiO", 2)),
    ]
    return _table("SrTiO3 under a tilted beam: shifts of the columns", columns, rows)


@dataclass(frozen=True)
class Panel:
    """A specimen for the figure: images (H, W) in shares of the beam, the fast one scaled to the other.

    `real_line` and `fast_line` run along `place` [A].
    """

    name: str
    real: np.ndarray
    fast: np.ndarray
    place: np.ndarray
    real_line: np.ndarray
    fast_line: np.ndarray
    sampling: float


def draw(
    folder: Path,
    panels: list[Panel],
    rows: list[Row],
    decay: dict[str, Row],
    atoms: list[Row],
    tilts: list[Row],
) -> list[Path]:
    """Write the four figures; returns their paths."""
    import matplotlib

    matplotlib.use("Agg")
    matplotlib.rcParams.update(
        {
            "font.size": 8,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "legend.frameon": False,
            "legend.fontsize": 7,
            "savefig.dpi": 150,
            "figure.constrained_layout.use": True,
            "lines.markersize": 3.5,
        }
    )
    figures = {
        "physics_images": _images(panels),
        "physics_thickness": _thickness(rows, decay),
        "physics_exponent": _exponent(atoms),
        "physics_tilt": _tilt(tilts),
    }
    folder.mkdir(parents=True, exist_ok=True)
    for name, figure in figures.items():
        figure.savefig(folder / f"{name}.png")
    return [folder / f"{name}.png" for name in figures]


def _figure(rows: int, cols: int, size: tuple[float, float], **kind: object) -> tuple[object, np.ndarray]:
    import matplotlib.pyplot as plt

    return plt.subplots(rows, cols, figsize=size, squeeze=False, **kind)


def _images(panels: list[Panel]) -> object:
    """Multislice, fast model, difference and line, one row a specimen."""
    figure, axes = _figure(len(panels), 4, (7.2, 1.72 * len(panels)), width_ratios=(1, 1, 1.12, 1.7))
    for row, panel in zip(axes, panels, strict=True):
        height, width = panel.real.shape
        extent = (0, width * panel.sampling, height * panel.sampling, 0)
        top = panel.real.max()
        for axis, image in zip(row, (panel.real, panel.fast), strict=False):
            axis.imshow(image, cmap="gray", vmin=0, vmax=top, extent=extent)
        left = 100 * (panel.fast - panel.real) / top
        shown = row[2].imshow(left, cmap="PuOr", vmin=-15, vmax=15, extent=extent)
        figure.colorbar(shown, ax=row[2], ticks=(-15, 0, 15), fraction=0.05, pad=0.03)
        for axis in row[:3]:
            axis.set(xticks=[], yticks=[])
            axis.spines[:].set_visible(False)
        row[0].plot([0.6, 2.6], [8.3, 8.3], color="white", lw=2.5)
        row[0].text(1.6, 7.9, "2 Å", color="white", ha="center", va="bottom", fontsize=7)
        row[0].set_ylabel(panel.name)
        row[3].plot(panel.place, 100 * panel.real_line, color=BLUE, lw=1.6, label="multislice")
        row[3].plot(
            panel.place, 100 * panel.fast_line, color=ORANGE, lw=1.2, ls="--", label="fast model, scaled"
        )
        row[3].set_ylim(0, None)
        row[3].set_ylabel("share of beam [%]")
    for axis, title in zip(
        axes[0],
        ("multislice", "fast model, scaled", "difference [% of peak]", "line through the columns"),
        strict=True,
    ):
        axis.set_title(title, fontsize=8)
    handles, labels = axes[0, 3].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower right", ncols=2)
    axes[-1, 3].set_xlabel("distance [Å]")
    return figure


def _thickness(rows: list[Row], decay: dict[str, Row]) -> object:
    """Column intensities, what lies between, and the implied exponent, against thickness."""
    figure, ((columns, between), (alike, implied)) = _figure(2, 2, (7.2, 5.0))
    of = {name: [row for row in rows if row["specimen"] == name] for name in ("SrTiO3", "Si")}
    for name, index, label, color, mark in (
        ("SrTiO3", 0, "Sr", BLUE, "o"),
        ("SrTiO3", 1, "TiO", ORANGE, "s"),
        ("Si", 0, "Si", GREEN, "^"),
    ):
        t = np.array([row["thickness_nm"] for row in of[name]])
        volume = np.array([row["column_A2"][index] * row["repeats"] for row in of[name]])
        columns.plot(t, volume, color=color, marker=mark, ls="", label=label)
        fit = decay[label]
        per_nm = fit["thin_A2"] * of[name][0]["repeats"] / t[0]
        fine = np.linspace(0, t[-1], 200)
        columns.plot(fine, per_nm * brightness(10 * fit["mu_per_A"], fine), color=color, lw=1)
        columns.plot(fine[:55], per_nm * fine[:55], color=color, ls=":", lw=1)
    columns.set(xlabel="thickness [nm]", ylabel="integrated intensity of a column [Å$^2$]")
    columns.set_ylim(0, 1.6 * max(row["column_A2"][0] * row["repeats"] for row in rows))
    columns.plot([], [], color="gray", lw=1, label="exponential decay")
    columns.plot([], [], color="gray", ls=":", lw=1, label="the same without decay")
    columns.legend(loc="upper right", ncols=2)
    for name, color, mark in (("SrTiO3", BLUE, "o"), ("Si", GREEN, "^")):
        t = [row["thickness_nm"] for row in of[name]]
        between.plot(t, [100 * row["valley"] for row in of[name]], color=color, marker=mark, label=name)
        between.plot(t, [100 * row["valley_fast"] for row in of[name]], color=color, ls="--", lw=1)
        alike.plot(t, [row["correlation_image"] for row in of[name]], color=color, marker=mark, label=name)
    between.plot([], [], color="gray", ls="--", lw=1, label="fast model without background")
    between.set(xlabel="thickness [nm]", ylabel="darkest place [% of peak]", ylim=(0, 38))
    between.legend(loc="upper left")
    alike.set(xlabel="thickness [nm]", ylabel="correlation of the images")
    alike.legend()
    pair = of["SrTiO3"]
    t = [row["thickness_nm"] for row in pair]
    implied.errorbar(
        t,
        [row["exponent"] for row in pair],
        [row["exponent_error"] for row in pair],
        color=BLUE,
        marker="o",
        capsize=2,
        lw=1,
        label="multislice, Sr / TiO",
    )
    implied.plot(
        t, [row["exponent_fast"] for row in pair], color=BLUE, ls="--", lw=1, label="fast model, fitted alike"
    )
    implied.set(xlabel="thickness [nm]", ylabel="implied exponent n of Z$^n$")
    implied.legend()
    return figure


def _exponent(atoms: list[Row]) -> object:
    """Cross-sections against Z, and the exponent against the inner angle."""
    figure, ((sections, angles),) = _figure(1, 2, (7.2, 2.9))
    chosen = [row for row in atoms if row["voltage_kV"] == 200 and row["inner_mrad"] in (50, 80, 100)]
    for row, color, mark in zip(chosen, (BLUE, ORANGE, GREEN), "os^", strict=True):
        z = np.array(row["numbers"])
        section = np.array(list(row["cross_section_A2"].values()))
        label = f"{row['inner_mrad']}-{row['outer_mrad']} mrad, n = {row['exponent']:.2f}"
        sections.loglog(z, section, color=color, marker=mark, ls="", label=label)
        center = np.exp(np.log(section).mean()) / np.exp(np.log(z).mean()) ** row["exponent"]
        sections.loglog(z, center * z ** row["exponent"], color=color, lw=1)
    for element, number in zip(chosen[0]["cross_section_A2"], chosen[0]["numbers"], strict=True):
        sections.annotate(
            element,
            (number, chosen[0]["cross_section_A2"][element]),
            (0, 5),
            textcoords="offset points",
            ha="center",
            fontsize=7,
        )
    sections.set(xlabel="atomic number Z", ylabel="cross-section, 200 kV [Å$^2$]")
    sections.set_xticks([6, 10, 20, 40, 80], ["6", "10", "20", "40", "80"], minor=False)
    sections.minorticks_off()
    sections.legend(loc="lower right")
    for voltage, color, mark in ((200, BLUE, "o"), (80, ORANGE, "s")):
        of = [row for row in atoms if row["voltage_kV"] == voltage]
        inner = [row["inner_mrad"] for row in of]
        outer = of[0]["outer_mrad"]
        label = f"{voltage} kV, up to {outer} mrad"
        angles.plot(inner, [row["exponent"] for row in of], color=color, marker=mark, label=label)
        angles.plot(inner, [row["exponent_fast"] for row in of], color=color, ls="--", lw=1)
    angles.plot([], [], color="gray", ls="--", lw=1, label="z_exponent")
    angles.set(xlabel="inner angle [mrad]", ylabel="exponent n of Z$^n$")
    angles.legend()
    return figure


def _tilt(tilts: list[Row]) -> object:
    """Shifts of the columns, and of one against the other, by thickness."""
    figure, ((shifts, offsets),) = _figure(1, 2, (7.2, 2.9))
    angles = sorted({row["tilt_mrad"] for row in tilts})
    for angle, color in zip(angles, (BLUE, ORANGE, GREEN), strict=False):
        of = [row for row in tilts if row["tilt_mrad"] == angle]
        t = np.array([row["thickness_nm"] for row in of])
        for name, mark, style in (("Sr", "o", "-"), ("TiO", "s", "--")):
            values = [100 * row[f"shift_{name}_A"] for row in of]
            shifts.plot(
                t, values, color=color, marker=mark, ls=style, lw=1, label=f"{name}, {angle:.0f} mrad"
            )
        offsets.errorbar(
            t,
            [100 * row["offset_A"] for row in of],
            [100 * row["offset_A_error"] for row in of],
            color=color,
            marker="o",
            lw=1,
            capsize=2,
            label=f"multislice, {angle:.0f} mrad",
        )
        by_depth = [100 * row["offset_by_depth_A"] for row in of]
        offsets.plot(t, by_depth, color=color, ls=":", lw=1.5)
    offsets.plot([], [], color="gray", ls=":", lw=1.5, label="mean depth x tilt")
    shifts.axhline(0, color="gray", lw=0.5)
    offsets.axhline(0, color="gray", lw=0.5)
    shifts.set(xlabel="thickness [nm]", ylabel="shift of a column [pm]")
    offsets.set(xlabel="thickness [nm]", ylabel="shift of TiO against Sr [pm]")
    shifts.legend(ncols=2)
    offsets.legend()
    return figure
