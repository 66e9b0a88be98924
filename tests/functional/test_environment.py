"""Variables that are meant for other programs steer none of the parts that run inside this one."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import click
import dbt
import dbt_common
import pytest
from dbt.cli.main import cli
from dbt.env_vars import KNOWN_ENGINE_ENV_VARS

from lotuslake.adapters.dbt_environment import hide_dbt_variables
from lotuslake.adapters.duckdb_opening import open_duckdb
from lotuslake.adapters.instance_options import InstanceOptions
from tests.functional.program import Project
from tests.functional.things import STREAM, data_file, key_of

# What dbt's code asks the environment for, beside its options: `os.getenv("…")`, `os.environ.get("…")`, `env.get("…")`.
READ = re.compile(r"""(?:getenv|environ\.get|env\.get)\(\s*["'](\w+)["']""")
# Not dbt's own: asks for no statistics to be sent, as we do; what pytest and the terminal say of themselves.
COMMON = {"DO_NOT_TRACK", "PYTEST_CURRENT_TEST", "TERM"}


def options_of(command: click.Command) -> Iterator[str]:
    for parameter in command.params:
        given = parameter.envvar or ()
        yield from [given] if isinstance(given, str) else given
    if isinstance(command, click.Group):
        for below in command.commands.values():
            yield from options_of(below)


def read_in_code() -> set[str]:
    folders = [Path(str(package.__path__[0])) for package in (dbt, dbt_common)]
    files = [path for folder in folders for path in folder.rglob("*.py") if "tests" not in path.parts]
    return {name for path in files for name in READ.findall(path.read_text(encoding="utf-8"))}


def variables_of_dbt() -> set[str]:
    """By dbt's own account: every option's variables, those that it lists beside them, and those that its code reads."""
    listed = {name for one in KNOWN_ENGINE_ENV_VARS for name in (one.name, one.old_name) if name}
    return (set(options_of(cli)) | listed | read_in_code()) - COMMON


def test_every_variable_of_dbt_is_hidden_from_it(monkeypatch: pytest.MonkeyPatch) -> None:
    names = variables_of_dbt()
    assert {"DBT_EMPTY", "DBT_ENGINE_EMPTY", "DBT_TARGET", "DBT_HTTP_TIMEOUT", "DBT_PP_TEST"} <= names
    for name in names | {"DBT_OF_A_LATER_VERSION", "OTHER"}:
        monkeypatch.setenv(name, "1")
    hide_dbt_variables()
    assert names & set(os.environ) == set()
    assert "DBT_OF_A_LATER_VERSION" not in os.environ
    assert os.environ["OTHER"] == "1"


@pytest.mark.parametrize("value", ["true", "no/such/thing"])
def test_a_transform_does_the_same_whatever_they_say(things: Project, value: str) -> None:
    things.environment |= dict.fromkeys(variables_of_dbt(), value)
    things.put(key_of("part_0.parquet"), data_file(range(7)))
    assert things.run("register").exit_code == 0
    outcome = things.json("transform")
    assert outcome.stream(STREAM)["rows"] == 7
    assert things.rows("SELECT count(*), count(DISTINCT id) FROM processed.int_test__things") == [(7, 7)]


def test_variables_of_other_programs_lead_duckdb_to_no_other_store(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """httpfs would take from them what a root's secret leaves out."""
    for name in ("AWS_SESSION_TOKEN", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION", "DUCKDB_S3_ENDPOINT"):
        monkeypatch.setenv(name, "of-another")
    monkeypatch.setenv("DUCKDB_S3_REQUESTER_PAYS", "true")
    options = InstanceOptions(str(tmp_path / "catalog"), "s3://lake/data", 2**28, 1, tmp_path)
    with open_duckdb(":memory:of-another", options) as connection:
        settings = dict(connection.execute("SELECT name, value FROM duckdb_settings()").fetchall())
    assert "of-another" not in settings.values()
    assert settings["s3_requester_pays"] == "false"
