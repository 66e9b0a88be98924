"""The environment and flags as Settings."""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import pytest

from lotuslake.config.settings import Settings, load_settings
from lotuslake.core.errors import ConfigError, ExitCode
from lotuslake.core.location import Location
from lotuslake.core.stream import BatchLimits


def load(cwd: Path, environ: Mapping[str, str] | None = None, **flags: str | None) -> Settings:
    return load_settings(environ or {}, flags, cwd, machine_root=cwd / "machine")


def message_of(cwd: Path, environ: Mapping[str, str], **flags: str | None) -> str:
    with pytest.raises(ConfigError) as raised:
        load(cwd, environ, **flags)
    assert raised.value.exit_code == ExitCode.USAGE
    assert "\n" not in raised.value.message
    return raised.value.message


def test_with_nothing_set_everything_lies_in_the_project(tmp_path: Path) -> None:
    cgroup = tmp_path / "machine/sys/fs/cgroup"
    cgroup.mkdir(parents=True)
    (cgroup / "memory.max").write_text("1000000000\n")
    (cgroup / "cpu.max").write_text("100000 100000\n")
    assert load(tmp_path, {"HOME": "/root", "LOTUSLAKE_THREADS": ""}) == Settings(
        project_dir=tmp_path,
        landing_url=Location("file", f"{tmp_path}/.lotuslake/landing"),
        data_url=Location("file", f"{tmp_path}/.lotuslake/data"),
        catalog_url=f"{tmp_path}/.lotuslake/catalog.ducklake",
        landing_profile=None,
        data_profile=None,
        batch=BatchLimits(500, 512 * 1024**2, 500_000),
        memory_limit_bytes=600_000_000,
        threads=1,
        temp_dir=tmp_path / ".lotuslake/temp",
        log_format=None,
    )
    assert load(tmp_path).catalog_is_embedded


def test_every_variable(tmp_path: Path) -> None:
    settings = load(
        tmp_path,
        {
            "LOTUSLAKE_PROJECT_DIR": "shop",
            "LOTUSLAKE_LANDING_URL": "s3://landing/raw/",
            "LOTUSLAKE_DATA_URL": "s3://lake",
            "LOTUSLAKE_CATALOG_URL": "postgresql://me@db.internal:5432/lake?sslmode=verify-full",
            "LOTUSLAKE_LANDING_PROFILE": "reader",
            "LOTUSLAKE_DATA_PROFILE": "writer",
            "LOTUSLAKE_BATCH_MAX_FILES": "50",
            "LOTUSLAKE_BATCH_MAX_BYTES": "10MB",
            "LOTUSLAKE_BATCH_MAX_ROWS": "1_000",
            "LOTUSLAKE_MEMORY_LIMIT": "2GiB",
            "LOTUSLAKE_THREADS": "3",
            "LOTUSLAKE_TEMP_DIR": "spill",
            "LOTUSLAKE_LOG_FORMAT": "json",
        },
    )
    assert settings == Settings(
        project_dir=tmp_path / "shop",
        landing_url=Location("s3", "raw", "landing"),
        data_url=Location("s3", "", "lake"),
        catalog_url="postgresql://me@db.internal:5432/lake?sslmode=verify-full",
        landing_profile="reader",
        data_profile="writer",
        batch=BatchLimits(50, 10_000_000, 1000),
        memory_limit_bytes=2 * 1024**3,
        threads=3,
        temp_dir=tmp_path / "shop/spill",
        log_format="json",
    )
    assert not settings.catalog_is_embedded


def test_a_flag_wins(tmp_path: Path) -> None:
    settings = load(tmp_path, {"LOTUSLAKE_THREADS": "3", "LOTUSLAKE_DATA_URL": "a"}, threads="5", data_url=None)
    assert (settings.threads, settings.data_url.path) == (5, f"{tmp_path}/a")


@pytest.mark.parametrize(
    ("landing", "data"),
    [
        ("s3://b/p", "s3://b/p2"),
        ("s3://b/p", "s3://b/P"),
        ("s3://b/landing", "s3://b/data"),
        ("s3://b", "data"),
        ("lake/landing", "lake/landing2"),
        ("file:///srv/landing", "/srv/data"),
    ],
)
def test_roots_that_lie_apart(tmp_path: Path, landing: str, data: str) -> None:
    settings = load(tmp_path, {"LOTUSLAKE_LANDING_URL": landing, "LOTUSLAKE_DATA_URL": data})
    assert settings.landing_url != settings.data_url


@pytest.mark.parametrize(
    ("landing", "data"),
    [
        ("s3://b/p", "s3://b/p"),
        ("s3://b/p/", "s3://b/p"),
        ("s3://b/p", "S3://b/p/data"),
        ("s3://b/p/landing", "s3://b/p"),
        ("s3://b/p", "s3://b"),
        ("lake", "lake"),
        ("lake", "lake/"),
        ("lake", "./x/../lake"),
        ("lake", "lake/data"),
        ("lake/landing", "lake"),
        ("lake", "Lake/data"),
        ("lake", "link/data"),
        ("lake/landing", "."),
    ],
)
def test_roots_that_overlap(tmp_path: Path, landing: str, data: str) -> None:
    (tmp_path / "lake").mkdir()
    (tmp_path / "link").symlink_to("lake")
    environ = {"LOTUSLAKE_LANDING_URL": landing, "LOTUSLAKE_DATA_URL": data}
    told = message_of(tmp_path, environ)
    assert told.startswith("LOTUSLAKE_DATA_URL must not be, hold or lie in the landing root: data is ")


