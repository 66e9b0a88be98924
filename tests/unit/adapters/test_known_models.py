"""What dbt found in a project is known for as long as the project stays as it is."""

from pathlib import Path

import pytest

from lotuslake.adapters.dbt_known_models import KnownModels
from lotuslake.core.model import Model

MODELS = {
    "int_a": Model("int_a", "processed", "h1"),
    "fct_a": Model("fct_a", "enriched", "h2", ("int_a",)),
}


PARSED = "partial_parse.msgpack"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "models"
    (folder / "processed").mkdir(parents=True)
    (folder / "processed/int_a.sql").write_text("select 1")
    return folder


@pytest.fixture
def state_dir(tmp_path: Path, project: Path) -> Path:
    folder = tmp_path / "state"
    folder.mkdir()
    (folder / PARSED).write_bytes(b"what dbt kept")
    KnownModels(project, folder).save(MODELS, folder / PARSED)
    return folder


def test_what_was_kept_comes_back(project: Path, state_dir: Path) -> None:
    assert KnownModels(project, state_dir).load() == MODELS


def test_a_changed_file_is_for_dbt_to_read(project: Path, state_dir: Path) -> None:
    (project / "processed/int_a.sql").write_text("select 2")
    assert KnownModels(project, state_dir).load() is None


@pytest.mark.parametrize("name", ["fct_b.sql", "int_a.yml", "seed.csv"])
def test_so_is_a_new_one(project: Path, state_dir: Path, name: str) -> None:
    (project / name).write_text("")
    assert KnownModels(project, state_dir).load() is None


def test_and_a_moved_one(project: Path, state_dir: Path) -> None:
    (project / "processed/int_a.sql").rename(project / "int_a.sql")
    assert KnownModels(project, state_dir).load() is None


@pytest.mark.parametrize("text", ["", "{", "[]", '{"project": 1}'])
def test_a_damaged_note_is_no_note(project: Path, state_dir: Path, text: str) -> None:
    (state_dir / "models.json").write_text(text)
    assert KnownModels(project, state_dir).load() is None


def test_what_dbt_kept_is_of_this_project(project: Path, state_dir: Path) -> None:
    assert KnownModels(project, state_dir).are_parsed((state_dir / PARSED).read_bytes())


def test_what_dbt_kept_of_other_files_is_not(project: Path, state_dir: Path) -> None:
    (project / "processed/int_a.sql").write_text("select 2")
    assert not KnownModels(project, state_dir).are_parsed((state_dir / PARSED).read_bytes())


def test_nor_is_what_dbt_has_written_since(project: Path, state_dir: Path) -> None:
    (state_dir / PARSED).write_bytes(b"kept later")
    assert not KnownModels(project, state_dir).are_parsed((state_dir / PARSED).read_bytes())


def test_nothing_kept_is_nothing(project: Path, state_dir: Path) -> None:
    (state_dir / PARSED).unlink()
    assert not KnownModels(project, state_dir).are_parsed(b"")
    KnownModels(project, state_dir).save(MODELS, state_dir / PARSED)
    assert not KnownModels(project, state_dir).are_parsed(b"")


def test_a_project_that_changes_while_dbt_reads_it_is_not_kept(project: Path, state_dir: Path) -> None:
    known = KnownModels(project, state_dir)
    assert known.load() == MODELS
    (project / "processed/int_a.sql").write_text("select 2")
    known.save({}, state_dir / PARSED)
    (project / "processed/int_a.sql").write_text("select 1")
    assert KnownModels(project, state_dir).load() == MODELS
