"""What docker/layout leaves out, no module needs: all that can be imported is, and every library is loaded."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.image import Image, make_work

# Imports that wait for their command (in functions) count as much as those at the top; names with no module of their own
# (classes, functions) are looked up in what was imported. What stands below `if TYPE_CHECKING:` is no import.
IMPORT_ALL = """
import ast, importlib, json, pkgutil, sys
from pathlib import Path
import lotuslake

def typing_only(node):
    return isinstance(node, ast.If) and ast.unparse(node.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING")

def imports(node):
    for child in ast.iter_child_nodes(node):
        if typing_only(child):
            continue
        if isinstance(child, ast.Import):
            yield from ((item.name, None) for item in child.names)
        elif isinstance(child, ast.ImportFrom):
            yield from ((child.module, item.name) for item in child.names)
        else:
            yield from imports(child)

def problem(module, name):
    try:
        found = importlib.import_module(module)
        if name and not hasattr(found, name):
            importlib.import_module(module + "." + name)
    except Exception as error:
        return f"{module} {name}: {error!r}"

own = [item.name for item in pkgutil.walk_packages(lotuslake.__path__, "lotuslake.")]
wanted = {(name, None) for name in own}
for name in own:
    wanted |= set(imports(ast.parse(Path(importlib.import_module(name).__file__).read_text(encoding="utf-8"))))
problems = [text for text in (problem(*pair) for pair in sorted(wanted, key=str)) if text]
print(json.dumps({"own": len(own), "others": sorted({m.split(".")[0] for m, _ in wanted}), "problems": problems}))
"""
# The loader itself, with every library bound at once: one that is missing is an OSError that names it.
LOAD_ALL = """
import ctypes, json, sys, sysconfig
from pathlib import Path
import pyarrow

problems, loaded = [], 0
for path in sorted(Path(sysconfig.get_path("purelib")).rglob("*.so*")):
    try:
        ctypes.CDLL(str(path))
        loaded += 1
    except OSError as error:
        problems.append(f"{path.name}: {error}")
print(json.dumps({"loaded": loaded, "problems": problems}))
"""


@pytest.fixture(scope="module")
def work(works: Path) -> Path:
    return make_work(works / "parts")


def test_every_module_and_what_it_imports(image: Image, work: Path) -> None:
    found = image.run(["python", "-c", IMPORT_ALL], {}, work, offline=True)
    assert found.returncode == 0, found.stderr
    told = json.loads(found.stdout.splitlines()[-1])
    assert told["problems"] == []
    assert told["own"] > 100
    assert {"botocore", "dbt", "duckdb", "psycopg", "pyarrow", "yaml"} <= set(told["others"])


def test_every_library(image: Image, work: Path) -> None:
    found = image.run(["python", "-c", LOAD_ALL], {}, work, offline=True)
    assert found.returncode == 0, found.stderr
    told = json.loads(found.stdout)
    assert told["problems"] == []
    assert told["loaded"] > 50


def test_headers_and_compiled_tests_are_left_out(image: Image) -> None:
    """Otherwise the bound of the image's size is held by other means than these."""
    (arrow,) = image.content.glob("venv/lib/python3.*/site-packages/pyarrow")
    left = {path.name for path in arrow.iterdir()}
    assert not left & {"include", "tests", "src"}
    assert not [name for name in left if "flight" in name]
