"""Species, their levels, composition and its trust, drawn."""

from __future__ import annotations

import numpy as np

from stemnet.studies.findings import Picture
from stemnet.studies.janus_composition import Composition, atoms_of, profile
from stemnet.studies.janus_kinds import Kinds
from stemnet.studies.janus_score import MISSING, reliability, right


def pictures_of(kinds: Kinds) -> list[Picture]:
    """All pictures of one input."""
    name, true = kinds.measured.name, kinds.true
    pictures = [
        Picture(
            f"{name}_species",
            f"{name}: species of the columns, how probable they are, and composition; crosses: columns missing.",
            lambda: _maps(kinds),
        ),
        Picture(
            f"{name}_levels",
            f"{name}: intensities, smooth gain divided out, with the fitted levels.",
            lambda: _levels(kinds),
        ),
    ]
    if (shares := kinds.shares) is not None:
        caption = f"{name}: composition along its gradient."
        pictures.append(Picture(f"{name}_profile", caption, lambda: _profile(kinds, shares)))
    if true is not None and np.isfinite(right(kinds.assigned, true)).any():
        caption = f"{name}: probabilities of the species against the share that is right."
        pictures.append(Picture(f"{name}_reliability", caption, lambda: _trust(kinds, true)))
    return pictures


def _maps(kinds: Kinds):
    from stemnet.report.species import species_figure

    assigned, shares, sites = kinds.assigned, kinds.shares, kinds.sites
    number = {one: i for i, one in enumerate(assigned.names)}
    return species_figure(
        kinds.measured.micrograph.frames[0],
        kinds.found.columns.yx,
        np.array([number.get(one, -1) for one in assigned.species]),
        assigned.names,
        assigned.probability,
        local=None if shares is None else shares.local,
        local_label="" if shares is None else f"local share of {shares.element}",
        missing=None if sites is None else sites.yx[sites.probability >= MISSING],
        sampling=kinds.measured.columns.sampling,
        title=kinds.measured.name,
    )


def _levels(kinds: Kinds):
    from stemnet.report.species_levels import levels_figure

    columns, assigned, gain = kinds.found.columns, kinds.assigned, kinds.classes.gain
    sigma = np.asarray(columns.fields.get("intensity_sigma", np.zeros(len(columns))), dtype=float)
    intensity = np.asarray(columns["intensity"], dtype=float)
    return levels_figure(
        intensity / gain,
        np.nan_to_num(sigma / gain),
        assigned.sublattice,
        assigned.levels,
        assigned.names,
        title=kinds.measured.name,
    )


def _profile(kinds: Kinds, shares: Composition):
    from stemnet.report.species_profile import profile_figure

    yx, true, counted = kinds.found.columns.yx, kinds.true, None
    if true is not None:
        planted = np.array([atoms_of(one, shares.element) for one in true]) / shares.sites
        known = (true != "") & np.isfinite(shares.expected)
        counted = profile(yx, np.where(known, planted, np.nan), shares.direction)
    return profile_figure(
        profile(yx, shares.expected, shares.direction),
        counted,
        f"share of {shares.element}",
        sampling=kinds.measured.columns.sampling,
        title=kinds.measured.name,
    )


def _trust(kinds: Kinds, true: np.ndarray):
    from stemnet.report.species_reliability import reliability_figure

    said, seen, count = reliability(kinds.assigned.probability, right(kinds.assigned, true))
    return reliability_figure(said, seen, count, title=kinds.measured.name)
