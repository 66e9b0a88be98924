"""The project as Kubernetes mounts it and as editors leave it is the project that a person sees."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from lotuslake.config.streams import load_streams
from lotuslake.core.errors import ConfigError
from tests.functional.program import Project
from tests.functional.things import STREAM, data_file, key_of, things_project

MODEL = Path("models", "processed", "int_test__things.sql")


def mount_as_config_map(folder: Path) -> None:
    """As kubelet's AtomicWriter does (kubernetes/pkg/volume/util/atomic_writer.go): each file is a link into `..data`,

    which is a link to a folder named after the time.
    """
    names = sorted(path.name for path in folder.iterdir())
    written = folder / "..2026_11_27_10_00_00.123456789"
    written.mkdir()
    for name in names:
        shutil.move(folder / name, written / name)
    (folder / "..data").symlink_to(written.name)
    for name in names:
        (folder / name).symlink_to(f"..data/{name}")


def assert_it_builds(project: Project) -> None:
    project.put(key_of("part_0.parquet"), data_file(range(5)))
    assert project.run("register").exit_code == 0
    outcome = project.json("transform")
    assert outcome.stream(STREAM)["rows"] == 5
    assert project.rows("SELECT count(*) FROM processed.int_test__things") == [(5,)]
    assert not list((project.root / ".lotuslake" / "temp" / "dbt").glob("project-*"))


@pytest.mark.parametrize("folders", [("streams/test", "models/processed", "models/macros"), ("streams", "models")])
def test_config_maps(things: Project, folders: tuple[str, ...]) -> None:
    for folder in folders:
        mount_as_config_map(things.root / folder)
    assert_it_builds(things)


def test_a_mount_that_was_exchanged_is_read_as_it_is_now(things: Project) -> None:
    mount_as_config_map(things.root / "models/processed")
    assert_it_builds(things)
    folder = things.root / "models/processed"
    newer = folder / "..2026_11_27_11_00_00.987654321"
    shutil.copytree(folder / "..data", newer)
    model = newer / MODEL.name
    model.write_text(model.read_text().replace("name, price", "upper(name) as name, price"))
    (folder / "..tmp").symlink_to(newer.name)
    (folder / "..tmp").replace(folder / "..data")
    assert things.json("transform").stream(STREAM)["rows"] == 5
    assert things.rows("SELECT DISTINCT left(name, 5) FROM processed.int_test__things") == [("THING",)]


LEFT_BEHIND = {
    "Emacs, a lock": ".#{}",
    "Emacs, a backup": "{}~",
    "Emacs, unsaved": "#{}#",
    "vim": ".{}.swp",
    "macOS": "._{}",
    "Jupyter": ".ipynb_checkpoints/{}",
    "JetBrains": ".idea/{}",
    "git": ".git/{}",
}


def test_what_editors_leave(things: Project) -> None:
    for original in (MODEL, Path("streams", f"{STREAM}.yml")):
        for pattern in LEFT_BEHIND.values():
            left = things.root / original.parent / pattern.format(original.name)
            left.parent.mkdir(exist_ok=True)
            if pattern == ".#{}":
                left.symlink_to("someone@laptop.1234:1790000000")
            else:
                left.write_bytes(b"\x00\x05\x16\x07 Mac OS X \xff select * from nowhere: {")
    assert_it_builds(things)


def test_a_folder_elsewhere_that_is_linked_in(things: Project) -> None:
    for folder in ("streams/test", "models/processed", "models"):
        elsewhere = things.root / "elsewhere" / folder.replace("/", "_")
        elsewhere.parent.mkdir(exist_ok=True)
        shutil.move(things.root / folder, elsewhere)
        (things.root / folder).symlink_to(elsewhere)
    (things.root / "models" / "loop").symlink_to(things.root / "models")
    assert_it_builds(things)


@pytest.mark.parametrize("link", ["streams/gone", "streams/test/gone.yml", "streams/test/_source.yml"])
def test_a_dead_link_is_named_and_no_stream_vanishes(things: Project, link: str) -> None:
    (things.root / link).symlink_to("/no/such/place")
    with pytest.raises(ConfigError, match=f"^{link}: a link to /no/such/place, which is not there"):
        _ = load_streams(things.root).all


def test_a_dead_link_among_the_models(things: Project) -> None:
    (things.root / "models/enriched/fct_gone.sql").symlink_to("/no/such/place")
    things.put(key_of("part_0.parquet"), data_file(range(5)))
    things.run("register")
    outcome = things.run("transform")
    assert outcome.exit_code == 2
    assert outcome.message.startswith("models/enriched/fct_gone.sql: a link to /no/such/place, which is not there")


def test_a_project_that_nobody_may_write_to(tmp_path: Path) -> None:
    """With the state elsewhere, as in a pod, a run leaves nothing in the project's folder."""
    project, state = things_project(tmp_path / "project"), tmp_path / "state"
    (state / "landing").mkdir(parents=True)
    for name, place in {
        "LANDING_URL": "landing",
        "DATA_URL": "data",
        "CATALOG_URL": "catalog",
        "TEMP_DIR": "temp",
    }.items():
        project.environment[f"LOTUSLAKE_{name}"] = str(state / place)
    mount_as_config_map(project.root / "models/processed")
    for folder, _, _ in os.walk(project.root):
        Path(folder).chmod(0o555)
    before = project.tree()
    for command in ("ingest-check", "register", "transform", "status"):
        outcome = project.finish(command)
        assert outcome.exit_code == 0, outcome.stderr
    assert project.tree() == before
