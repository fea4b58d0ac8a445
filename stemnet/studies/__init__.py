"""Whole studies of the field: inputs with their columns in, numbers, tables, figures and sentences out.

Add a study as a module with a function ``study(inputs, *, seed, ...)`` that
takes a sequence of `Measured` and returns `Findings`, and a config in
``configs/study/`` that names it and its default inputs.
"""

from stemnet.studies.findings import Findings, Number, Picture, Table
from stemnet.studies.measured import Measured, Truth

__all__ = ["Findings", "Measured", "Number", "Picture", "Table", "Truth"]
