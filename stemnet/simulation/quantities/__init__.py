"""Numbers as functions of place: frozen dataclasses of plain numbers, to be planted and sent between processes.

``regions`` (depth below a rim, labels), ``profiles`` (what is made of regions and labels), ``fields`` (steps, ramps,
discs, waves, grids, domains).
"""
