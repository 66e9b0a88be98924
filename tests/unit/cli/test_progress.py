"""Waiting for work elsewhere: a bar that wanders on a terminal, a line for each change in a log."""

from __future__ import annotations

import logging

import pytest

from lotuslake.cli.progress import DrawnProgress, LoggedProgress


def test_a_log_is_told_of_changes_alone(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="lotuslake")
    progress = LoggedProgress("backfill", "r")
    for label, message in [("a", "running"), ("a", "running"), ("b", "running"), ("a", "succeeded"), ("a", "running")]:
        progress.wait(label, message)
    assert [record.message for record in caplog.records] == ["running", "running", "succeeded", "running"]


def test_a_terminal_shows_a_bar_that_wanders(capsys: pytest.CaptureFixture[str]) -> None:
    progress = DrawnProgress()
    for _ in range(3):
        progress.wait("shopify", "job 7")
    lines = capsys.readouterr().err.split("\r\x1b[2K")[1:]
    assert len({line.index("━") for line in lines}) == 3
    assert {line.count("━") for line in lines} == {5}
    assert all(line.endswith("job 7") for line in lines)
