"""An Airbyte connector, run as a process that speaks Airbyte's protocol on stdout."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lotuslake.core.airbyte_messages import ConnectorError, read_catalog
from lotuslake.core.discovery import DiscoveredStream
from lotuslake.core.errors import ConfigError, UnreachableError
from lotuslake.ports.connector import DiscoverCall

MAX_MESSAGE = 400
MIN_SECRET_LENGTH = 6

# `airbyte/source-klaviyo:2.13.1`, with or without a registry before it.
_IMAGE = re.compile(r"(?:[\w.:-]+/)*(?P<name>source-[\w-]+):(?P<version>\d[\w.-]*)")
_DIST_INFO = re.compile(r"airbyte_(?P<name>source_\w+)-(?P<version>[^-]+)\.dist-info")


class AirbyteConnector:
    """Runs connectors: an installed package's script, a container, anything that takes `discover --config FILE`."""

    def discover(self, call: DiscoverCall) -> dict[str, DiscoveredStream]:
        with _config_file(call) as config_file:
            result = _run([*call.command, "discover", "--config", str(config_file)], call.timeout_seconds)
            secrets = _secret_texts(config_file)
        try:
            return read_catalog(result.stdout.splitlines())
        except ConnectorError as error:
            problem = _clean(f"{error}{_last_line(result, error)}", secrets)
            message = f"{call.command[0]}: discover failed: {problem}"
            raise (ConfigError if error.is_configuration else UnreachableError)(message) from None

    def find_version(self, command: Sequence[str]) -> tuple[str, str] | None:
        for part in command:
            if image := _IMAGE.fullmatch(part):
                return f"airbyte-{image['name']}", image["version"]
        program = shutil.which(command[0])
        if program is None:
            return None
        wanted = Path(program).name.replace("-", "_")
        # A script in an environment's bin folder: its package lies beside it.
        for folder in Path(program).absolute().parent.parent.glob("lib/python*/site-packages/airbyte_*.dist-info"):
            found = _DIST_INFO.fullmatch(folder.name)
            if found and found["name"] == wanted:
                return f"airbyte-{found['name'].replace('_', '-')}", found["version"]
        return None


@contextmanager
def _config_file(call: DiscoverCall) -> Iterator[Path]:
    if call.config_file is not None:
        yield call.config_file
        return
    with tempfile.TemporaryDirectory(prefix="lotuslake-") as folder:
        path = Path(folder) / "config.json"
        path.write_text(json.dumps(dict(call.configuration)), encoding="utf-8")
        yield path


def _run(command: Sequence[str], timeout_seconds: float) -> subprocess.CompletedProcess[str]:
    try:
        process = subprocess.Popen(  # noqa: S603 - the command is the person's own
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            errors="replace",
            # A group of its own, so that a connector's children end with it.
            start_new_session=True,
        )
    except OSError as error:
        raise ConfigError(f"--connector: {command[0]!r} cannot be run: {error.strerror}") from None
    with process:
        try:
            stdout, stderr = process.communicate(timeout=timeout_seconds)
        except subprocess.TimeoutExpired:
            raise UnreachableError(
                f"{command[0]}: discover did not end within {timeout_seconds:g} s; give it more with --timeout"
            ) from None
        finally:
            _end_group(process.pid)
    return subprocess.CompletedProcess(command, process.returncode, stdout, stderr)


def _end_group(group: int) -> None:
    try:
        os.killpg(group, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return


def _last_line(result: subprocess.CompletedProcess[str], error: ConnectorError) -> str:
    """What a connector that says nothing in the protocol says on stderr."""
    lines = [line.strip() for line in result.stderr.splitlines() if line.strip()]
    if error.is_reported:
        return ""
    return f" (exit {result.returncode}{': ' + lines[-1] if lines else ''})"


def _secret_texts(config_file: Path) -> list[str]:
    """Texts of the configuration that must not be repeated; connectors mask secrets, but not all of them."""
    try:
        values = json.loads(config_file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []
    return sorted(_texts(values), key=len, reverse=True)


def _texts(value: Any, key: str = "") -> Iterator[str]:
    if isinstance(value, Mapping):
        for name, item in value.items():
            yield from _texts(item, str(name))
    elif (
        isinstance(value, str)
        and len(value) >= MIN_SECRET_LENGTH
        and re.search("pass|secret|token|key", key, re.IGNORECASE)
    ):
        yield value


def _clean(text: str, secrets: Sequence[str]) -> str:
    for secret in secrets:
        text = text.replace(secret, "***")
    return text if len(text) <= MAX_MESSAGE else text[:MAX_MESSAGE] + "…"
