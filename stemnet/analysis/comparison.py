"""The scoreboard: every method in the same numbers, on the same rows."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from sklearn.base import clone
from sklearn.cluster import KMeans
from sklearn.linear_model import LinearRegression
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score

from stemnet.analysis.clustering import Clustering, silhouette
from stemnet.analysis.embedding import Embedding, reconstruction_error
from stemnet.analysis.maps import morans_i

ROWS = 2000  # rows that refits and maps are computed from, taken at random
RESAMPLINGS = 10  # half-samples behind the stability of a clustering; an embedding is refitted on two halves
NAN = float("nan")

Row = dict[str, object]


def compare(
    embeddings: Sequence[Embedding],
    clusterings: Sequence[Clustering],
    truth: Mapping[str, np.ndarray] | None = None,
    random_state: int = 0,
) -> list[Row]:
    """Score embeddings and clusterings of the same columns side by side.

    Parameters
    ----------
    embeddings : sequence of Embedding
    clusterings : sequence of Clustering
        All over the same columns, so row i is column i in each.
    truth : mapping of str to ndarray, shape (N,), optional
        Planted values: integers are labels (-1 unknown), floats are continuous
        (NaN unknown).
    random_state : int

    Returns
    -------
    list of dict
        One row per method, NaN where a number does not apply. ``method``;
        ``rows`` used; ``latent_size`` or ``n_clusters``; ``unit`` of the
        errors; ``error_train`` and ``error_held_out``: root mean square per
        number of row minus reconstruction (of a cluster: its center), held-out
        rows by two-fold refits; ``explained_variance``; ``silhouette`` (of an
        embedding: of k-means on its latent); ``stability``: mean adjusted Rand
        index between a clustering and its refits on half-samples, or mean
        canonical correlation between the latents of two half-sample fits;
        ``moran_i`` and ``moran_z`` of the maps; ``ari_<method>``: agreement
        with every other method; with truth ``truth_ari_<name>`` and
        ``truth_nmi_<name>``, or ``truth_r2_<name>`` (linear probe) and
        ``truth_corr_<name>`` (best single latent, absolute).
    """
    # The latents are cut into as many clusters as the clearest clustering has.
    k = max(clusterings, key=lambda c: c.silhouette).n_clusters if clusterings else 3
    labels = {e.method: _latent_labels(e, k, random_state) for e in embeddings}
    labels |= {c.method: c.labels for c in clusterings}
    table = [_embedding_row(e, labels[e.method], random_state) for e in embeddings]
    table += [_clustering_row(c, random_state) for c in clusterings]
    features = {e.method: e.latent for e in embeddings}
    features |= {c.method: _indicator(c.labels) for c in clusterings}
    for row in table:
        method = str(row["method"])
        for other in labels:
            row[f"ari_{other}"] = NAN if other == method else _agreement(labels[method], labels[other])
        for name, values in (truth or {}).items():
            row |= _against_truth(name, np.asarray(values), labels[method], features[method])
    return table


def write_comparison(path: str | Path, rows: Sequence[Row]) -> None:
    """Write the scoreboard as a CSV file; numbers that do not apply are ``nan``."""
    names = list(dict.fromkeys(name for row in rows for name in row)) or ["method"]
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, names, restval=NAN)
        writer.writeheader()
        for row in rows:
            writer.writerow({n: f"{v:.6g}" if isinstance(v, float) else v for n, v in row.items()})


def _embedding_row(embedding: Embedding, labels: np.ndarray, random_state: int) -> Row:
    table = embedding.descriptors
    rows, yx, take = _sample(table, random_state)
    held_out = stability = NAN
    half = len(rows) // 2
    if half > embedding.latent.shape[1]:
        first, second = (clone(embedding.model).fit(part) for part in (rows[:half], rows[half:]))
        errors = reconstruction_error(first, rows[half:]), reconstruction_error(second, rows[:half])
        held_out = float(np.sqrt(np.mean(np.square(errors))))
        stability = canonical_correlation(first.transform(rows), second.transform(rows))
    latent = embedding.latent[take]
    moran, z = morans_i(latent, yx, random_state)
    ratio = embedding.explained_variance_ratio
    return {
        "method": embedding.method,
        "rows": int(table.valid.sum()),
        "latent_size": embedding.latent.shape[1],
        "n_clusters": int(labels.max()) + 1,
        "unit": _unit(table),
        "error_train": embedding.reconstruction_error,
        "error_held_out": held_out,
        "explained_variance": NAN if ratio is None else float(ratio.sum()),
        "silhouette": silhouette(embedding.latent[table.valid], labels[table.valid]),
        "stability": stability,
        "moran_i": moran,
        "moran_z": z,
    }


def _clustering_row(clustering: Clustering, random_state: int) -> Row:
    table = clustering.descriptors
    rows, yx, take = _sample(table, random_state)
    labels, k, half = clustering.labels[take], clustering.n_clusters, len(rows) // 2
    held_out = stability = NAN
    if half > k:
        errors, agreements = [], []
        rng = np.random.default_rng(random_state)
        for _ in range(RESAMPLINGS):
            order = rng.permutation(len(rows))
            model = clone(clustering.model).fit(rows[order[:half]])
            found = model.predict(rows)
            agreements.append(adjusted_rand_score(labels, found))
            fitted = [rows[order[:half]][found[order[:half]] == c] for c in range(k)]
            centers = np.array([part.mean(axis=0) if len(part) else rows.mean(axis=0) for part in fitted])
            rest = order[half:]
            errors.append(np.mean((rows[rest] - centers[found[rest]]) ** 2))
        held_out, stability = float(np.sqrt(np.mean(errors))), float(np.mean(agreements))
    complete, own = table.complete, clustering.labels[table.valid]
    moran, z = morans_i(_indicator(labels), yx, random_state)
    return {
        "method": clustering.method,
        "rows": int(table.valid.sum()),
        "latent_size": NAN,
        "n_clusters": k,
        "unit": _unit(table),
        "error_train": float(np.sqrt(np.mean((complete - clustering.centers[own]) ** 2))),
        "error_held_out": held_out,
        "explained_variance": NAN,
        "silhouette": clustering.silhouette,
        "stability": stability,
        "moran_i": moran,
        "moran_z": z,
    }


def canonical_correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Mean canonical correlation of two latents (n, d) of the same rows: 1 if a linear map joins them."""
    bases = []
    for latent in (a, b):
        u, s, _ = np.linalg.svd(latent - latent.mean(axis=0), full_matrices=False)
        bases.append(u[:, s > 1e-9 * max(s.max(), 1e-300)])
    correlations = np.linalg.svd(bases[0].T @ bases[1], compute_uv=False)
    # a collapsed direction in either latent correlates with nothing
    return float(correlations.sum() / a.shape[1])


