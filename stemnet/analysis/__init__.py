"""What the descriptors say: embeddings, clusterings, and their comparison.

The only room that imports scikit-learn. Add a method as an estimator of the
scikit-learn contract; `embed`, `cluster` and `compare` take it as it is.
"""

from stemnet.analysis.calibration import Calibration, compare_with_lattice
from stemnet.analysis.clustering import Clustering, cluster
from stemnet.analysis.comparison import compare, write_comparison
from stemnet.analysis.domain_mixture import DomainMixture
from stemnet.analysis.embedding import Embedding, embed
from stemnet.analysis.intensity import IntensityClasses, intensity_classes
from stemnet.analysis.peers import NearestMeanTree, NonNegativeParts
from stemnet.analysis.road import SideBySide, side_by_side
from stemnet.analysis.vae import VariationalAutoencoder

__all__ = [
    "Calibration",
    "Clustering",
    "DomainMixture",
    "Embedding",
    "IntensityClasses",
    "NearestMeanTree",
    "NonNegativeParts",
    "SideBySide",
    "VariationalAutoencoder",
    "cluster",
    "compare",
    "compare_with_lattice",
    "embed",
    "intensity_classes",
    "side_by_side",
    "write_comparison",
]
