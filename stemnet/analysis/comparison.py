"""The scoreboard: every method in the same numbers, on the same rows."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.cluster import KMeans
from sklearn.linear_model import LinearRegression
from sklearn.metrics import adjusted_rand_score

from stemnet.analysis.clustering import Clustering, agreement, silhouette
from stemnet.analysis.embedding import Embedding
from stemnet.analysis.held_out import halved_clustering, halved_embedding
from stemnet.analysis.maps import morans_i
from stemnet.analysis.matched_clusters import matched
from stemnet.analysis.neighborhood_kept import continuity, trustworthiness
from stemnet.analysis.recovery import mutual_information, neighbor_probe
from stemnet.analysis.resampling import Interval, over_rows
from stemnet.analysis.verdict import verdict

ROWS = 2000  # rows that refits and maps are computed from, taken at random
DRAWS = 100  # of the bootstrap of an agreement with true labels
FOLDS = 2  # of the nearest-neighbor probe
NAN = float("nan")

Row = dict[str, Any]


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
        ``trustworthiness`` and ``continuity`` of a latent; ``moran_i`` and
        ``moran_z`` of the maps; ``ari_<method>``: agreement with every other
        method. With labels as truth ``truth_ari_<name>``, its bootstrap
        interval ``truth_ari_low_<name>`` to ``truth_ari_high_<name>``,
        ``truth_nmi_<name>`` and ``truth_accuracy_<name>`` of matched clusters;
        with numbers ``truth_r2_<name>`` (linear probe, on the rows it was
        fitted to), ``truth_knn_<name>`` (nearest-neighbor probe, on rows held
        out), ``truth_corr_<name>`` (best single latent, absolute) and, of
        latents, ``truth_nats_<name>`` (mutual information).
    """
    # The latents are cut into as many clusters as the clearest clustering has.
    k = max(clusterings, key=lambda c: c.silhouette).n_clusters if clusterings else 3
    labels = {e.method: _latent_labels(e, k, random_state) for e in embeddings}
    labels |= {c.method: c.labels for c in clusterings}
    table = [_embedding_row(e, labels[e.method], random_state) for e in embeddings]
    table += [_clustering_row(c, random_state) for c in clusterings]
    features = {e.method: e.latent for e in embeddings}
    features |= {c.method: _indicator(c.labels) for c in clusterings}
    latents = {e.method for e in embeddings}
    for row in table:
        method = str(row["method"])
        for other in labels:
            row[f"ari_{other}"] = NAN if other == method else rand_index(labels[method], labels[other])
        for name, values in (truth or {}).items():
            row |= _against_truth(
                name, np.asarray(values), labels[method], features[method], method in latents, random_state
            )
    return table


def write_comparison(path: str | Path, rows: Sequence[Row]) -> None:
    """Write the scoreboard as a CSV file; numbers that do not apply are ``nan``."""
    names = list(dict.fromkeys(name for row in rows for name in row)) or ["method"]
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, names, restval=NAN)
        writer.writeheader()
        for row in rows:
            writer.writerow({n: f"{v:.6g}" if isinstance(v, float) else v for n, v in row.items()})


def truth_verdict(rows: Sequence[Row], name: str, what: str) -> str:
    """Who finds the planted labels `name`, `what` in words: one line by the rule of `stemnet.analysis.verdict`.

    Intervals are those of bootstraps over the rows of this one image.
    """
    kinds = [f"truth_{kind}_{name}" for kind in ("ari", "ari_low", "ari_high")]
    found = {str(row["method"]): Interval(*(_known(row.get(kind)) for kind in kinds)) for row in rows}
    return verdict(found, what, "ARI")


def _known(value: object) -> float:
    return float(value) if isinstance(value, float) else NAN


def _embedding_row(embedding: Embedding, labels: np.ndarray, random_state: int) -> Row:
    table = embedding.descriptors
    rows, yx, take = _sample(table, random_state)
    held_out = stability = NAN
    if len(rows) // 2 > embedding.latent.shape[1]:
        held_out, stability = halved_embedding(embedding.model, rows)
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
        "trustworthiness": trustworthiness(rows, latent),
        "continuity": continuity(rows, latent),
        "moran_i": moran,
        "moran_z": z,
    }


def _clustering_row(clustering: Clustering, random_state: int) -> Row:
    table = clustering.descriptors
    rows, yx, take = _sample(table, random_state)
    labels, k = clustering.labels[take], clustering.n_clusters
    held_out = stability = NAN
    if len(rows) // 2 > k:
        held_out, agreements = halved_clustering(clustering.model, rows, labels, k, random_state)
        stability = float(agreements.mean())
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
        "trustworthiness": NAN,
        "continuity": NAN,
        "moran_i": moran,
        "moran_z": z,
    }


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


def rand_index(a: np.ndarray, b: np.ndarray) -> float:
    """Adjusted Rand index of two sets of labels (N,), over rows that both know; NaN where these are too few.

    L. Hubert and P. Arabie, J. Classif. 2, 193 (1985): 1 for the same groups
    under any names, 0 for chance.
    """
    both = (a >= 0) & (b >= 0)
    return float(adjusted_rand_score(a[both], b[both])) if both.sum() > 1 else NAN


def _against_truth(name, truth, labels, features, is_latent, random_state):
    if truth.dtype.kind in "iub":
        return _against_labels(name, truth.astype(int), labels, random_state)
    both = np.isfinite(truth) & np.isfinite(features).all(axis=1)
    x, y = features[both], truth[both]
    if len(y) <= x.shape[1] + 1 or np.ptp(y) == 0:
        return {f"truth_{kind}_{name}": NAN for kind in ("r2", "knn", "corr", "nats")}
    varying = x[:, x.std(axis=0) > 0]
    correlations = [abs(np.corrcoef(column, y)[0, 1]) for column in varying.T]
    fold = np.random.default_rng(random_state).permutation(len(y)) % FOLDS
    probes = [neighbor_probe(x[fold != f], y[fold != f], x[fold == f], y[fold == f]) for f in range(FOLDS)]
    return {
        f"truth_r2_{name}": float(LinearRegression().fit(x, y).score(x, y)),
        f"truth_knn_{name}": float(np.mean(probes)),
        f"truth_corr_{name}": float(max(correlations, default=0.0)),
        f"truth_nats_{name}": mutual_information(x[:ROWS], y[:ROWS]) if is_latent else NAN,
    }


def _against_labels(name, truth, labels, random_state):
    both = (labels >= 0) & (truth >= 0)
    x, y = labels[both], truth[both]
    if len(y) < 2:
        return {f"truth_{kind}_{name}": NAN for kind in ("ari", "ari_low", "ari_high", "nmi", "accuracy")}
    ari = over_rows(lambda rows: adjusted_rand_score(y[rows], x[rows]), len(y), random_state, DRAWS)
    return {
        f"truth_ari_{name}": ari.value,
        f"truth_ari_low_{name}": ari.low,
        f"truth_ari_high_{name}": ari.high,
        f"truth_nmi_{name}": agreement(x, y)[1],
        f"truth_accuracy_{name}": matched(x, y).accuracy,
    }


def _unit(table):
    return table.names[0].rsplit("_", 1)[-1]
