"""Ends that are asked for: a signal, a time limit, another program that holds the embedded catalog."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from tests.support.fault_lake import EmbeddedLake, Item, items, path_of
from tests.support.killing import Hold, Moment


def deliver(lake: EmbeddedLake, first: int = 0) -> None:
    for number in range(first, first + 6):
        lake.put(path_of(f"{number}"), [Item(1, 1 + number), *items(10 * number, 3)])


@pytest.mark.parametrize(
    ("command", "statement", "number", "code"),
    [
        ("register", "ducklake_add_data_files", signal.SIGTERM, 143),
        ("transform", "insert into .*__rebuild", signal.SIGTERM, 143),
        ("transform", "create or replace table .*fct_items", signal.SIGINT, 130),
    ],
    ids=["register", "inside_a_model", "inside_an_enriched_model"],
)
def test_a_signal_ends_the_batch_and_then_the_program(
    embedded_lake: EmbeddedLake, tmp_path: Path, command: str, statement: str, number: int, code: int
) -> None:
    lake = embedded_lake
    deliver(lake)
    if command == "transform":
        lake.run("register")
    hold = Hold(tmp_path)
    process = lake.start(command, moment=Moment("held", statement, when="after"), hold=hold)
    hold.wait_until_reached(process.process)
    pid = process.process.pid
    assert pid is not None
    os.kill(pid, number)
    hold.go_on.touch()
    ended = process.wait()
    assert ended.exit_code == code, ended.stderr
    assert "stopping after the current batch" in ended.stderr
    # The batch that was under way is in: its work is not lost.
    if command == "register":
        assert lake.rows("SELECT count(*) FROM meta.files") == [(2,)]
    elif "rebuild" in statement:
        assert lake.rows("SELECT position FROM meta.rebuild_int_shop__items") == [(2,)]
    lake.check_landing()
    lake.settle()
    lake.check()


def test_max_seconds_ends_between_batches(embedded_lake: EmbeddedLake) -> None:
    lake = embedded_lake
    deliver(lake)
    for _ in range(2):
        assert lake.run("register", "--max-seconds", "0").exit_code == 0
    lake.run("register")
    assert "Not finished" in lake.run("transform", "--max-seconds", "0").stdout
    lake.check_landing()
    lake.settle()
    lake.check()


def test_a_second_program_waits_for_the_embedded_catalog_and_then_names_its_holder(
    embedded_lake: EmbeddedLake, tmp_path: Path
) -> None:
    lake = embedded_lake
    deliver(lake)
    hold = Hold(tmp_path)
    process = lake.start("register", moment=Moment("held", "ducklake_add_data_files", when="after"), hold=hold)
    hold.wait_until_reached(process.process)
    refused = lake.run("register", expect=(4,))
    assert str(process.process.pid) in refused.stderr
    hold.go_on.touch()
    assert process.wait().exit_code == 0
    lake.settle()
    lake.check()


def test_many_overwritten_files_are_healed_in_one_commit(embedded_lake: EmbeddedLake, is_long: bool) -> None:
    lake = embedded_lake
    number = 400 if is_long else 60
    bounds = {"LOTUSLAKE_BATCH_MAX_FILES": "50"}
    for one in range(number):
        lake.put(path_of(f"{one}"), [Item(one, 1)])
    lake.settle(**bounds)
    for one in range(number):
        lake.put(path_of(f"{one}"), [Item(one, 2), Item(one + number, 1)])
    lake.settle(**bounds)
    lake.check()
