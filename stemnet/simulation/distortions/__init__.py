"""Where columns stand beside their sites: each function takes a `Specimen` and returns one."""
