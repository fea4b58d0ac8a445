"""Worlds of one seed, made once, and how they are measured again."""

import functools

import numpy as np
import pytest
from scipy.spatial import cKDTree

from stemnet.simulation.scene import Scene
from stemnet.simulation.worlds import (
    alloys,
    boundaries,
    ferroelectrics,
    oxides,
    particles,
    perovskites,
    sheets,
)

SHAPE = (360, 400)
WORLDS = {
    "remos2": alloys.remos2,
    "pbtio3_domains": ferroelectrics.pbtio3_domains,
    "pbtio3_polar": ferroelectrics.pbtio3_polar,
    "bifeo3_closure": ferroelectrics.bifeo3_closure,
    "srtio3_mistilt": perovskites.srtio3_mistilt,
    "srtio3_tilt_strain": perovskites.srtio3_tilt_strain,
    "srtio3_tilt_strain_abf": perovskites.srtio3_tilt_strain_abf,
    "mvteo_m2": oxides.mvteo_m2,
    "wsse_janus": sheets.wsse_janus,
    "mos2_defects": sheets.mos2_defects,
    "graphene_low_dose": sheets.graphene_low_dose,
    "grain_boundary": boundaries.grain_boundary,
    "dislocations": boundaries.dislocations,
    "si110_dumbbells": boundaries.si110_dumbbells,
    "au_nanoparticle": particles.au_nanoparticle,
    "sparse_on_carbon": particles.sparse_on_carbon,
}
ALL = pytest.mark.parametrize("name", WORLDS)
SEEDS = pytest.mark.parametrize("seed", [101, 202])


@functools.lru_cache(maxsize=64)
def world(name, seed=101, shape=SHAPE, **more):
    return WORLDS[name](np.random.default_rng(seed), shape=shape, **more)


@functools.lru_cache(maxsize=64)
def scene(name, seed=101) -> Scene:
    return world(name, seed).scene(seed)


def around(yx, points, count):
    """The `count` nearest of some points: vectors to them (N, count, 2), and rows."""
    _, rows = cKDTree(points).query(yx, k=count)
    return points[rows] - yx[:, None], rows


def within(specimen, shape, sampling, margin=8.0):
    """Columns well inside the frame."""
    return np.all((specimen.yx > margin) & (specimen.yx < np.array(shape) * sampling - margin), axis=1)


def inner(made, margin=8.0):
    return within(made.specimen, made.shape, made.microscope.sampling, margin)


def affine(here, before):
    """Deformation gradients (N, 2, 2) that carry neighbor vectors before (N, K, 2) to those here, by least squares."""
    cross = np.einsum("nki,nkj->nij", here, before)
    return cross @ np.linalg.inv(np.einsum("nki,nkj->nij", before, before))


# --- Laws that hold for every world ---------------------------------------------------------------------------
