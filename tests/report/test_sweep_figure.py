"""Figures of sweeps and of model selection."""

import numpy as np
import pytest

from stemnet.analysis.model_selection import ClusterSelection, ComponentSelection
from stemnet.report.model_selection import model_selection_figure
from stemnet.report.sweep import sweep_figure


def means(**factors):
    """Every combination of the factors, for two methods."""
    rows = [{}]
    for name, values in factors.items():
        rows = [{**row, name: value} for row in rows for value in values]
    methods = (("pca", "A"), ("vae", "A"), ("kmeans_angles", "rad"))
    return [
        {**row, "input": "scan", "method": method, "unit": unit, "error_held_out": 0.1 * i, "error_held_out_sd": np.nan,
         "silhouette": 0.5, "silhouette_sd": 0.1}
        for i, row in enumerate(rows) for method, unit in methods
    ]  # fmt: skip


def panels_of(figure):
    figure.canvas.draw()
    return [axis for axis in figure.axes if axis.get_xlabel()]


def test_a_number_is_the_axis_and_errors_are_of_one_unit():
    figure = sweep_figure(means(latent=["1", "2", "4"]), ["latent"], ["error_held_out", "silhouette"])
    error, silhouette = panels_of(figure)
    assert error.get_xlabel() == silhouette.get_xlabel() == "latent"
    assert error.get_ylabel() == "error_held_out [Å]"
    assert silhouette.get_ylabel() == "silhouette"
    drawn = [[line.get_xdata() for line in axis.containers[2].lines[:1]] for axis in (error, silhouette)]
    # angles have another unit, and are drawn where units do not matter
    assert (len(drawn[0][0]), len(drawn[1][0])) == (0, 3)
    np.testing.assert_allclose(silhouette.containers[1].lines[0].get_xdata(), [1, 2, 4])


def test_other_settings_are_panels_until_there_are_too_many():
    few = sweep_figure(
        means(latent=["1", "2", "3"], clustering=["kmeans", "gmm"]), ["latent", "clustering"], ["silhouette"]
    )
    assert [axis.get_title() for axis in panels_of(few)] == ["clustering kmeans", "clustering gmm"]
    many = sweep_figure(means(a=list("12345"), b=list("uvwxyz")), ["a", "b"], ["silhouette"])
    (axis,) = panels_of(many)
    assert len(axis.get_yticks()) == 30
    assert axis.get_yticklabels()[7].get_text() == "2, v"
    assert axis.get_xlabel() == "silhouette"


@pytest.mark.parametrize("factors", [{}, {"beta": ["0.1", "1", "10"]}, {"invariance": ["null", "rotation"]}])
def test_any_sweep_is_drawn(factors):
    figure = sweep_figure(means(**factors), list(factors), ["silhouette"])
    (axis,) = panels_of(figure)
    assert axis.get_xlabel() == next(iter(factors), "method")
    assert axis.get_xscale() == ("log" if "beta" in factors else "linear")


def test_what_each_rule_chooses_is_marked():
    eigenvalue = np.array([9.0, 1.1, 0.9])
    share = eigenvalue / eigenvalue.sum()
    components = ComponentSelection(
        {"component": np.arange(1, 4), "explained_variance": share, "cumulative": np.cumsum(share),
         "eigenvalue": eigenvalue, "floor": np.array([1.2, 1.0, 0.8])}, 1, "", 2.0,
    )  # fmt: skip
    k = np.arange(1, 4)
    clusters = ClusterSelection(
        {"clusters": k, "silhouette": np.array([np.nan, 0.5, 0.3]), "bic": 10.0 * (k - 3) ** 2,
         "gap": 0.1 * k, "gap_error": np.full(3, 0.01)}, 2, "", 2, 3, 1,
    )  # fmt: skip
    scree, *rules = panels_of(model_selection_figure(components, clusters, title="scan"))
    assert list(scree.lines[0].get_xdata()) == [1]
    marked = [axis.lines[-1].get_xdata() for axis in rules]
    assert [list(one) for one in marked] == [[2], [3], [1]]
