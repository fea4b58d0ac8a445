"""Worlds: whole simulated measurements, drawn from a seed, in which everything that was planted is known.

Each is a function ``name(rng, *, shape, sampling, ...)`` that returns a `World`.
The families are `alloys`, `ferroelectrics`, `perovskites`, `oxides`, `sheets`,
`boundaries` and `particles`; `meanings` says what every planted name stands for.
"""
