"""The table and the pictures of local crystallography."""

from __future__ import annotations

import numpy as np

from stemnet.studies.findings import Picture, Table
from stemnet.studies.local_crystallography_image import LocalImage

VECTORS, ANGLES = "k-means (vectors)", "k-means (angles)"


def table_of(image: LocalImage) -> Table:
    """One row a column, in the order of the columns."""
    scale, unit = image.length
    yx, moved = image.columns.yx, scale * image.shifts.vectors
    values = {
        "y_px": yx[:, 0],
        "x_px": yx[:, 1],
        "sublattice": np.asarray(image.columns["sublattice"]),
        "kind": image.kinds,
        "cluster_vectors": image.all.vectors.labels,
        "cluster_angles": image.all.angles.labels,
    }
    space = image.vectors.names[0].rsplit("_", 1)[-1]
    values |= {f"component_{i + 1}_{space}": part for i, part in enumerate(image.all.components.latent.T)}
    for i, axis in enumerate("yx"):
        values[f"shift_{axis}_{unit}"] = moved[:, i]
        values[f"shift_sigma_{axis}_{unit}"] = scale * image.shifts.errors[:, i]
    values["domain"] = image.domain
    if image.shear is not None:
        values |= {"shear_rad": image.shear.angle, "shear_sigma_rad": image.shear.errors}
    return Table(f"{image.measured.name}_environments", values)


def pictures_of(image: LocalImage) -> list[Picture]:
    """Pictures of one image."""
    made = [_side_by_side(image), _components(image)]
    if image.polar.any() or image.shear is not None:
        made = [_shifts(image), *made]
    return made if image.domains is None else [*made, _domains(image)]


def _shifts(image: LocalImage) -> Picture:
    name = image.measured.name

    def draw():
        from stemnet.report.local_crystallography import shifts_figure

        scale, unit = image.length
        polar = image.polar
        return shifts_figure(
            image.measured.micrograph.frames[0],
            image.columns.yx[polar],
            scale * image.shifts.vectors[polar],
            image.domain[polar],
            None if image.shear is None else (image.columns.yx, np.degrees(image.shear.angle)),
            unit=unit,
            sampling=image.columns.sampling,
            title=name,
        )

    return Picture(
        f"{name}_shifts",
        f"{name}: shifts of the columns that are off the middle of their neighbors most, the domains they fall "
        "into, the shear angle around every column, and its means along the direction in which it changes most.",
        draw,
    )


def _side_by_side(image: LocalImage) -> Picture:
    name = image.measured.name

    def draw():
        from stemnet.report.side_by_side import side_by_side_figure

        mine = image.vectors.valid | (image.kinds >= 0)
        return side_by_side_figure(
            image.measured.micrograph.frames[0],
            image.columns.yx[mine],
            {"PCA": image.all.components.latent[mine]},
            {
                f"{way}, silhouette {found.silhouette:.2f}": found.labels[mine]
                for way, found in ((VECTORS, image.all.vectors), (ANGLES, image.all.angles))
            },
            sampling=image.columns.sampling,
            title=name,
            components=3,
            unit=_unit(image),
        )

    return Picture(
        f"{name}_environments",
        f"{name}: environments of all columns by k-means on neighbor vectors, on angles, and principal components.",
        draw,
    )


def _components(image: LocalImage) -> Picture:
    name = image.measured.name

    def draw():
        from stemnet.report.components import pca_figure

        found, mine = image.all.components, image.vectors.valid | (image.kinds >= 0)
        return pca_figure(
            image.measured.micrograph.frames[0],
            image.columns.yx[mine],
            found.latent[mine],
            found.model.components_,
            found.model.mean_,
            found.explained_variance_ratio,
            sampling=image.columns.sampling,
            unit=_unit(image),
            title=name,
        )

    return Picture(
        f"{name}_components",
        f"{name}: principal components of the neighbor vectors, what they move, and where.",
        draw,
    )


def _domains(image: LocalImage) -> Picture:
    name = image.measured.name

    def draw():
        from stemnet.report.clusters import clusters_figure

        polar = image.polar
        return clusters_figure(
            image.columns.yx[polar],
            image.vectors.values[polar],
            {
                VECTORS: image.domains.vectors.labels[polar],
                ANGLES: image.domains.angles.labels[polar],
            },
            image.columns.shape,
            sampling=image.columns.sampling,
            unit=_unit(image),
            title=f"{name}: domains of the columns that are shifted most",
        )

    return Picture(
        f"{name}_domains",
        f"{name}: domains of the columns that are shifted most, and the mean neighborhood of each against that of all.",
        draw,
    )


def _unit(image: LocalImage) -> str:
    return "px" if image.columns.sampling is None else "Å"
