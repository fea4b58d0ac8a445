"""Contact sheets of the simulator: one module a sheet, one tile a micrograph."""
