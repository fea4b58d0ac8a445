"""What every planted name stands for: its unit, and its meaning in one line."""

from __future__ import annotations

MEANINGS: dict[str, tuple[str, str]] = {
    "adatom": ("", "1 for single atoms on top of the crystal"),
    "beam_tilt_x_rad": ("rad", "angle of the columns to the beam, towards x"),
    "beam_tilt_y_rad": ("rad", "angle of the columns to the beam, towards y"),
    "boundary_distance_A": ("A", "distance from the grain boundary"),
    "chain_amplitude_A": (
        "A",
        "A of the chains: metals move by +A and -A across them, row by row, and by A / 4 along",
    ),
    "chain_direction": ("", "0, 1 or 2: along which of the lattice's close-packed rows the chains run"),
    "chain_x_A": ("A", "shift of this metal into its chain, along x"),
    "chain_y_A": ("A", "shift of this metal into its chain, along y"),
    "chalcogen": ("", "number of chalcogen atoms in the column"),
    "composition": (
        "",
        "local share of Re among the metals, Gaussian window of 3.5 A; share of Pb on the A sites",
    ),
    "core_distance_A": (
        "A",
        "distance from the nearest dislocation core, before the dislocations moved matter",
    ),
    "defect": ("", "what is wrong with the column; empty where nothing is"),
    "domain": ("", "label of the polar domain, of a vortex by its sense; -1 where nothing is polar"),
    "drift_x_A": ("A", "where the specimen has drifted in the middle of the frame, along x"),
    "drift_y_A": ("A", "where the specimen has drifted in the middle of the frame, along y"),
    "edge_distance_A": ("A", "depth below the edge of the flake, negative in the vacuum"),
    "grain": ("", "0 left, 1 right of the boundary"),
    "heavy_share": ("", "of the mixed sites in the column, the share that their heavier element took"),
    "hops": ("", "hops since the frame before"),
    "hops_per_frame": ("", "hops that the atom tries between two frames, on average"),
    "inside": ("", "1 in the flake, 0 in the vacuum"),
    "lead_share": ("", "share of Pb among the A atoms of the column"),
    "local_composition": ("", "share of Re among the six nearest metals"),
    "mistilt_x_A": ("A", "apparent shift by the tilt of the beam, along x; no atom is displaced"),
    "mistilt_y_A": ("A", "apparent shift by the tilt of the beam, along y; no atom is displaced"),
    **{
        f"mode_{k}": (
            "A",
            f"shifts of the six neighbors against the metal, projected on row {k} of "
            "`distortions.chains.neighbor_modes`",
        )
        for k in range(1, 7)
    },
    "moved": ("", "1 where the column has moved or hopped since the frame before"),
    "occupancy": ("", "share of the column's atoms that is there"),
    "orientation_rad": ("rad", "turn of the grain's cell, from y towards x"),
    "phase": ("", "0: 1H, sulfur in pairs; 1: 1T', one sulfur over each hollow"),
    "polar_x_A": ("A", "center (Ti, Fe; Te in M2) off the middle of its cage (Pb, Bi; ring), along x"),
    "polar_y_A": ("A", "center (Ti, Fe; Te in M2) off the middle of its cage (Pb, Bi; ring), along y"),
    "repeats": ("", "atoms of the column along the beam, in repeats; `thickness` is what counts of them"),
    "rotation_rad": ("rad", "angle of R in the deformation gradient F = V R, from y towards x"),
    "selenium": ("", "number of Se atoms in the column"),
    "shear": ("", "du_y/dx that the shear adds"),
    "spread_xx_A2": ("A^2", "variance of the column's atoms along x, in projection"),
    "spread_yx_A2": ("A^2", "covariance of the column's atoms along y and x, in projection"),
    "spread_yy_A2": ("A^2", "variance of the column's atoms along y, in projection"),
    "strain_xx": ("", "xx of V - 1, with V of F = V R: extension along the image's x"),
    "strain_yx": ("", "yx of V - 1: half of what two lines along y and x lack of a right angle"),
    "strain_yy": ("", "yy of V - 1: extension along the image's y"),
    "substituted": ("", "1 where Re took a metal site"),
    "track": ("", "number of the column, the same in all frames"),
    "tetragonality": ("", "length of the cell vector along y over the one along x"),
    "thickness": ("repeats", "thickness of the specimen"),
    "tilt_amplitude_rad": (
        "rad",
        "angle by which octahedra turn about the beam, without the alternating sign",
    ),
    "tilt_rad": ("rad", "turn of the octahedron of the column's cell about the beam, from +x towards +y"),
    "top_selenium_share": ("", "chance that the upper chalcogen is Se (times 0.97)"),
    "unlike_neighbors": ("", "how many of the six nearest metals are of the other kind; -1 on sulfur"),
    "warren_cowley": ("", "short-range order of the first shell, 1 - P(unlike) / (2 c (1 - c))"),
}
"""(unit, meaning) by name; "" where there is no unit."""
