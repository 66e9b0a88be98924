"""Opens a DuckDB with the extensions, the bounds and the secrets that a lake wants."""

from __future__ import annotations

import logging
from importlib import import_module
from pathlib import Path

import duckdb

from lotuslake.adapters.aws import DuckdbS3Secret
from lotuslake.adapters.instance_options import InstanceOptions
from lotuslake.core.errors import ConfigError

logger = logging.getLogger("lotuslake")


def open_duckdb(name: str, options: InstanceOptions) -> duckdb.DuckDBPyConnection:
    """A connection to the named in-memory database. Raises ConfigError where a setting does not do."""
    _make_spill_folder(options.temp_dir)
    # No config here: dbt opens the same name without one, and DuckDB wants both to be alike.
    connection = duckdb.connect(name)
    _set_bounds(connection, options)
    for extension in options.extensions:
        connection.execute(f"LOAD {quote_literal(str(extension_path(extension)))}")
    if options.uses_s3:
        _forget_s3_variables(connection)
        connection.execute("SET GLOBAL enable_http_metadata_cache = true")
        # Else each file is read over a connection of its own: one or, with TLS, three more ways to the store and back.
        connection.execute("SET GLOBAL httpfs_connection_caching = true")
        # A key is a name and no pattern: without this, `?` and `[` in a key are not found.
        connection.execute("SET GLOBAL s3_url_compatibility_mode = true")
    for number, secret in enumerate(options.secrets):
        _create_secret(connection, f"root_{number}", secret)
    return connection


def _forget_s3_variables(connection: duckdb.DuckDBPyConnection) -> None:
    """Only the roots' secrets say where a store is and who we are to it.

    httpfs takes AWS_* and DUCKDB_S3_* from the environment when it is loaded, and what a secret leaves out from these:
    the session token of another account, or another endpoint.
    """
    for (name,) in connection.execute("SELECT name FROM duckdb_settings() WHERE starts_with(name, 's3_')").fetchall():
        connection.execute(f"RESET GLOBAL {name}")


def _make_spill_folder(folder: Path) -> None:
    """DuckDB makes the last folder alone. Where none can be made, what spills fails, and what only reads a little does not."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        logger.debug("no folder to spill to: %s", error)


def _set_bounds(connection: duckdb.DuckDBPyConnection, options: InstanceOptions) -> None:
    bounds = {
        "memory_limit": f"{options.memory_limit_bytes // 1024**2}MiB",
        "threads": options.threads,
        "temp_directory": str(options.temp_dir),
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "TimeZone": "UTC",
    }
    if options.temp_limit_bytes is not None:
        bounds["max_temp_directory_size"] = f"{options.temp_limit_bytes // 1024}KiB"
    for name, value in bounds.items():
        connection.execute(f"SET GLOBAL {name} = {quote_literal(str(value))}")
    # It would be drawn on stdout, which is the result's.
    connection.execute("SET enable_progress_bar = false")


def extension_path(name: str) -> Path:
    """The extension's file in its wheel; nothing is downloaded."""
    package = import_module(f"duckdb_extension_{name}")
    folder = Path(str(package.__file__)).parent / "extensions" / f"v{duckdb.__version__}"
    return folder / f"{name}.duckdb_extension"


def quote_literal(text: str) -> str:
    """Text as an SQL string, for statements that take no parameters."""
    escaped = text.replace("'", "''")
    return f"'{escaped}'"


def _create_secret(connection: duckdb.DuckDBPyConnection, name: str, secret: DuckdbS3Secret) -> None:
    options = {
        "KEY_ID": secret.key_id,
        "SECRET": secret.secret,
        "SESSION_TOKEN": secret.session_token,
        "REGION": secret.region,
        "ENDPOINT": secret.endpoint,
        "URL_STYLE": secret.url_style,
        "SCOPE": secret.scope,
    }
    given = ", ".join(f"{key} {quote_literal(value)}" for key, value in options.items() if value)
    statement = f"CREATE OR REPLACE TEMPORARY SECRET {name} (TYPE s3, {given}, USE_SSL {str(secret.use_ssl).lower()})"
    try:
        connection.execute(statement)
    except duckdb.Error as error:
        # Not chained: DuckDB repeats the statement, and with it the secret.
        raise ConfigError(
            f"DuckDB does not take the S3 credentials for {secret.scope}: {type(error).__name__}"
        ) from None
