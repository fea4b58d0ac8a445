import pytest

from stemnet.storage.whole_file import whole_file


def test_a_block_that_fails_half_way_changes_nothing(tmp_path):
    target = tmp_path / "result.txt"
    target.write_text("former")

    def write_half():
        with whole_file(target) as part:
            part.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_half()

    assert target.read_text() == "former"
    assert list(tmp_path.iterdir()) == [target]


def test_a_block_that_ends_well_replaces_the_file_and_makes_its_folder(tmp_path):
    target = tmp_path / "new" / "result.txt"
    for words in ("first", "second"):
        with whole_file(target) as part:
            part.write_text(words)
            assert not target.exists() or target.read_text() == "first"
    assert target.read_text() == "second"
    assert list(target.parent.iterdir()) == [target]
