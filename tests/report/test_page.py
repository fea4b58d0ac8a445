from html.parser import HTMLParser

from stemnet.report import write_page


class Reader(HTMLParser):
    """Collects tags with their attributes, and the text."""

    def __init__(self):
        super().__init__()
        self.tags, self.open, self.text = [], [], ""

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in {"meta", "img"}:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def read(path):
    reader = Reader()
    reader.feed(path.read_text(encoding="utf-8"))
    assert not reader.open
    return reader


def test_page_shows_figures_numbers_and_warnings(tmp_path):
    write_page(
        tmp_path / "index.html",
        title='<a> & "b".tif',
        figures=[("columns (1)#.png", "Columns <found>")],
        metrics={
            "columns": 12,
            "sampling": {"A_per_px": 0.123456789, "from": "file"},
            "missing": float("nan"),
        },
        summary="Two & two are found.",
        tables={
            "Comparison of methods": [{"method": "PCA", "error": 0.25}, {"method": "VAE", "silhouette": None}]
        },
        warnings=["5 % off <b>"],
        files=["columns.csv"],
    )
    page = read(tmp_path / "index.html")
    assert {"src": "columns%20%281%29%23.png", "alt": "Columns <found>"} in [
        attrs for tag, attrs in page.tags if tag == "img"
    ]
    assert {"href": "columns.csv"} in [attrs for tag, attrs in page.tags if tag == "a"]
    for words in ('<a> & "b".tif', "5 % off <b>", "sampling.A_per_px", "0.12346", "PCA", "silhouette"):
        assert words in page.text
    assert "nan" not in page.text
    assert page.text.index("5 % off") < page.text.index("Columns <found>")
    assert not [tag for tag, _ in page.tags if tag in {"b", "script", "link"}]


def test_page_without_anything_is_a_page(tmp_path):
    write_page(tmp_path / "index.html", title="empty")
    assert "empty" in read(tmp_path / "index.html").text
