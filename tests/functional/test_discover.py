"""`lotuslake discover`, with connectors that say what a test wants."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from lotuslake.core.json_text import render_json
from tests.functional.program import Project

STREAM = {
    "name": "orders",
    "json_schema": {"type": "object", "properties": {"id": {"type": "integer"}, "name": {"type": ["null", "string"]}}},
    "supported_sync_modes": ["full_refresh"],
    "source_defined_primary_key": [["id"]],
}
KEPT = Path("streams", "shop", "_discovered.json")
SECRET = "shpat_0123456789"


def message(kind: str, body: dict[str, Any]) -> str:
    return json.dumps({"type": kind.upper(), kind: body})


def catalog(*streams: dict[str, Any]) -> str:
    return message("catalog", {"streams": list(streams)})


def trace(text: str, failure_type: str) -> str:
    return message(
        "trace", {"type": "ERROR", "emitted_at": 1, "error": {"message": text, "failure_type": failure_type}}
    )


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """An empty folder."""
    return Project(tmp_path)


def connector(project: Project, *lines: str, code: str = "") -> str:
    """The command of a connector that prints these lines, and what it was called with on a line before."""
    script = project.root / "source_shop.py"
    script.write_text(
        "import json, sys, time\n"
        "print('called with', json.dumps(sys.argv[1:2]), open(sys.argv[3]).read())\n"
        f"open({str(project.root / 'config_seen')!r}, 'w').write(open(sys.argv[3]).read())\n"
        f"print({chr(10).join(lines)!r})\n{code}\n"
    )
    return f"'{sys.executable}' '{script}'"


def test_what_a_connector_offers_is_kept(project: Project) -> None:
    noise = ["plain text", "{half", message("log", {"level": "INFO", "message": "…"}), message("control", {})]
    outcome = project.run("discover", "shop", "--connector", connector(project, *noise, catalog(STREAM)), "--json")
    assert outcome.exit_code == 0, outcome.stderr
    assert outcome.envelope["data"]["changes"] == [
        {"stream": "shop/orders", "field": None, "change": "appeared", "before": None, "after": None}
    ]
    assert (project.root / KEPT).read_text() == render_json(
        {
            "connector": "airbyte-source-shop",
            "version": "unknown",
            "streams": {
                "orders": {
                    "supported_sync_modes": ["full_refresh"],
                    "source_defined_primary_key": [["id"]],
                    "json_schema": STREAM["json_schema"],
                }
            },
        }
    )


def test_a_later_discovery_reports_what_differs(project: Project) -> None:
    project.run("discover", "shop", "--connector", connector(project, catalog(STREAM)))
    fields = {"id": {"type": "string"}, "total": {"type": "number"}}
    later = STREAM | {"json_schema": {"type": "object", "properties": fields}}
    command = connector(project, catalog(later, STREAM | {"name": "customers"}))
    outcome = project.run("discover", "shop", "--connector", command, "--connector-version", "2.0.0")
    rows = [line.split() for line in outcome.stdout.splitlines()]
    assert ["customers", "appeared"] in rows
    assert ["orders", "id", "changed", "BIGINT", "VARCHAR"] in rows
    assert ["orders", "name", "vanished", "VARCHAR"] in rows
    assert ["orders", "total", "appeared", "DOUBLE"] in rows
    assert "airbyte-source-shop 2.0.0 offers 2 streams" in outcome.stdout
    again = project.run("discover", "shop", "--connector", command, "--connector-version", "2.0.0")
    assert "Nothing has changed." in again.stdout


def test_saved_output_serves_as_well(project: Project) -> None:
    saved = project.root / "saved.txt"
    saved.write_text(f"starting\n{catalog(STREAM)}\n")
    assert project.run("discover", "shop", "--from", str(saved), "--connector-version", "1.2.3").exit_code == 0
    assert json.loads((project.root / KEPT).read_text())["version"] == "1.2.3"


def test_the_connector_gets_the_sources_configuration_or_the_file_given(project: Project) -> None:
    source_file = project.root / "streams" / "shop" / "_source.yml"
    source_file.parent.mkdir(parents=True)
    source_file.write_text("configuration: {shop: lotus}\n")
    command = connector(project, catalog(STREAM))
    project.run("discover", "shop", "--connector", command)
    assert (project.root / "config_seen").read_text() == '{"shop": "lotus"}'
    given = project.root / "config.json"
    given.write_text('{"shop": "other"}')
    project.run("discover", "shop", "--connector", command, "--config", str(given))
    assert (project.root / "config_seen").read_text() == '{"shop": "other"}'


def test_the_version_is_read_beside_the_connectors_script(project: Project) -> None:
    script = project.root / "env" / "bin" / "source-shop"
    script.parent.mkdir(parents=True)
    script.write_text(f"#!{sys.executable}\nprint({catalog(STREAM)!r})\n")
    script.chmod(0o755)
    package = project.root / "env" / "lib" / "python3.11" / "site-packages" / "airbyte_source_shop-4.3.0.dist-info"
    package.mkdir(parents=True)
    outcome = project.run("discover", "shop", "--connector", str(script), "--json")
    assert outcome.envelope["data"]["connector"] == "airbyte-source-shop"
    assert outcome.envelope["data"]["connector_version"] == "4.3.0"


@pytest.mark.parametrize(
    ("lines", "code", "exit_code", "told"),
    [
        ([trace(f"Wrong key {SECRET}", "config_error")], "sys.exit(1)", 2, "discover failed: Wrong key ***"),
        ([trace("The shop is closed", "transient_error")], "sys.exit(1)", 3, "discover failed: The shop is closed"),
        (["{}"], "sys.exit('no module x')", 3, "it ended without a catalog (exit 1: no module x)"),
        ([], "", 3, "it ended without a catalog (exit 0)"),
        ([catalog()], "", 2, "airbyte-source-shop offers no stream"),
        ([], "time.sleep(60)", 3, "did not end within 1 s; give it more with --timeout"),
        ([trace("x" * 5000, "config_error")], "", 2, "x…"),
    ],
    ids=["config error", "transient error", "crash", "nothing", "no stream", "timeout", "long message"],
)
def test_a_connector_that_fails_leaves_what_was_known(
    project: Project, lines: list[str], code: str, exit_code: int, told: str
) -> None:
    known = project.root / KEPT
    known.parent.mkdir(parents=True)
    known.write_text('{"connector": "airbyte-source-shop", "version": "1", "streams": {}}')
    config = project.root / "config.json"
    config.write_text(json.dumps({"credentials": {"api_password": SECRET}}))
    command = connector(project, *lines, code=code)
    outcome = project.run("discover", "shop", "--connector", command, "--config", str(config), "--timeout", "1")
    assert outcome.exit_code == exit_code, outcome.stderr
    assert told in outcome.message
    assert len(outcome.message) < 500
    assert SECRET not in outcome.stderr + outcome.stdout
    assert '"streams": {}' in known.read_text()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "give either --connector COMMAND or --from FILE"),
        (["--connector", "x", "--from", "y"], "give either --connector COMMAND or --from FILE"),
        (["--connector", "/nowhere/source-shop"], "'/nowhere/source-shop' cannot be run: No such file"),
        (["--connector", "'half"], "is no command: No closing quotation"),
        (["--connector", " "], "--connector is empty"),
        (["--from", "/nowhere"], "--from /nowhere: cannot be read: No such file"),
        (["--from", __file__], "it ended without a catalog"),
    ],
)
def test_what_cannot_be_run_is_named(project: Project, arguments: list[str], told: str) -> None:
    outcome = project.run("discover", "shop", *arguments)
    assert outcome.exit_code == 2
    assert told in outcome.message
    assert not (project.root / KEPT).exists()


def test_a_source_has_a_plain_name(project: Project) -> None:
    outcome = project.run("discover", "../shop", "--from", __file__)
    assert outcome.exit_code == 2
    assert "must be of a-z" in outcome.message
