"""The numbers of one method in a contest."""

from __future__ import annotations

import numpy as np
from sklearn.metrics import adjusted_rand_score

from stemnet.analysis.clustering import agreement
from stemnet.analysis.contest_trial import Trial
from stemnet.analysis.disentanglement import information_gap, separated_predictability
from stemnet.analysis.held_out import cluster_means, rebuilt, rms
from stemnet.analysis.latent_agreement import canonical_correlation
from stemnet.analysis.maps import morans_i
from stemnet.analysis.matched_clusters import matched
from stemnet.analysis.neighborhood_kept import continuity, trustworthiness
from stemnet.analysis.recovery import (
    angle_errors,
    linear_probe,
    mutual_information,
    neighbor_probe,
    subspace_angle,
)
from stemnet.descriptors.harmonics import harmonics

Scores = dict[str, object]
NAN = float("nan")


def reconstruction(trial: Trial) -> Scores:
    """How well rows are rebuilt.

    ``error_train``, ``error_held_out``, ``error_other``: root mean square of
    what is left, in the unit of what the method was given, of the rows it was
    fitted on, of those held out, of the other image. ``explained_held_out``,
    ``explained_other``: the share of the variance that is not left, which
    compares across units. Of patches the disk counts, for every method, since
    what can be turned is a disk.
    """
    parts = {"train": trial.rows[trial.train], "held_out": trial.rows[trial.held], "other": trial.other}
    means = cluster_means(_flat(parts["train"]), trial.labels[trial.train], trial.fitted.clusters)
    counts = _counted(trial)
    errors, explained = {}, {}
    for name, rows in parts.items():
        again = (
            means[trial.fitted.label(rows)]
            if trial.fitted.labels
            else _flat(rebuilt(trial.fitted.model, rows))
        )
        flat = _flat(rows)[:, counts]
        errors[name] = rms(flat - again[:, counts])
        explained[name] = float(1 - errors[name] ** 2 / flat.var(axis=0).mean())
    scores: Scores = {f"error_{name}": error for name, error in errors.items()}
    return scores | {f"explained_{name}": explained[name] for name in ("held_out", "other")}


def recovered(trial: Trial) -> Scores:
    """What the latent knows of the planted variables.

    ``r2_linear``, ``r2_neighbors``: probes that are fitted to the first image
    and judged on the other, mean over the variables, and of each;
    ``information_nats``, its mean; ``information_gap`` and
    ``separated_predictability`` (disentanglement) and ``subspace_angle_deg``
    of latents, in the first image; ``angle_error_deg``, root mean square, and
    ``angle_error_median_deg`` on the other image, of methods that find angles.
    """
    first, second = trial.first.variables, trial.second.variables
    linear = {
        name: linear_probe(trial.latent, first[name], trial.other_latent, second[name]) for name in first
    }
    near = {
        name: neighbor_probe(trial.latent, first[name], trial.other_latent, second[name]) for name in first
    }
    scores: Scores = {"r2_linear": _mean(linear.values()), "r2_neighbors": _mean(near.values())}
    scores |= {f"r2_linear_{name}": value for name, value in linear.items()}
    scores |= {f"r2_neighbors_{name}": value for name, value in near.items()}
    planted = np.column_stack(list(first.values())) if first else np.zeros((len(trial.first), 0))
    latents = not trial.fitted.labels and bool(first)
    scores["information_nats"] = (
        _mean(mutual_information(trial.latent, v) for v in first.values()) if latents else NAN
    )
    scores["information_gap"] = information_gap(trial.latent, planted, trial.seed) if latents else NAN
    scores["separated_predictability"] = separated_predictability(trial.latent, planted) if latents else NAN
    flat = _flat(trial.rows)
    scores["subspace_angle_deg"] = subspace_angle(flat, trial.latent, planted) if latents else NAN
    off = np.degrees(np.abs(_angle_errors(trial)))
    scores["angle_error_deg"] = rms(off) if len(off) else NAN
    scores["angle_error_median_deg"] = float(np.median(off)) if len(off) else NAN
    return scores


def found_classes(trial: Trial) -> Scores:
    """How clusters agree with the planted classes.

    ``ari``, ``nmi``, ``accuracy`` of matched clusters in the first image and
    ``ari_other`` in the other, whose rows are only labeled; ``f1_rare`` of the
    rare class in the other; ``confusion`` there, classes by clusters.
    """
    if not trial.first.labels:
        return dict.fromkeys(("ari", "nmi", "accuracy", "ari_other", "f1_rare"), NAN)
    name = next(iter(trial.first.labels))
    truth, other = trial.first.labels[name], trial.second.labels[name]
    ari, nmi = agreement(trial.labels, truth)
    confusion = matched(trial.other_labels, other)
    return {
        "ari": ari,
        "nmi": nmi,
        "accuracy": matched(trial.labels, truth).accuracy,
        "ari_other": agreement(trial.other_labels, other)[0],
        "f1_rare": float(confusion.f1[1]) if trial.first.rare else NAN,
        "confusion": confusion.counts.tolist(),
    }


def steadiness(trial: Trial) -> Scores:
    """How a method depends on its rows, and what its maps look like.

    ``stability``: agreement of two fits, the second on rows drawn again, about
    rows held out: mean canonical correlation of latents, adjusted Rand index of
    labels. ``moran_i``, ``moran_z``: smoothness of the maps, and its distance
    from that of rows in random order. ``trustworthiness``, ``continuity`` of
    latents.
    """
    rows = trial.rows[trial.held]
    moran, z = morans_i(trial.latent, trial.first.yx, trial.seed)
    scores: Scores = {"moran_i": moran, "moran_z": z, "trustworthiness": NAN, "continuity": NAN}
    if trial.fitted.labels:
        return scores | {
            "stability": float(adjusted_rand_score(trial.labels[trial.held], trial.refitted.label(rows)))
        }
    flat = _flat(trial.rows)
    return scores | {
        "stability": canonical_correlation(trial.latent[trial.held], trial.refitted.latent(rows)),
        "trustworthiness": trustworthiness(flat, trial.latent),
        "continuity": continuity(flat, trial.latent),
    }


def _angle_errors(trial: Trial) -> np.ndarray:
    """On the other image [rad], (M,); none where nothing was turned or the method finds no angles."""
    planted, fold = trial.second.angle, trial.second.fold
    if planted is None or not getattr(trial.fitted.model, "invariance", None):
        return np.zeros(0)
    kind = next(iter(trial.second.labels.values()), None)
    return angle_errors(
        trial.fitted.model.pose(trial.other).angle, planted, 1 if fold is None else fold, kind
    )


def _counted(trial: Trial) -> np.ndarray:
    """Which numbers of a flat row count, (D,)."""
    shape, numbers = trial.first.rows.shape[1:], _flat(trial.rows).shape[1]
    if len(shape) == 2 and numbers == np.prod(shape):
        return harmonics(shape[0]).inside
    return np.ones(numbers, bool)


def _flat(rows: np.ndarray) -> np.ndarray:
    return rows.reshape(len(rows), -1)


def _mean(values) -> float:
    known = [value for value in values if np.isfinite(value)]
    return float(np.mean(known)) if known else NAN
