"""stemnet: atom columns, local crystallography and representation learning for HAADF-STEM.

Importing the package is cheap; torch, lightning, scikit-learn and matplotlib
are loaded by the rooms that need them.
"""

from stemnet.columns import Columns
from stemnet.errors import StemnetError
from stemnet.micrograph import Micrograph

__all__ = ["Columns", "Micrograph", "StemnetError"]
__version__ = "0.1.0"
