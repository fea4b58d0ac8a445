"""The floors of ARCHITECTURE.md, held: who may import whom, and what a light import costs."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "stemnet"
GROUND = "errors micrograph columns"
# Room: (what it may import of stemnet, of others, of others inside a function only).
FLOORS = {
    "errors": ("", "", ""),
    "runtime": ("", "", ""),
    "resources": ("", "", ""),
    "columns": ("errors", "numpy", ""),
    "micrograph": ("errors", "numpy", ""),
    "storage": (GROUND, "numpy", "h5py"),
    "reading": (GROUND, "numpy", "h5py tifffile PIL"),
    "simulation": (f"{GROUND} reading storage resources", "numpy scipy torch", "ase h5py tifffile"),
    "models": ("errors", "torch", "safetensors"),
    "registration": (GROUND, "numpy scipy", ""),
    "detection": (f"{GROUND} models registration", "numpy scipy skimage torch", ""),
    "descriptors": (GROUND, "numpy scipy", ""),
    "training": (f"{GROUND} storage simulation models detection", "numpy torch sklearn lightning tqdm", ""),
    "analysis": (f"{GROUND} storage descriptors models", "numpy scipy torch sklearn", ""),
    "report": (f"{GROUND} storage descriptors analysis", "numpy scipy matplotlib mpl_toolkits", ""),
    "studies": (f"{GROUND} registration descriptors analysis report", "numpy scipy", ""),
    "doors": (None, "numpy scipy torch hydra omegaconf tqdm", "optuna"),
}
HEAVY = [
    "torch",
    "lightning",
    "pytorch_lightning",
    "sklearn",
    "matplotlib",
    "hydra",
    "rsciio",
    "h5py",
    "scipy",
]


def imports_of(path: Path) -> list[tuple[str, bool]]:
    """Names that a module imports, and whether inside a function."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    local = {
        id(node)
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        for node in ast.walk(function)
    }
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(alias.name, id(node) in local) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute here"
            names = (
                [f"stemnet.{alias.name}" for alias in node.names]
                if node.module == "stemnet"
                else [node.module]
            )
            found += [(name, id(node) in local) for name in names]
    return found


def rooms() -> list[str]:
    return sorted(
        path.stem for path in PACKAGE.iterdir() if (path / "__init__.py").exists() or path.suffix == ".py"
    )


def test_every_room_stands_on_a_floor():
    assert set(rooms()) - {"__init__"} == set(FLOORS)


@pytest.mark.parametrize("room", FLOORS)
def test_a_room_imports_only_from_below(room: str):
    ours, others, local = FLOORS[room]
    allowed = set(FLOORS) if ours is None else {room, *ours.split()}
    modules = (
        [PACKAGE / f"{room}.py"] if (PACKAGE / f"{room}.py").exists() else (PACKAGE / room).rglob("*.py")
    )
    wrong = []
    for path in modules:
        if path.name == "__main__.py":
            continue  # a door that is entered by `python -m`
        for name, inside in imports_of(path):
            top, _, rest = name.partition(".")
            if top == "stemnet":
                target = rest.split(".")[0]
                fine = target in ("", "__version__") or target in allowed
            else:
                fine = (
                    top in sys.stdlib_module_names
                    or top in others.split()
                    or (inside and top in local.split())
                )
            if not fine:
                wrong.append(f"{path.relative_to(ROOT)} imports {name}")
    assert not wrong, "\n".join(wrong)


def test_what_is_entered_by_its_name_only_opens_a_door():
    for path in PACKAGE.rglob("__main__.py"):
        assert [name for name, _ in imports_of(path)] == ["stemnet.doors.command_line"]


def test_the_gpl_reader_is_named_in_one_place_only():
    naming = [
        path.relative_to(PACKAGE).as_posix()
        for path in PACKAGE.rglob("*.py")
        if "rsciio." in path.read_text()
    ]
    assert naming == ["reading/microscope.py"]


@pytest.mark.parametrize(
    ("run", "refused"),
    [
        ("import stemnet", set(HEAVY)),
        ("run_path('train.py', run_name='__main__')", set(HEAVY) - {"hydra"}),
        ("run_path('predict.py', run_name='__main__')", set(HEAVY) - {"hydra"}),
        ("run_module('stemnet.simulation', run_name='__main__')", set(HEAVY) - {"hydra"}),
    ],
    ids=["import", "train --help", "predict --help", "simulate --help"],
)
def test_a_light_start(run: str, refused: set[str]):
    code = (
        "import atexit, json, sys; from runpy import run_module, run_path;"
        "sys.argv[1:] = ['--help']; sys.path.insert(0, '.');"
        "atexit.register(lambda: print(json.dumps(sorted(sys.modules)), file=sys.stderr));" + run
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert not refused & set(json.loads(done.stderr.splitlines()[-1]))