PASSWORD = "hunter2"


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("BACKUP_RETENTION", "30", "is '30': write a duration such as 45s, 30m, 2h or 1d 12h"),
        ("BACKUP_RETENTION", "a month", "is 'a month': write a duration such as 45s, 30m, 2h or 1d 12h"),
        ("LANDING_URL", "gs://b/p", "must be a folder, file:///folder or s3://bucket/prefix"),
        ("LANDING_URL", "s3://", "has no valid bucket name"),
        ("LANDING_URL", f"s3://key:{PASSWORD}@b/p", "has no valid bucket name"),
        ("LANDING_URL", "s3://b/a/../c", "must not have '.', '..' or empty parts in its prefix"),
        ("LANDING_URL", "s3://b//c", "must not have '.', '..' or empty parts"),
        ("LANDING_URL", "s3://b/raw*", "must not contain *, ?, [ or ]"),
        ("DATA_URL", "file://host/x", "must name a folder of this machine: file:///folder"),
        ("DATA_URL", "a[1]", "must not contain *, ?, [ or ]"),
        (
            "CATALOG_URL",
            f"postgresql://me:{PASSWORD}@db/lake",
            "must not hold a password: use PGPASSWORD, or PGPASSFILE",
        ),
        ("CATALOG_URL", f"postgres://me:{PASSWORD}@db/lake", "must not hold a password"),
        ("CATALOG_URL", f"POSTGRESQL://me:{PASSWORD}@db/lake", "must not hold a password"),
        ("CATALOG_URL", f"postgresql://me@db/lake?password={PASSWORD}", "must not hold a password"),
        ("CATALOG_URL", f"postgresql://me@db/lake?sslpassword={PASSWORD}", "must not hold a password"),
        ("CATALOG_URL", f"postgresql://me:{PASSWORD}/x@db/lake", "is not a valid URL"),
        ("CATALOG_URL", "postgresql://me@db:port/lake", "is not a valid URL"),
        ("CATALOG_URL", "postgresql://me@db:5432", "names no database"),
        ("CATALOG_URL", "postgresql://me@db:5432/", "names no database"),
        ("CATALOG_URL", f"mysql://me:{PASSWORD}@db/lake", "must be postgresql://user@host:port/dbname or the path"),
        (
            "CATALOG_URL",
            f"host=db dbname=lake password={PASSWORD}",
            "must be a URL: postgresql://user@host:port/dbname",
        ),
        ("CATALOG_URL", ".lotuslake/landing/catalog.ducklake", "must not lie in the landing root"),
        ("CATALOG_URL", ".lotuslake/data/catalog.ducklake", "must not lie in the data root"),
        ("TEMP_DIR", ".lotuslake/landing", "must not lie in the landing root"),
        ("BATCH_MAX_FILES", "many", "must be a whole number, 1 or more, not 'many'"),
        ("BATCH_MAX_FILES", "0", "must be a whole number, 1 or more, not '0'"),
        ("BATCH_MAX_ROWS", "-1", "must be a whole number, 1 or more, not '-1'"),
        ("BATCH_MAX_ROWS", "1e6", "must be a whole number, 1 or more, not '1e6'"),
        ("BATCH_MAX_BYTES", "lots", "is 'lots': write a size such as 512MiB"),
        ("BATCH_MAX_BYTES", "0", "must be more than nothing, not '0'"),
        ("MEMORY_LIMIT", "60%", "is '60%': write a size such as 512MiB"),
        ("THREADS", "2.5", "must be a whole number, 1 or more, not '2.5'"),
        ("LOG_FORMAT", "jsn", "must be text or json, not 'jsn'; did you mean 'json'?"),
        ("PROJECT_DIR", "a-file", "is not a folder"),
        ("LANDNG_URL", "x", "is not a setting; did you mean 'LOTUSLAKE_LANDING_URL'?"),
        ("THREAD", "2", "is not a setting; did you mean 'LOTUSLAKE_THREADS'?"),
    ],
)
def test_a_bad_setting(tmp_path: Path, name: str, value: str, message: str) -> None:
    (tmp_path / "a-file").touch()
    told = message_of(tmp_path, {f"LOTUSLAKE_{name}": value})
    assert told.startswith(f"LOTUSLAKE_{name} {message}")
    assert PASSWORD not in told


def test_a_bad_flag_is_named_as_a_flag(tmp_path: Path) -> None:
    told = message_of(tmp_path, {"LOTUSLAKE_BATCH_MAX_FILES": "5"}, batch_max_files="x")
    assert told == "--batch-max-files must be a whole number, 1 or more, not 'x'"


def test_a_path_that_cannot_be(tmp_path: Path) -> None:
    told = message_of(tmp_path, {"LOTUSLAKE_TEMP_DIR": "~nobody-of-that-name/x"})
    assert told.startswith("LOTUSLAKE_TEMP_DIR is not a usable path: ")


@pytest.mark.parametrize(
    "name",
    [
        "LOTUSLAKE_CATALOG_PORT",
        "LOTUSLAKE_CATALOG_SERVICE_HOST",
        "LOTUSLAKE_CATALOG_PORT_5432_TCP_ADDR",
        "LOTUSLAKE_SOMETHING_ELSE",
        "LOTUSLAKE",
        "OTHER_LANDNG_URL",
    ],
)
def test_variables_that_are_not_ours(tmp_path: Path, name: str) -> None:
    assert load(tmp_path, {name: "tcp://10.0.0.1:5432"}) == load(tmp_path)


def test_how_long_a_backup_finds_its_files(tmp_path: Path) -> None:
    assert load(tmp_path).backup_retention == timedelta(days=30)
    assert load(tmp_path, {"LOTUSLAKE_BACKUP_RETENTION": "1d 12h"}).backup_retention == timedelta(hours=36)
