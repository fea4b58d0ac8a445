"""Reading: from the files of microscopes and of other programs to a Micrograph."""

from stemnet.reading.inputs import expand_inputs, unique_stems
from stemnet.reading.reader import read_micrograph

__all__ = ["expand_inputs", "read_micrograph", "unique_stems"]
