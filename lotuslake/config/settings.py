"""The environment and the flags as Settings."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Literal, cast
from urllib.parse import parse_qs, urlsplit

from lotuslake.config.machine import memory_bytes, processors
from lotuslake.config.section import nearest
from lotuslake.config.units import parse_duration, parse_size
from lotuslake.config.variables import Values, refuse_misspelled
from lotuslake.core.errors import ConfigError
from lotuslake.core.location import Location, parse_location
from lotuslake.core.stream import BatchLimits

LogFormat = Literal["text", "json"]

STATE_DIR = ".lotuslake"
DEFAULT_BATCH = BatchLimits(max_files=500, max_bytes=512 * 1024**2, max_rows=500_000)
MEMORY_PERCENT = 60
DEFAULT_BACKUP_RETENTION = timedelta(days=30)

_POSTGRES = ("postgresql://", "postgres://")
_WHOLE = re.compile(r"[0-9]{1,15}")


@dataclass(frozen=True, slots=True)
class Settings:
    """Where everything is and how much of the machine to use.

    ``catalog_url`` is the absolute path of a DuckDB file, or `postgresql://…` without a password. ``log_format`` is
    None where nobody chose: text on a terminal, else JSON. ``temp_limit_bytes`` None leaves it to DuckDB.
    ``backup_retention`` is how long files stay that a backup of the catalog may name. For ``connect_seconds`` a first
    connection that is refused is tried again.
    """

    project_dir: Path
    landing_url: Location
    data_url: Location
    catalog_url: str
    landing_profile: str | None
    data_profile: str | None
    batch: BatchLimits
    memory_limit_bytes: int
    threads: int
    temp_dir: Path
    log_format: LogFormat | None
    temp_limit_bytes: int | None = None
    backup_retention: timedelta = DEFAULT_BACKUP_RETENTION
    connect_seconds: int = 0

    @property
    def catalog_is_embedded(self) -> bool:
        """Whether the catalog is a DuckDB file, which one process at a time can open."""
        return not self.catalog_url.startswith(_POSTGRES)


def load_settings(
    environ: Mapping[str, str], flags: Mapping[str, str | None], cwd: Path, machine_root: Path = Path("/")
) -> Settings:
    """Settings from `LOTUSLAKE_*` and from flags, which win; ``flags`` is keyed by setting, such as `landing_url`.

    Relative folders are taken from the project folder, that one from ``cwd``. Raises ConfigError naming the variable.
    """
    refuse_misspelled(environ)
    values = Values(environ, flags)
    project_dir = _project_dir(values, cwd)
    settings = Settings(
        project_dir=project_dir,
        landing_url=_location(values, "landing_url", project_dir, "landing"),
        data_url=_location(values, "data_url", project_dir, "data"),
        catalog_url=_catalog_url(values, project_dir),
        landing_profile=values.get("landing_profile"),
        data_profile=values.get("data_profile"),
        batch=_batch(values),
        memory_limit_bytes=_memory_limit_bytes(values, machine_root),
        threads=_whole(values, "threads") or processors(machine_root),
        temp_dir=_local(values, "temp_dir", values.get("temp_dir") or f"{STATE_DIR}/temp", project_dir),
        log_format=_log_format(values),
        temp_limit_bytes=_size_bytes(values, "temp_limit"),
        connect_seconds=_whole(values, "connect_seconds", least=0) or 0,
        backup_retention=_duration(values, "backup_retention", DEFAULT_BACKUP_RETENTION),
    )
    _refuse_overlaps(settings, values)
    return settings


def _project_dir(values: Values, cwd: Path) -> Path:
    project_dir = _local(values, "project_dir", values.get("project_dir") or ".", cwd)
    if project_dir.exists() and not project_dir.is_dir():
        raise values.error("project_dir", f"is not a folder: {project_dir}")
    return project_dir


def _local(values: Values, setting: str, path: str, base: Path) -> Path:
    """Absolute, with `..` and symbolic links followed, so that two names of one folder are equal."""
    try:
        return (base / Path(path).expanduser()).resolve()
    except (OSError, RuntimeError, ValueError) as error:
        raise values.error(setting, f"is not a usable path: {error}") from None


def _location(values: Values, setting: str, project_dir: Path, default: str) -> Location:
    try:
        location = parse_location(values.get(setting) or f"{STATE_DIR}/{default}")
        if location.scheme == "s3":
            return location
        # Once more: the project folder's own path must be fit for DuckDB too.
        return parse_location(str(_local(values, setting, location.path, project_dir)))
    except ValueError as error:
        raise values.error(setting, str(error)) from None


def _catalog_url(values: Values, project_dir: Path) -> str:
    """Never repeats the URL in a message: what is wrong with it may be a password."""
    url = values.get("catalog_url") or f"{STATE_DIR}/catalog.ducklake"
    scheme, separator, _ = url.partition("://")
    if url.lower().startswith(_POSTGRES):
        return _postgres_url(values, f"postgresql{url[len(scheme) :]}")
    if separator and scheme.lower() != "file":
        raise values.error("catalog_url", "must be postgresql://user@host:port/dbname or the path of a DuckDB file")
    if re.search(r"(^|\s)(host|dbname|user|password)\s*=", url):
        raise values.error("catalog_url", "must be a URL: postgresql://user@host:port/dbname")
    return str(_local(values, "catalog_url", _local_path(values, "catalog_url", url), project_dir))


def _local_path(values: Values, setting: str, url: str) -> str:
    try:
        return parse_location(url).path
    except ValueError as error:
        raise values.error(setting, str(error)) from None


def _postgres_url(values: Values, url: str) -> str:
    try:
        parts = urlsplit(url)
        _ = parts.port if "," not in parts.netloc else None
        has_password = parts.password is not None
    except ValueError:
        raise values.error("catalog_url", "is not a valid URL: write postgresql://user@host:port/dbname") from None
    secret_keys = [key for key in parse_qs(parts.query, keep_blank_values=True) if "password" in key.lower()]
    if has_password or secret_keys or "@" in parts.path:
        raise values.error("catalog_url", "must not hold a password: use PGPASSWORD, or PGPASSFILE for a file")
    if not parts.path.strip("/"):
        raise values.error("catalog_url", "names no database: write postgresql://user@host:port/dbname")
    return url


def _batch(values: Values) -> BatchLimits:
    return BatchLimits(
        max_files=_whole(values, "batch_max_files") or DEFAULT_BATCH.max_files,
        max_bytes=_size_bytes(values, "batch_max_bytes") or DEFAULT_BATCH.max_bytes,
        max_rows=_whole(values, "batch_max_rows") or DEFAULT_BATCH.max_rows,
    )


def _memory_limit_bytes(values: Values, machine_root: Path) -> int:
    return _size_bytes(values, "memory_limit") or memory_bytes(machine_root) * MEMORY_PERCENT // 100


def _whole(values: Values, setting: str, *, least: int = 1) -> int | None:
    """A number of ``least`` or more, None where it is not set."""
    text = values.get(setting)
    if text is None:
        return None
    digits = text.replace("_", "")
    if not _WHOLE.fullmatch(digits) or int(digits) < least:
        raise values.error(setting, f"must be a whole number, {least} or more, not {text!r}")
    return int(digits)


def _duration(values: Values, setting: str, default: timedelta) -> timedelta:
    text = values.get(setting)
    if text is None:
        return default
    try:
        return parse_duration(text)
    except ValueError as error:
        raise values.error(setting, f"is {text!r}: {error}") from None


def _size_bytes(values: Values, setting: str) -> int | None:
    text = values.get(setting)
    if text is None:
        return None
    try:
        size_bytes = parse_size(text)
    except ValueError as error:
        raise values.error(setting, f"is {text!r}: {error}") from None
    if size_bytes < 1:
        raise values.error(setting, f"must be more than nothing, not {text!r}")
    return size_bytes


def _log_format(values: Values) -> LogFormat | None:
    text = values.get("log_format")
    if text is not None and text not in ("text", "json"):
        raise values.error("log_format", f"must be text or json, not {text!r}{nearest(text, ('text', 'json'))}")
    return cast("LogFormat | None", text)


def _refuse_overlaps(settings: Settings, values: Values) -> None:
    """DuckLake may delete what it finds under its data root, and nothing may write under the landing root."""
    landing, data = settings.landing_url, settings.data_url
    if landing.contains(data) or data.contains(landing):
        raise values.error(
            "data_url", f"must not be, hold or lie in the landing root: data is {data}, landing is {landing}"
        )
    catalog = settings.catalog_url if settings.catalog_is_embedded else None
    for setting, path in (("catalog_url", catalog), ("temp_dir", str(settings.temp_dir))):
        for kind, root in (("landing", landing), ("data", data)):
            if path is not None and root.contains(Location("file", path)):
                raise _inside(values, setting, path, kind)


def _inside(values: Values, setting: str, path: str, kind: str) -> ConfigError:
    return values.error(setting, f"must not lie in the {kind} root: {path}")
