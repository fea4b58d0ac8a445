"""Figures and one page per result: the only room that draws."""

from stemnet.report.clusters import clusters_figure
from stemnet.report.components import pca_figure
from stemnet.report.detection import columns_figure
from stemnet.report.latent import vae_figure
from stemnet.report.page import write_page
from stemnet.report.side_by_side import side_by_side_figure
from stemnet.report.style import save
from stemnet.report.training import training_figure

__all__ = [
    "clusters_figure",
    "columns_figure",
    "pca_figure",
    "save",
    "side_by_side_figure",
    "training_figure",
    "vae_figure",
    "write_page",
]
