"""Where a running Airbyte is and who we are to it: from the environment alone, since part of it is secret."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from lotuslake.core.errors import ConfigError

URL = "AIRBYTE_API_URL"
CLIENT_ID = "AIRBYTE_CLIENT_ID"
CLIENT_SECRET = "AIRBYTE_CLIENT_SECRET"  # noqa: S105 - the name of a variable
_ROOTS = ("/api/public/v1", "/api/public", "/api/v1", "/api")


@dataclass(frozen=True, slots=True)
class AirbyteSettings:
    """``url`` is the server's root, without a slash at its end. Without credentials no token is sent."""

    url: str
    client_id: str | None = None
    client_secret: str | None = field(default=None, repr=False)


def load_airbyte_settings(environ: Mapping[str, str]) -> AirbyteSettings:
    """From `AIRBYTE_API_URL`, `AIRBYTE_CLIENT_ID` and `AIRBYTE_CLIENT_SECRET`. Raises ConfigError naming the variable."""
    url = environ.get(URL, "").strip().rstrip("/")
    if not url:
        raise ConfigError(f"--refresh-source needs {URL}: the root of a running Airbyte, such as http://localhost:8000")
    _check(url)
    client_id = environ.get(CLIENT_ID, "").strip() or None
    client_secret = environ.get(CLIENT_SECRET, "").strip() or None
    if (client_id is None) != (client_secret is None):
        given, missing = (CLIENT_ID, CLIENT_SECRET) if client_id else (CLIENT_SECRET, CLIENT_ID)
        raise ConfigError(f"{given} is set and {missing} is not: Airbyte's application has both")
    for root in _ROOTS:
        url = url.removesuffix(root)
    return AirbyteSettings(url, client_id, client_secret)


def _check(url: str) -> None:
    """Never repeats the URL: what is wrong with it may be a password."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise ConfigError(f"{URL} is not a valid URL: write one such as http://localhost:8000") from None
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ConfigError(f"{URL} must be the URL of a running Airbyte, such as http://localhost:8000")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ConfigError(f"{URL} must not hold a user, a password or a query: use {CLIENT_ID} and {CLIENT_SECRET}")
