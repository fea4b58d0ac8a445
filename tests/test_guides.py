"""The README and the guides say nothing that does not work."""

import re
import shlex
from pathlib import Path

import pytest

from stemnet.analysis import VariationalAutoencoder
from stemnet.doors.command_line import BARE
from stemnet.doors.overrides import checked, spelled
from stemnet.storage import write_result

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / name for name in ("README.md", "ARCHITECTURE.md", "CONVENTIONS.md", "CHANGELOG.md")]
PAGES += sorted((ROOT / "docs").rglob("*.md"))


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)


def commands() -> list[str]:
    lines = [line for page in PAGES for block in blocks(page, "sh") for line in block.splitlines()]
    ours = re.compile(
        r"(?:python |\.venv/bin/)?(?:stemnet-)?(?:train|predict|simulate|gather|search)(?:\.py)?\b.*"
    )
    return sorted({line for line in lines if ours.fullmatch(line)})


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page: Path):
    links = re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8"))
    missing = [link for link in links if "://" not in link and not (page.parent / link).exists()]
    assert missing == []


def test_there_are_commands_to_check():
    assert len(commands()) > 15


@pytest.mark.parametrize("command", commands())
def test_a_command_is_one_that_the_doors_understand(command: str):
    program, *words = shlex.split(command.removeprefix("python "), comments=True)
    door = next(door for door in ("train", "predict", "simulate", "gather", "search") if door in program)
    checked(door, spelled(words, BARE.get(door)))


def test_files_that_the_architecture_names_are_there():
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`((?:stemnet|configs|tests|benchmarks|docs)/[\w/.*]+)`", text))
    assert len(named) > 20
    assert [name for name in sorted(named) if not list(ROOT.glob(name.rstrip("/")))] == []


def test_the_code_of_the_pages_runs(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    (code,) = blocks(ROOT / "README.md", "python")
    exec(code, names)
    assert "columns; the first at" in capsys.readouterr().out
    analysis = names["analysis"]
    folder = Path("results/pbtio3_domains")
    folder.mkdir(parents=True)
    write_result(
        folder / "result.h5",
        names["micrograph"],
        analysis.columns,
        descriptors={"neighbor_vectors": analysis.vectors},
        embeddings={each.method: each.latent for each in analysis.embeddings},
    )
    Path("run").mkdir()
    short = VariationalAutoencoder(2, max_epochs=1, random_state=0).fit(analysis.vectors.complete)
    short.save("run/weights.safetensors")
    guides = [code for page in sorted((ROOT / "docs").glob("*.md")) for code in blocks(page, "python")]
    assert len(guides) >= 4
    for code in guides:
        exec(code, {})
