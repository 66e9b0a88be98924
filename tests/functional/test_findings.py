"""A failed data test is a finding: it stays open until the model is mended or a person accepts it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.functional.program import Project, write
from tests.functional.things import MODEL, STREAM, data_file, key_of, things_project

MODEL_PATH = "processed/int_test__things.sql"
TESTS = """
models:
  - name: int_test__things
    columns:
      - name: id
        data_tests: [unique]
      - name: amount
        data_tests: [not_null]
      - name: price
        data_tests:
          - not_null: {config: {severity: warn}}
"""
FAILED = "not_null_int_test__things_amount"
BROKEN = MODEL.replace("amount,", "case when id <> 2 then amount end as amount,")


@pytest.fixture
def project(tmp_path: Path) -> Project:
    made = things_project(tmp_path, model=BROKEN)
    write(made.root / "models" / "processed" / "things.yml", TESTS)
    made.put(key_of("a.parquet"), data_file([1, 2]))
    made.json("register")
    return made


def open_findings(project: Project) -> list[tuple[str, str, str]]:
    return [tuple(row) for row in project.rows("SELECT kind, stream, subject FROM meta.findings")]


def test_a_failed_data_test_stays_open_until_the_model_is_mended(project: Project) -> None:
    failed = project.json("transform", expect=5)
    assert failed.envelope["data"]["tests"] == {"passed": 2, "warned": 0, "failed": 1}
    assert open_findings(project) == [("test", STREAM, FAILED)]
    # Nothing new to test, and still a person must look, whatever the stage.
    for command in ("transform", "register", "ingest-check"):
        outcome = project.run(command)
        assert outcome.exit_code == 5, command
        assert FAILED in outcome.stdout, command
    write(project.root / "models" / MODEL_PATH, MODEL)
    mended = project.json("transform")
    assert mended.stream(STREAM)["models"] == ["int_test__things"]
    assert mended.envelope["data"]["tests"] == {"passed": 3, "warned": 0, "failed": 0}
    assert open_findings(project) == []
    assert project.run("ingest-check").exit_code == 0


def test_a_person_accepts_a_finding_with_a_reason(project: Project) -> None:
    project.json("transform", expect=5)
    assert project.run("accept", STREAM, "--reason", " ").exit_code == 2
    wrong = project.run("accept", STREAM, "--reason", "known", "--subject", "something else")
    assert (wrong.exit_code, "nothing that is open matches" in wrong.message) == (2, True)
    accepted = project.json("accept", STREAM, "--reason", "thing 2 has no amount at the source", "--kind", "test")
    assert (len(accepted.envelope["data"]["accepted"]), accepted.envelope["data"]["open"]) == (1, [])
    assert project.rows("SELECT reason FROM meta.accepted") == [("thing 2 has no amount at the source",)]
    for command in ("ingest-check", "register", "transform"):
        assert project.run(command).exit_code == 0, command
    # A worse result is another finding than the one that was accepted.
    write(project.root / "models" / MODEL_PATH, BROKEN.replace("id <> 2", "id > 2"))
    project.json("transform", expect=5)
    assert open_findings(project) == [("test", STREAM, FAILED)]


def test_a_bad_file_is_accepted_apart_from_others(project: Project) -> None:
    write(project.root / "models" / MODEL_PATH, MODEL)
    project.put(key_of("bad.parquet"), b"no parquet")
    project.put(key_of("worse.parquet"), b"no parquet either")
    project.json("register", expect=5)
    outcome = project.json("accept", "test", "--reason", "a test upload", "--subject", "*/bad.parquet", expect=5)
    assert len(outcome.envelope["data"]["accepted"]) == len(outcome.envelope["data"]["open"]) == 1
    project.json("transform", expect=5)
    assert project.json("accept", "*", "--reason", "that one too").envelope["data"]["open"] == []
    assert project.json("transform").envelope["data"]["finished"] is True


def test_a_test_that_warns_is_no_finding(project: Project) -> None:
    write(project.root / "models" / MODEL_PATH, MODEL.replace("price,", "cast(null as double) as price,"))
    outcome = project.json("transform")
    assert outcome.envelope["data"]["tests"] == {"passed": 2, "warned": 1, "failed": 0}


def test_a_model_that_does_not_build_is_named_and_leaves_what_stands(project: Project) -> None:
    write(project.root / "models" / MODEL_PATH, MODEL)
    project.json("transform")
    write(project.root / "models" / MODEL_PATH, MODEL.replace("price,", "no_such_column,"))
    outcome = project.json("transform", expect=2)
    assert "int_test__things" in outcome.message
    assert "no_such_column" in outcome.message
    assert "Traceback" not in outcome.stderr
    assert outcome.envelope["status"] in {"partial", "error"}
    assert project.rows("SELECT count(*) FROM processed.int_test__things") == [(2,)]


@pytest.mark.parametrize(
    ("instead", "code", "told"),
    [
        ("connection_id,", 2, "Binder Error"),
        ("nothing_like_http_or_ssl(price) as price,", 2, "Catalog Error"),
        ("cast('jane@shop.example' as int) as price,", 5, "Conversion Error"),
        ("error('timed out at jane@shop.example') as price,", 5, "Invalid Input Error"),
    ],
)
def test_the_words_of_a_model_make_no_outage_of_its_fault(project: Project, instead: str, code: int, told: str) -> None:
    write(project.root / "models" / MODEL_PATH, MODEL.replace("price,", instead))
    outcome = project.json("transform", expect=code)
    assert told in outcome.message
    assert "models/processed/int_test__things.sql" in outcome.message
    assert "\n" not in outcome.message
    if told == "Conversion Error":
        assert "jane" not in outcome.message


def test_sql_that_does_not_parse_is_told_in_one_line(project: Project) -> None:
    write(project.root / "models" / MODEL_PATH, "select {{ landing( }}")
    outcome = project.json("transform", expect=2)
    assert len(outcome.log) == 1
    assert "int_test__things" in outcome.message
    assert "Traceback" not in outcome.stderr
