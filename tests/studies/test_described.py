import pytest

from stemnet.studies.described import kinds_in_words


@pytest.mark.parametrize(
    ("silhouette", "words"),
    [
        (0.7, "3 kinds of tile (silhouette 0.70)"),
        (0.3, "3 kinds of tile (weakly told apart, silhouette 0.30)"),
        (0.1, "no kinds of tile (silhouette 0.10)"),
        (float("nan"), "no kinds of tile (silhouette nan)"),
    ],
)
def test_clusters_are_kinds_only_where_they_stand_apart(silhouette: float, words: str):
    assert kinds_in_words(3, silhouette, "of tile") == words
