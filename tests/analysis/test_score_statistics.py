import numpy as np
import pytest
from alloy_series import COMPOSITIONS, series
from planted import polar_and_shear, table

from stemnet.analysis.modes import joint_modes
from stemnet.analysis.score_statistics import score_statistics, statistics_by_composition
from stemnet.errors import StemnetError


def test_scores_grow_with_rhenium_and_the_table_says_so():
    tables, _, truths = series()
    modes = joint_modes(tables, 3)
    rows = statistics_by_composition(modes, COMPOSITIONS, absolute=True)
    size = [np.mean([row["mean"] for row in rows if row["composition"] == c]) for c in (0.05, 0.55, 0.95)]
    assert size[0] < size[1] < size[2]
    assert {row["image"] for row in rows} == {0, 1, 2, 3}
    unlike = [np.asarray(truth["unlike_neighbors"], float) for truth in truths]
    rows = score_statistics(modes, unlike, "unlike_neighbors")
    together = [row for row in rows if row["image"] == -1 and row["mode"] == 0]
    complete = sum(int(table.valid.sum()) for table in tables)
    assert sum(row["columns"] for row in together) == complete
    for row in together:
        assert row["q05"] <= row["q25"] <= row["median"] <= row["q75"] <= row["q95"]


def test_groups_that_do_not_fit_get_a_sentence():
    modes = joint_modes([table(polar_and_shear(n=50)[0])], 2)
    with pytest.raises(StemnetError, match="one number per column"):
        score_statistics(modes, [np.zeros(3)], "unlike")
    with pytest.raises(StemnetError, match="one per image"):
        statistics_by_composition(modes, [0.1, 0.2])
