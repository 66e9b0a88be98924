"""The image: what docker/layout makes runs the chain with a read-only root, an empty HOME and no network."""

import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from lotuslake.config.streams import load_streams
from lotuslake.demo import build_shop, write_files
from tests.support.image import Image, make_work
from tests.support.manifests import ROOT
from tools.image import BASE_SIZE_BYTES, MAX_SIZE_BYTES

LOAD = """
import duckdb
from lotuslake.adapters.duckdb_opening import extension_path
connection = duckdb.connect(config={"autoinstall_known_extensions": False, "autoload_known_extensions": False})
for name in ("ducklake", "httpfs", "postgres_scanner"):
    connection.execute(f"LOAD '{extension_path(name)}'")
print(connection.execute("SELECT count(*) FROM duckdb_extensions() WHERE loaded AND extension_name IN "
    "('ducklake', 'httpfs', 'postgres_scanner')").fetchone()[0])
"""


@pytest.fixture
def work(works: Path, request: pytest.FixtureRequest) -> Path:
    return make_work(works / request.node.name)


def test_it_stays_under_700_mb(image: Image) -> None:
    size = image.size_bytes + BASE_SIZE_BYTES
    assert size < MAX_SIZE_BYTES, f"{size / 1000**2:.0f} MB"


def test_bases_stand_by_exact_version_and_no_digest_is_written_by_hand() -> None:
    bases = re.findall(r"^FROM (\S+)", (ROOT / "Dockerfile").read_text(encoding="utf-8"), re.MULTILINE)
    # After Renovate: the digest behind the tag.
    exact = re.compile(r"python:3\.\d+\.\d+-slim-[a-z]+(@sha256:[0-9a-f]{64})?")
    assert len(bases) == 2
    assert [base for base in bases if not exact.fullmatch(base)] == []
    assert "docker:pinDigests" in (ROOT / "renovate.json").read_text(encoding="utf-8")


def test_nobody_may_write_to_it(image: Image, work: Path) -> None:
    tried = image.run(["touch", str(image.content / "project" / "x")], {}, work)
    assert tried.returncode != 0


def test_extensions_load_without_network(image: Image, work: Path) -> None:
    found = image.run(["python", "-c", LOAD], {}, work, offline=True)
    assert found.stdout == "3\n", found.stderr


def test_no_network_means_none(image: Image, work: Path) -> None:
    reach = "import urllib.request as r; r.urlopen('https://pypi.org', timeout=3)"
    assert image.run(["python", "-c", reach], {}, work, offline=True).returncode != 0


LOOK = """
import sys
from pathlib import Path
from lotuslake.adapters.dbt_project import DbtProject
from lotuslake.adapters.duckdb_instance import DuckDbInstance
from lotuslake.adapters.instance_options import InstanceOptions
state = Path(sys.argv[2])
project = DbtProject(Path(sys.argv[1]), state, DuckDbInstance(InstanceOptions("none", "none", 2**30, 1, state)))
print(len(project.models), any(name.split(".")[0] == "dbt" for name in sys.modules))
from dbt.parser import manifest
def parse(*given, **named):
    raise SystemExit("a file was parsed anew")
manifest.ManifestLoader.parse_project = parse
print(len(project.manifest.nodes) > len(project.models))
"""


def test_the_dbt_project_is_parsed_already(image: Image, work: Path) -> None:
    """A run with nothing to do does not even import dbt; one that builds parses no file."""
    models = image.content / "project" / "models"
    found = image.run(["python", "-c", LOOK, str(models), str(work / "dbt")], {}, work, offline=True)
    assert found.returncode == 0, found.stderr
    assert found.stdout == f"{len(list((ROOT / 'models').glob('[pe]*/*.sql')))} False\nTrue\n"


def test_the_chain_runs_on_a_tiny_lake(image: Image, work: Path) -> None:
    environment = {
        "LOTUSLAKE_LANDING_URL": str(work / "landing"),
        "LOTUSLAKE_DATA_URL": str(work / "data"),
        "LOTUSLAKE_CATALOG_URL": str(work / "catalog.ducklake"),
        "LOTUSLAKE_THREADS": "2",
    }
    for file in write_files(build_shop(1, 0.05, datetime.now(UTC)), load_streams(ROOT).select(["shopify"]), "history"):
        path = work / "landing" / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(file.body)
    chain = ["chain", "shopify", "ingest-check --quiet", "register --quiet", "transform --quiet"]
    found = image.run(chain, environment, work, offline=True)
    assert found.returncode == 0, found.stderr
    asked = image.run(
        ["lotuslake", "query", "SELECT count(*) > 100 FROM enriched.fct_sales", "--json"],
        environment,
        work,
        offline=True,
    )
    assert '"rows": [[true]]' in asked.stdout, asked.stderr
    written = {path.name for path in work.iterdir()}
    assert written <= {"landing", "data", "catalog.ducklake", "tmp", ".cache"}


def test_the_entry_point_hands_signals_on() -> None:
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    assert 'ENTRYPOINT ["/usr/bin/tini", "--"]' in text
    assert "USER 10001:10001" in text


def test_the_dockerfile_calls_the_script_that_is_tested_here() -> None:
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    assert "RUN docker/layout /opt/lotuslake\n" in text
    copied = {word for line in text.splitlines() if line.startswith("COPY ") for word in line.split()[1:-1]}
    for needed in (
        "requirements.lock",
        "pyproject.toml",
        "README.md",
        "LICENSE",
        "docker",
        "streams",
        "models",
        "lotuslake",
    ):
        assert needed in copied
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8")
    assert all(f"!{name}" in ignored for name in ("LICENSE", "README.md", "pyproject.toml", "docker", "lotuslake"))


def test_hadolint_finds_nothing() -> None:
    hadolint = Path(sys.executable).parent / "hadolint"
    found = subprocess.run([hadolint, ROOT / "Dockerfile"], capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout
