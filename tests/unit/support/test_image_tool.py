"""The tool behind `make image-build`: what a machine cannot have is said; what the Dockerfile names is understood."""

import os
import sys
from pathlib import Path

import pytest

from tools.image.__main__ import NOT_TO_BE_HAD, main
from tools.image.build import read_base
from tools.image.machine import UnavailableError, apt_sources, prepare, run

ROOT = Path(__file__).parents[3]
OWN = "{}.{}".format(*sys.version_info)
DEB822 = "Types: deb\nURIs: http://deb.debian.org/debian\nSuites: bookworm bookworm-updates\nComponents: main\n"


def test_who_is_not_root_is_told_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 10001)
    assert main([str(tmp_path)]) == NOT_TO_BE_HAD == 75
    assert capsys.readouterr().out.startswith("The image is not to be had here: building without a daemon takes root")
    assert list(tmp_path.iterdir()) == []


def test_without_apt_it_says_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UnavailableError, match="buildah and mmdebstrap missing, and there is no apt-get"):
        prepare(OWN)


def test_without_network_it_says_what_could_not_be_fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The line is apt's own for a host that cannot be resolved."""
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    apt = tmp_path / "apt-get"
    apt.write_text('#!/bin/sh\necho "E: Failed to fetch http://deb.debian.org/x  Temporary failure" >&2\nexit 100\n')
    apt.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(
        UnavailableError, match=r"apt-get cannot install buildah and mmdebstrap: E: Failed to fetch http"
    ):
        prepare(OWN)


def test_another_python_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    with pytest.raises(UnavailableError, match=rf"packages for Python 2\.7 .* this is {OWN}"):
        prepare("2.7")


@pytest.mark.parametrize(
    "line",
    [
        "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.",
        "ERROR: No matching distribution found for agate==9.9",
        "E: Version '0.19.0-*' for 'tini' was not found",
        "E: Unable to locate package tiny",
    ],
)
def test_a_failure_is_no_lack(line: str) -> None:
    """pip's and apt's own lines for mistakes of ours."""
    with pytest.raises(SystemExit, match=r"ended with 3:") as failed:
        run(["sh", "-c", 'echo "$1" >&2; exit 3', "sh", line])
    assert line in str(failed.value)


def test_what_cannot_be_reached_is_one() -> None:
    line = "W: Failed to fetch http://deb.debian.org/x  Temporary failure resolving 'deb.debian.org'"
    with pytest.raises(UnavailableError, match="sh: W: Failed to fetch"):
        run(["sh", "-c", 'echo "$1" >&2; exit 3', "sh", line])


def test_a_pinned_base_is_read_without_its_digest() -> None:
    name = "python:3.11.13-slim-bookworm"
    pinned = f"FROM {name}@sha256:{'0' * 64} AS build\nRUN true\nFROM {name}@sha256:{'0' * 64}\n"
    base = read_base(pinned)
    assert (base.name, base.suite, base.python) == (name, "bookworm", "3.11")
    assert read_base((ROOT / "Dockerfile").read_text(encoding="utf-8")).python == "3.11"


def test_sources_of_the_suite_are_found_in_both_forms(tmp_path: Path) -> None:
    folder = tmp_path / "sources.list.d"
    folder.mkdir()
    (folder / "debian.sources").write_text(DEB822)
    (tmp_path / "sources.list").write_text("deb http://mirror/debian bookworm main\n")
    for name, line in {
        "cloud.list": "deb https://packages.example/apt cloud-sdk-bookworm main\n",
        "old.list": "# deb http://mirror/debian bookworm main\n",
        "disabled.list.off": "deb http://mirror/debian bookworm main\n",
    }.items():
        (folder / name).write_text(line)
    assert apt_sources("bookworm", tmp_path) == [tmp_path / "sources.list", folder / "debian.sources"]
    with pytest.raises(UnavailableError, match="none of this machine's apt sources is for trixie"):
        apt_sources("trixie", tmp_path)


def test_the_step_is_run_by_the_ci() -> None:
    assert "\nstep image-build\n" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")
