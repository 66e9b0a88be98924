"""Every subcommand on the image's content, as its user: none may need what docker/layout leaves out.

The cases of this file build on each other: a demo in a folder of its own, then a second lake on the demo's landing root,
with the image's own project, which nobody may write to.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.image import Image, make_work

NAMES = """
import json, typer
from lotuslake.cli.main import app
print(json.dumps(list(typer.main.get_command(app).commands)))
"""
# A connector by the Airbyte protocol: `discover` is answered by one CATALOG message on stdout.
# https://docs.airbyte.com/platform/understanding-airbyte/airbyte-protocol#discover
CONNECTOR = """
import json, sys
assert sys.argv[1] == "discover", sys.argv
stream = {"name": "lists", "supported_sync_modes": ["full_refresh"],
    "json_schema": {"type": "object", "properties": {"id": {"type": "string"}}}}
print(json.dumps({"type": "CATALOG", "catalog": {"streams": [stream]}}))
"""
ENOUGH = "SELECT count(*) > 10 AS enough FROM processed.int_shopify__customers"


@dataclass(frozen=True)
class Case:
    """What is typed after the program's name, and what must come of it."""

    typed: tuple[str, ...]
    seen: str
    code: int = 0
    in_shop: bool = False


# In the order in which they are run.
CASES = {
    "demo": Case(("--scale", "0.05"), "Sales by month", in_shop=True),
    "add-stream": Case(("shopify/products",), "streams/shopify/products.yml", in_shop=True),
    "generate-catalog": Case((), "manifests/airbyte/generated", in_shop=True),
    "discover": Case(("klaviyo", "--connector", "python ../connector.py"), "offers 1 stream", in_shop=True),
    "ingest-check": Case(("shopify/customers", "--detailed-exitcode"), "shopify/customers", code=10),
    "register": Case(("shopify/customers",), "bad_0.parquet", code=5),
    "accept": Case(("shopify/customers", "--reason", "a test"), "Accepted 1 finding"),
    "transform": Case(("shopify/customers",), "int_shopify__customers"),
    "run": Case(("shopify/order_refunds",), "int_shopify__order_refunds"),
    "backfill": Case(("shopify/customers",), "shopify/customers"),
    "query": Case((ENOUGH, "--json"), '"rows": [[true]]'),
    "maintain": Case((), "merged tables"),
    "status": Case((), "shopify/customers"),
}


@pytest.fixture(scope="module")
def work(works: Path) -> Path:
    folder = make_work(works / "subcommands")
    (folder / "connector.py").write_text(CONNECTOR, encoding="utf-8")
    make_work(folder / "shop")
    return folder


def environment(case: Case, work: Path) -> Mapping[str, str]:
    shop = work / "shop"
    if case.in_shop:
        return {"LOTUSLAKE_PROJECT_DIR": str(shop), "LOTUSLAKE_THREADS": "2"}
    return {
        "LOTUSLAKE_LANDING_URL": str(shop / ".lotuslake" / "landing"),
        "LOTUSLAKE_DATA_URL": str(work / "data"),
        "LOTUSLAKE_CATALOG_URL": str(work / "catalog.ducklake"),
        "LOTUSLAKE_THREADS": "2",
    }


def test_0_every_subcommand_has_its_case(image: Image, work: Path) -> None:
    found = image.run(["python", "-c", NAMES], {}, work, offline=True)
    assert sorted(CASES) == sorted(json.loads(found.stdout)), found.stderr


@pytest.mark.parametrize("name", CASES)
def test_1_it_runs(image: Image, work: Path, name: str) -> None:
    case = CASES[name]
    if name == "register":
        put_bad_file(work)
    where = work / "shop" if case.in_shop else work
    found = image.run(["lotuslake", name, *case.typed], environment(case, work), where, offline=True)
    assert found.returncode == case.code, found.stdout + found.stderr
    assert case.seen in found.stdout + found.stderr
    assert "Traceback" not in found.stderr


def put_bad_file(work: Path) -> None:
    """Beside a good one, with the first and last bytes of a Parquet file."""
    good = min((work / "shop" / ".lotuslake" / "landing" / "shopify" / "customers").rglob("*.parquet"))
    good.with_name("bad_0.parquet").write_bytes(b"PAR1 no footer PAR1")
