"""docker/chain: the rule by which a CronJob goes from one subcommand to the next."""

import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

CHAIN = Path(__file__).parents[2] / "docker" / "chain"
STAGES = ("ingest-check", "register", "transform")

FAKE_LOTUSLAKE = """#!/bin/sh
echo "$*" >> "$CALLS"
case $1 in
    hang) trap 'echo stopped >> "$CALLS"; exit "$ON_TERM"' TERM; while :; do sleep 0.05; done ;;
esac
eval "exit \\${CODE_$(echo "$1" | tr - _):-0}"
"""


def _default_signals() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class FakeProgram:
    """A `lotuslake` that notes how it was called and ends as told."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.calls_path = folder / "calls"
        program = folder / "lotuslake"
        program.write_text(FAKE_LOTUSLAKE)
        program.chmod(0o755)

    @property
    def calls(self) -> list[str]:
        return self.calls_path.read_text().splitlines() if self.calls_path.exists() else []

    def start(
        self, *arguments: str, codes: Mapping[str, int] | None = None, on_term: int = 143
    ) -> subprocess.Popen[str]:
        environment = {"PATH": f"{self.folder}:/usr/bin:/bin", "CALLS": str(self.calls_path), "ON_TERM": str(on_term)}
        environment |= {f"CODE_{stage.replace('-', '_')}": str(code) for stage, code in (codes or {}).items()}
        return subprocess.Popen(
            [CHAIN, *arguments],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            # A shell cannot trap a signal that was ignored when it began, as it is in a background job.
            preexec_fn=_default_signals,  # noqa: PLW1509  (the test starts no thread)
        )

    def run(self, *arguments: str, codes: Mapping[str, int] | None = None) -> tuple[int, str]:
        process = self.start(*arguments, codes=codes)
        _, errors = process.communicate(timeout=30)
        return process.returncode, errors

    def wait_for_call(self, call: str) -> None:
        deadline = time.monotonic() + 30
        while call not in self.calls:
            assert time.monotonic() < deadline, f"{call!r} was never run: {self.calls}"
            time.sleep(0.02)


@pytest.fixture
def program(tmp_path: Path) -> FakeProgram:
    return FakeProgram(tmp_path)


@pytest.mark.parametrize(
    ("codes", "expected", "stages_run"),
    [
        ({}, 0, 3),
        ({"ingest-check": 10}, 0, 3),
        ({"ingest-check": 5}, 5, 3),
        ({"register": 5, "transform": 5}, 5, 3),
        ({"ingest-check": 10, "transform": 5}, 5, 3),
        ({"ingest-check": 1}, 1, 1),
        ({"ingest-check": 2}, 2, 1),
        ({"register": 3}, 3, 2),
        ({"ingest-check": 5, "register": 4}, 4, 2),
        ({"ingest-check": 5, "transform": 1}, 1, 3),
        ({"register": 130}, 130, 2),
        ({"register": 143}, 143, 2),
        ({"register": 137}, 137, 2),
    ],
)
def test_goes_on_after_0_5_and_10_and_stops_at_anything_else(
    program: FakeProgram, codes: dict[str, int], expected: int, stages_run: int
) -> None:
    code, _ = program.run("shopify", *STAGES, codes=codes)
    assert code == expected
    assert program.calls == [f"{stage} shopify" for stage in STAGES[:stages_run]]


def test_says_which_stage_stopped_it(program: FakeProgram) -> None:
    _, errors = program.run("shopify", *STAGES, codes={"register": 3})
    assert errors == "chain: 'lotuslake register shopify' ended with exit code 3: the chain stops here\n"


def test_a_stage_takes_options_and_selectors_are_not_expanded(program: FakeProgram) -> None:
    code, _ = program.run("shopify/o* klaviyo", "register --max-seconds 9")
    assert code == 0
    assert program.calls == ["register --max-seconds 9 shopify/o* klaviyo"]


@pytest.mark.parametrize("arguments", [(), ("shopify",)])
def test_refuses_to_run_no_stage(program: FakeProgram, arguments: tuple[str, ...]) -> None:
    code, errors = program.run(*arguments)
    assert code == 2
    assert "for example: chain shopify ingest-check register transform" in errors
    assert program.calls == []


def test_a_missing_program_stops_the_chain(program: FakeProgram) -> None:
    (program.folder / "lotuslake").unlink()
    code, errors = program.run("shopify", *STAGES)
    assert code == 127
    assert "ended with exit code 127" in errors


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("stage_code", [143, 3])
def test_a_signal_reaches_the_stage_and_its_code_is_the_chains(
    program: FakeProgram, sent: signal.Signals, stage_code: int
) -> None:
    process = program.start("shopify", "hang", "transform", on_term=stage_code)
    program.wait_for_call("hang shopify")
    time.sleep(0.2)
    process.send_signal(sent)
    process.communicate(timeout=30)
    assert process.returncode == stage_code
    assert program.calls == ["hang shopify", "stopped"]


@pytest.mark.parametrize(("sent", "expected"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
@pytest.mark.parametrize("stage_code", [0, 5, 10])
def test_no_stage_begins_after_a_signal_even_when_the_stage_ended_well(
    program: FakeProgram, sent: signal.Signals, expected: int, stage_code: int
) -> None:
    process = program.start("shopify", "hang", "transform", on_term=stage_code)
    program.wait_for_call("hang shopify")
    time.sleep(0.2)
    process.send_signal(sent)
    process.communicate(timeout=30)
    assert process.returncode == expected
    assert "transform shopify" not in program.calls
