"""What may be wrong with a crystal: each wrong is a frozen dataclass with a chance and ranges.

A `SpecimenPrior` tries them in the order in which it lists them. Some orders
make sense and others do not: `grains` first, since they put whole crystals
together; then the thickness of `solids`, which counts how many atoms the later
ones find in a column; what the columns hold (`Alloy`, `MixedSites`); what
attenuation leaves of it; `cells`, which need a single lattice; `points`,
`elastic`, `glass`; and the edges last.
"""
