"""Where columns stand beside their sites: each function takes a `Specimen` and returns one, with what it did planted.

`polar` moves sublattices along `textures`, `walls` and `closures`; `modes`,
`tilts` and `chains` move columns within their cells; `elastic` and `chemical`
deform all matter; `disorder` is random; `beam` is no displacement but looks
like one. `fields` has the quantities that amplitudes and compositions may be,
`spread` what widens a column instead of moving it.
"""
