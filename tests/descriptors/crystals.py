"""A small maker of imperfect two-dimensional crystals with known truth, for the tests of descriptors."""

import numpy as np

# primitive vectors a, b as rows (y, x) and, per sublattice, (fraction of a, fraction of b, intensity)
SQ3 = np.sqrt(3)
CRYSTALS = {
    "square": ([[0, 1], [1, 0]], [(0, 0, 1)], 4),
    "rectangular": ([[0, 1], [1.5, 0]], [(0, 0, 1)], 4),
    "triangular": ([[0, 1], [SQ3 / 2, 0.5]], [(0, 0, 1)], 6),
    "oblique": ([[0, 1], [1.25, 0.3]], [(0, 0, 1)], 4),
    "perovskite001": ([[0, 1], [1, 0]], [(0, 0, 1), (0.5, 0.5, 0.45)], 4),
    "perovskite110": ([[0, SQ3 * 0.8165], [1, 0]], [(0, 0, 1), (0.5, 0.5, 0.6), (0.5, 0, 0.1)], 4),
    "honeycomb": ([[0, 1], [SQ3 / 2, 0.5]], [(0, 0, 1), (1 / 3, 1 / 3, 1)], 6),
    "mos2": ([[0, 1], [SQ3 / 2, 0.5]], [(0, 0, 1), (1 / 3, 1 / 3, 0.38)], 6),
    "si110": ([[0, 0.7071], [0.5, 0.35355]], [(0, 0, 1), (0.5, -0.25, 1)], 6),
}


def make_crystal(
    name, *, cells=16, spacing=12.0, angle=0.3, noise=0.0, vacancies=0.0, false=0.0, strain=0.0, seed=0
):
    """Return yx (N, 2) [px], intensity and label (N,) (-1: false column), vectors (2, 2) [px], size [px].

    `spacing` is the nearest-neighbor distance [px], `noise` a fraction of it,
    `strain` the largest slope of a smooth displacement field.
    """
    rng = np.random.default_rng(seed)
    vectors, sites, _ = CRYSTALS[name]
    vectors = np.array(vectors, float)
    m = np.stack(np.meshgrid(*[np.arange(-3 * cells, 3 * cells)] * 2, indexing="ij"), -1).reshape(-1, 2)
    patch = m[(np.abs(m) <= 2).all(1)]
    cloud = np.concatenate([(patch + s[:2]) @ vectors for s in sites])
    gap = np.linalg.norm(cloud[:, None] - cloud, axis=-1)
    vectors = vectors * spacing / gap[gap > 1e-6].min()
    c, s = np.cos(angle), np.sin(angle)
    vectors = vectors @ np.array([[c, -s], [s, c]])
    size = cells * np.sqrt(np.abs(np.linalg.det(vectors)))
    origin = size / 2 + rng.uniform(-1, 1, 2) @ vectors
    yx = np.concatenate([(m + site[:2]) @ vectors + origin for site in sites])
    label = np.repeat(np.arange(len(sites)), len(m))
    intensity = np.array([site[2] for site in sites], float)[label]
    w = 2 * np.pi / size
    wave = np.stack([np.sin(w * yx[:, 1] + 0.4), np.cos(0.7 * w * yx[:, 0] + 1.0)], axis=1)
    yx = yx + strain / w * wave + rng.normal(0, noise * spacing, yx.shape)
    keep = ((yx >= 0) & (yx <= size - 1)).all(1) & (rng.uniform(size=len(yx)) >= vacancies)
    yx, label, intensity = yx[keep], label[keep], intensity[keep] * rng.lognormal(0, 0.1, keep.sum())
    extra = rng.uniform(0, size, (round(false * len(yx)), 2))
    yx = np.concatenate([yx, extra])
    label = np.concatenate([label, np.full(len(extra), -1)])
    intensity = np.concatenate([intensity, rng.uniform(0.1, 1, len(extra))])
    return yx, intensity, label, vectors, size


def spans_same(found, true, tolerance=0.05):
    """Whether two bases (rows) span the same lattice: an integer, unimodular matrix joins them."""
    change = found @ np.linalg.inv(true)
    return bool(
        np.abs(change - np.round(change)).max() < tolerance
        and abs(abs(np.linalg.det(np.round(change))) - 1) < 0.1
    )
