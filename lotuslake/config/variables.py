"""The names of the settings, and where a value came from."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from lotuslake.config.section import nearest
from lotuslake.core.errors import ConfigError

PREFIX = "LOTUSLAKE_"
SETTINGS = (
    "project_dir",
    "landing_url",
    "data_url",
    "catalog_url",
    "landing_profile",
    "data_profile",
    "batch_max_files",
    "batch_max_bytes",
    "batch_max_rows",
    "backup_retention",
    "memory_limit",
    "threads",
    "temp_dir",
    "temp_limit",
    "connect_seconds",
    "log_format",
)

# Kubernetes adds such variables for every service of a namespace, one named `lotuslake-catalog` included.
_SERVICE_LINK = re.compile(r".*_(SERVICE_HOST|SERVICE_PORT(_.*)?|PORT(_\d+_.*)?)")


def variable(setting: str) -> str:
    """`landing_url` → `LOTUSLAKE_LANDING_URL`."""
    return PREFIX + setting.upper()


@dataclass(frozen=True, slots=True)
class Values:
    """The texts of the settings: a flag wins over the environment, and an empty text is none."""

    environ: Mapping[str, str]
    flags: Mapping[str, str | None]

    def get(self, setting: str) -> str | None:
        """The text of a setting, None where it is not set."""
        flag = (self.flags.get(setting) or "").strip()
        return flag or self.environ.get(variable(setting), "").strip() or None

    def error(self, setting: str, problem: str) -> ConfigError:
        """An error that names the flag or the variable that the value came from."""
        flag = "--" + setting.replace("_", "-")
        return ConfigError(f"{flag if self.flags.get(setting) else variable(setting)} {problem}")


def refuse_misspelled(environ: Mapping[str, str]) -> None:
    """A variable that nearly has the name of a setting was meant to be it."""
    known = [variable(setting) for setting in SETTINGS]
    for name in sorted(environ):
        if not name.startswith(PREFIX) or name in known or _SERVICE_LINK.fullmatch(name):
            continue
        if hint := nearest(name, known, cutoff=0.85):
            raise ConfigError(f"{name} is not a setting{hint}")
