"""The pictures of a result folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from stemnet.analysis import Embedding, SideBySide, VariationalAutoencoder
from stemnet.analysis.described import holds_vectors
from stemnet.detection.segmenter import Detection
from stemnet.doors.selecting import Selection
from stemnet.micrograph import Micrograph
from stemnet.report.style import save


def draw(
    folder: Path,
    micrograph: Micrograph,
    found: Detection,
    analysis: SideBySide,
    selection: Selection | None = None,
) -> list[tuple[str, str]]:
    """Write every picture that the results allow, of the first frame where there are several.

    Returns
    -------
    list of tuple of str
        File name and caption of each.
    """
    from stemnet.report.clusters import clusters_figure
    from stemnet.report.components import pca_figure
    from stemnet.report.detection import columns_figure
    from stemnet.report.latent import vae_figure
    from stemnet.report.side_by_side import side_by_side_figure

    image, name, sampling = micrograph.frames[0], micrograph.name, micrograph.sampling
    first = analysis.columns["frame"] == 0
    columns = analysis.columns.select(first)
    written = []

    def keep(figure: Any, file: str, caption: str) -> None:
        save(figure, folder / file)
        written.append((file, caption))

    keep(
        columns_figure(image, columns, found.probability[0].astype(np.float32), title=name),
        "columns.png",
        "Columns on the image, coloured by sublattice, and the network's probability.",
    )
    vectors = analysis.vectors.values[first]
    unit = "px" if sampling is None else "Å"
    labels = {c.method: c.labels[first] for c in analysis.clusterings}
    latents = {e.method: e.latent[first] for e in analysis.embeddings}
    if labels or latents:
        keep(
            side_by_side_figure(image, columns.yx, latents, labels, sampling=sampling, title=name),
            "side_by_side.png",
            "The same columns by every method: clusters of what describes them and of angles, and latents.",
        )
    mean = analysis.vectors.complete.mean(0) if analysis.vectors.valid.any() else None
    # components and decoded rows are drawn as arrows, which other numbers than vectors are not
    for embedding in analysis.embeddings:
        if embedding.descriptors.row != "patch" and not holds_vectors(embedding.descriptors):
            continue
        if embedding.method == "pca" and embedding.explained_variance_ratio is not None:
            keep(
                pca_figure(
                    image,
                    columns.yx,
                    embedding.latent[first],
                    embedding.model.components_,
                    embedding.model.mean_,
                    embedding.explained_variance_ratio,
                    sampling=sampling,
                    unit=unit,
                    title=name,
                ),
                "pca.png",
                "Principal components as displacements of the mean neighborhood, and their scores.",
            )
        elif embedding.descriptors.row == "patch":
            keep(
                _manifold(embedding, sampling, name),
                f"{embedding.method}.png",
                f"Patches that {embedding.method} decodes over its latent, and where the columns lie in it.",
            )
        elif isinstance(embedding.model, VariationalAutoencoder) and mean is not None:
            model = embedding.model
            # turned rows have no mean; what is decoded at the middle of the latent has the decoded orientation
            middle = np.nanmedian(embedding.latent, axis=0, keepdims=True)
            method = next(iter(labels), "")
            keep(
                vae_figure(
                    columns.yx,
                    embedding.latent[first],
                    labels.get(method, np.zeros(len(columns), dtype=int)),
                    model.inverse_transform,
                    mean if model.invariance is None else model.inverse_transform(middle)[0],
                    columns.shape,
                    sampling=sampling,
                    unit=unit,
                    label_name=method,
                    title=name,
                ),
                f"{embedding.method}.png",
                f"Latent space of {embedding.method}, its maps, and the neighborhoods it decodes.",
            )
    if labels:
        keep(
            clusters_figure(
                columns.yx, vectors, labels, columns.shape, sampling=sampling, unit=unit, title=name
            ),
            "clusters.png",
            "Clusters and their mean neighborhoods.",
        )
    if selection:
        from stemnet.report.model_selection import model_selection_figure

        keep(
            model_selection_figure(selection.components, selection.clusters, title=name),
            "model_selection.png",
            f"How many components and clusters the neighbor vectors have. {selection.sentence}",
        )
    return written


def _manifold(embedding: Embedding, sampling: float | None, title: str) -> Any:
    from stemnet.report.manifold import manifold_figure

    model, valid = embedding.model, embedding.descriptors.valid
    side = round(embedding.descriptors.values.shape[1] ** 0.5)
    return manifold_figure(
        embedding.latent[valid],
        lambda latent: np.asarray(model.inverse_transform(latent)).reshape(-1, side, side),
        sampling=sampling,
        title=title,
    )