def _sample(table, random_state):
    """At most ROWS complete rows in random order, where they lie, and their row numbers."""
    rng = np.random.default_rng(random_state)
    take = rng.permutation(np.nonzero(table.valid)[0])[:ROWS]
    return table.values[take], table.yx[take], take


def _latent_labels(embedding, k, random_state):
    valid = embedding.descriptors.valid
    labels = np.full(len(valid), -1)
    latent = embedding.latent[valid]
    if len(latent) > k:
        labels[valid] = KMeans(k, n_init=5, random_state=random_state).fit_predict(latent)
    return labels


def _indicator(labels):
    """One map per label, shape (N, k); NaN in rows without a label."""
    maps = (labels[:, None] == np.arange(max(labels.max(initial=0), 0) + 1)).astype(float)
    return np.where((labels >= 0)[:, None], maps, np.nan)


def _agreement(a, b):
    both = (a >= 0) & (b >= 0)
    return float(adjusted_rand_score(a[both], b[both])) if both.sum() > 1 else NAN


def _against_truth(name, truth, labels, features):
    if truth.dtype.kind in "iub":
        both = (labels >= 0) & (truth.astype(int) >= 0)
        if both.sum() < 2:
            return {f"truth_ari_{name}": NAN, f"truth_nmi_{name}": NAN}
        return {
            f"truth_ari_{name}": float(adjusted_rand_score(truth[both], labels[both])),
            f"truth_nmi_{name}": float(normalized_mutual_info_score(truth[both], labels[both])),
        }
    both = np.isfinite(truth) & np.isfinite(features).all(axis=1)
    x, y = features[both], truth[both]
    if len(y) <= x.shape[1] + 1 or np.ptp(y) == 0:
        return {f"truth_r2_{name}": NAN, f"truth_corr_{name}": NAN}
    varying = x[:, x.std(axis=0) > 0]
    correlations = [abs(np.corrcoef(column, y)[0, 1]) for column in varying.T]
    return {
        f"truth_r2_{name}": float(LinearRegression().fit(x, y).score(x, y)),
        f"truth_corr_{name}": float(max(correlations, default=0.0)),
    }


def _unit(table):
    return table.names[0].rsplit("_", 1)[-1]
