"""Any history of files, commands and kills ends in what the files say, worked out in plain Python."""

from __future__ import annotations

import itertools
import shutil
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from tests.support.fault_lake import STREAM_FILE, EmbeddedLake, Item, make_items_project, path_of
from tests.support.killing import Moment

# What is overwritten may fall to nothing here, which other tests hold back.
OPEN_TO_FALLS = STREAM_FILE.replace("fields:", "max_shrink: 1\nfields:")
ROWS = st.lists(st.builds(Item, st.integers(1, 6), st.integers(1, 40), st.booleans()), max_size=5)
COMMANDS = st.sampled_from(
    [("register",), ("transform",), ("maintain", "--keep-days", "1"), ("register", "--full-sweep")]
)
BOUNDS = st.fixed_dictionaries(
    {
        "LOTUSLAKE_BATCH_MAX_FILES": st.sampled_from(["1", "2", "5"]),
        "LOTUSLAKE_BATCH_MAX_ROWS": st.sampled_from(["3", "100"]),
    }
)


class Shop(RuleBasedStateMachine):
    """``learned`` is what vanished files have told: it stays until somebody lets it go."""

    paths: Bundle[str] = Bundle("paths")

    @initialize()
    def open(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="lotuslake-history-"))
        root = self.folder / "project"
        make_items_project(root, OPEN_TO_FALLS)
        self.lake = EmbeddedLake(root)
        self.lake.take_up_parsing()
        self.numbers = itertools.count()
        self.learned: list[Item] = []
        self.has_note = False

    def teardown(self) -> None:
        if hasattr(self, "lake"):
            self.settle()
            self.settle()
            self.lake.check(self.learned)
            shutil.rmtree(self.folder)

    def settle(self) -> None:
        self.lake.settle()

    @rule(target=paths, rows=ROWS, days_ago=st.sampled_from([0, 0, 1, 3]))
    def a_file_comes(self, rows: list[Item], days_ago: int) -> str:
        # One version of one record is one row: its raw id names it.
        unique = list({row.raw_id: row for row in rows}.values())
        return self.lake.put(path_of(f"{next(self.numbers)}_0", days_ago=days_ago), unique)

    @rule(days_ago=st.sampled_from([0, 2]))
    def a_bad_file_comes(self, days_ago: int) -> None:
        self.lake.put_bad(path_of(f"{next(self.numbers)}_bad", days_ago=days_ago))

    @rule(path=paths, rows=ROWS)
    def a_file_is_overwritten(self, path: str, rows: list[Item]) -> None:
        if path not in self.lake.files:
            return
        # What vanished files told is known up to here, and a rebuild follows from now on, which cannot tell it from what
        # the file told that is overwritten.
        self.settle()
        was = self.lake.files[path]
        # Other content has other raw ids: one that is greater than all others shows in the footer.
        self.lake.put(path, [*{row.raw_id: row for row in rows}.values(), Item(9_000 + next(self.numbers), 1)])
        self.settle()
        if was:
            self.lake.run("transform", "--accept-loss")
            self.learned = []

    @rule(path=paths)
    def a_file_is_touched(self, path: str) -> None:
        if path in self.lake.files:
            (self.lake.landing / path).touch()

    @rule(path=paths)
    def a_file_vanishes(self, path: str) -> None:
        # Where nothing is left, a person is asked.
        if path in self.lake.files and any(rows for other, rows in self.lake.files.items() if other != path):
            self.settle()
            self.learned += self.lake.vanish(path)

    @rule(command=COMMANDS, bounds=BOUNDS)
    def a_command_runs(self, command: tuple[str, ...], bounds: dict[str, Any]) -> None:
        # A file that has vanished is an outage to a transform until a register has seen that it is gone.
        self.lake.run(*command, expect=(0, 3, 5), **bounds)

    @rule(command=COMMANDS, bounds=BOUNDS, passage=st.integers(1, 220), when=st.sampled_from(["before", "after"]))
    def a_command_is_killed(self, command: tuple[str, ...], bounds: dict[str, Any], passage: int, when: Any) -> None:
        moment = Moment("any", ".", when=when, passage=passage)
        ended = self.lake.start(*command, moment=moment, **bounds).wait()
        assert ended.was_killed or ended.exit_code in {0, 3, 5}, ended.stderr
        if ended.was_killed:
            from tests.support.tally import count

            count("kills")
        self.lake.check_landing()

    @rule(options=st.sampled_from([(), ("--reregister",)]), loses=st.booleans())
    def a_backfill_runs(self, options: tuple[str, ...], loses: bool) -> None:
        self.settle()
        self.lake.run("backfill", "shop/items", *options, *(["--accept-loss"] if loses else []))
        if loses:
            self.learned = []

    @precondition(lambda self: not self.has_note)
    @rule()
    def a_field_is_added(self) -> None:
        self.has_note = True
        (self.lake.root / "streams" / "shop" / "items.yml").write_text(OPEN_TO_FALLS + "  note: {type: string}\n")


def test_any_history(pytestconfig: pytest.Config, is_long: bool) -> None:
    run_state_machine_as_test(
        Shop,
        settings=settings(
            max_examples=40 if is_long else 3,
            stateful_step_count=14 if is_long else 8,
            deadline=None,
            derandomize=not is_long,
            suppress_health_check=list(HealthCheck),
            print_blob=True,
        ),
    )
