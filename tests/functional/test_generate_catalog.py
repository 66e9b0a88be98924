"""`lotuslake generate-catalog` on the project that ships."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.functional.program import Project

REPOSITORY = Path(__file__).parents[2]
GENERATED = Path("manifests", "airbyte", "generated")
STREAM_FILES = sorted(
    path.relative_to(REPOSITORY).as_posix()
    for path in (REPOSITORY / "streams").glob("[a-z]*/*")
    if path.suffix != ".md"
)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """The streams and generated files of this repository, in a folder that a test may spoil."""
    shutil.copytree(REPOSITORY / "streams", tmp_path / "streams")
    shutil.copytree(REPOSITORY / GENERATED, tmp_path / GENERATED)
    return Project(tmp_path)


def test_the_generated_files_of_this_repository_are_current(project: Project) -> None:
    outcome = project.run("generate-catalog", "--check")
    assert (outcome.exit_code, outcome.stdout) == (0, "8 generated files are up to date.\n")
    assert not (project.root / ".lotuslake" / "catalog.ducklake").exists(), "no lake is needed"


@pytest.mark.parametrize("name", STREAM_FILES)
def test_every_edit_of_a_stream_file_makes_them_stale(project: Project, name: str) -> None:
    path = project.root / name
    text = path.read_text()
    path.write_text(text.replace('"version": "', '"version": "9.') if name.endswith(".json") else f"# edited\n{text}")
    outcome = project.run("generate-catalog", "--check")
    assert outcome.exit_code == 1
    source = name.split("/")[1]
    assert f"+++ b/{GENERATED}/{source}.inputs.json\n" in outcome.stdout
    assert f'-    "{name}": "sha256:' in outcome.stdout
    assert outcome.message == "1 generated file is not what streams/ gives; run lotuslake generate-catalog"


def test_a_field_less_shows_in_every_catalog_and_generating_mends_it(project: Project) -> None:
    path = project.root / "streams" / "klaviyo" / "lists.yml"
    path.write_text(path.read_text().replace("  type: {type: string}\n", "", 1))
    stale = project.run("generate-catalog", "klaviyo", "--check", "--json")
    assert stale.exit_code == 1
    documents = {item["path"]: item for item in stale.envelope["data"]["documents"]}
    assert {item["change"] for item in documents.values()} == {"changed"}
    assert '-          {"field_path": ["type"]},' in documents[f"{GENERATED}/klaviyo.terraform.json"]["diff"]
    assert stale.envelope["errors"][0]["code"] == "stale"

    other = (project.root / GENERATED / "shopify.protocol.json").stat().st_mtime_ns
    assert project.run("generate-catalog").exit_code == 0
    assert project.run("generate-catalog", "--check").exit_code == 0
    assert (project.root / GENERATED / "shopify.protocol.json").stat().st_mtime_ns == other, "unchanged, so untouched"
    assert not list((project.root / GENERATED).glob(".*")), "no temporary file is left"


def test_formats_can_be_made_alone(project: Project) -> None:
    shutil.rmtree(project.root / GENERATED)
    assert project.run("generate-catalog", "shopify", "--format", "protocol", "--format", "terraform").exit_code == 0
    assert sorted(path.name for path in (project.root / GENERATED).iterdir()) == [
        *("shopify.protocol.json", "shopify.terraform.json")
    ]


def test_a_removed_source_takes_its_files_along(project: Project) -> None:
    shutil.rmtree(project.root / "streams" / "klaviyo")
    assert project.run("generate-catalog", "--check").exit_code == 1
    outcome = project.run("generate-catalog")
    assert outcome.exit_code == 0
    assert "4 removed, 4 unchanged" in outcome.stdout
    assert {path.name.split(".")[0] for path in (project.root / GENERATED).iterdir()} == {"shopify"}


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["shopfy"], "no source is named 'shopfy'; did you mean 'shopify'?"),
        (["--format", "xml"], "--format must be one of protocol, internal, terraform, inputs, not 'xml'"),
    ],
)
def test_what_is_not_there_is_named(project: Project, arguments: list[str], told: str) -> None:
    outcome = project.run("generate-catalog", *arguments)
    assert (outcome.exit_code, outcome.message) == (2, told)


def test_a_stream_file_that_disagrees_ends_with_2_and_every_reason(project: Project) -> None:
    path = project.root / "streams" / "shopify" / "orders.yml"
    path.write_text(path.read_text().replace("cursor_field: updated_at", "cursor_field: created_at"))
    before = {file: file.read_text() for file in (project.root / GENERATED).iterdir()}
    outcome = project.run("generate-catalog", "--json")
    assert outcome.exit_code == 2
    (error,) = outcome.envelope["errors"]
    assert error["message"].startswith("streams/shopify/orders.yml: key 'cursor_field' is 'created_at', but the source")
    assert error["stream"] == "shopify/orders"
    assert {file: file.read_text() for file in (project.root / GENERATED).iterdir()} == before


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ('{"streams": ', "not valid JSON"),
        ("{}", "key 'streams' is missing: run lotuslake discover shopify"),
        ('{"streams": {"orders": 3}}', "key 'streams.orders' must be a mapping"),
        ('{"streams": {"orders": {"source_defined_primary_key": 3}}}', "key 'streams.orders' is not what discover"),
        ('{"streams": {}, "verson": "1"}', "key 'verson' is not known; did you mean 'version'?"),
    ],
)
def test_a_spoilt_discovery_is_named(project: Project, content: str, told: str) -> None:
    (project.root / "streams" / "shopify" / "_discovered.json").write_text(content)
    outcome = project.run("generate-catalog")
    assert outcome.exit_code == 2
    assert outcome.message.startswith("streams/shopify/_discovered.json")
    assert told in outcome.message


@pytest.mark.parametrize(
    ("configuration", "told"),
    [
        ("{api_key: pk_123}", "key 'configuration.api_key' holds a secret"),
        ("{credentials: {api_password: pk_123}}", "key 'configuration.credentials.api_password' holds a secret"),
        (
            "{start_date: 2019-01-01}",
            "key 'configuration.start_date' is '2019-01-01', but start_date says '2020-01-01'",
        ),
        ("text", "key 'configuration' must be a mapping of keys"),
    ],
)
def test_a_configuration_that_cannot_be_is_refused(project: Project, configuration: str, told: str) -> None:
    path = project.root / "streams" / "klaviyo" / "_source.yml"
    lines = [line for line in path.read_text().splitlines() if not line.startswith(("configuration:", "  start_date"))]
    path.write_text("\n".join([*lines, f"configuration: {configuration}", ""]))
    outcome = project.run("generate-catalog")
    assert outcome.exit_code == 2
    assert told in outcome.message
    assert "pk_123" not in outcome.stderr
