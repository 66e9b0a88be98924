"""Where and as whom S3 is reached, resolved once by botocore's own chain for our requests and for DuckDB's."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from lotuslake.adapters.s3_errors import explained
from lotuslake.core.errors import ConfigError
from lotuslake.core.location import Location

if TYPE_CHECKING:
    from botocore.session import Session

DEFAULT_REGION = "us-east-1"
DEFAULT_MAX_ATTEMPTS = 5
CONNECT_TIMEOUT_SECONDS = 10
READ_TIMEOUT_SECONDS = 60
CONNECTIONS = 32


@dataclass(frozen=True, slots=True)
class DuckdbS3Secret:
    """What DuckDB's `CREATE SECRET (TYPE s3, …)` needs; ``endpoint`` is host:port, or None for AWS itself.

    Temporary credentials are as old as this object: ask S3Access again for fresh ones.
    """

    key_id: str
    secret: str = field(repr=False)
    session_token: str | None = field(repr=False)
    region: str
    endpoint: str | None
    use_ssl: bool
    url_style: Literal["path", "vhost"]
    scope: str


class S3Access:
    """One root in S3 with the session, endpoint and credentials to reach it; nothing is resolved before it is used.

    ``setting`` names where the root was configured, for messages.
    """

    def __init__(
        self,
        location: Location,
        *,
        profile: str | None = None,
        setting: str = "LOTUSLAKE_LANDING_URL",
        max_attempts: int = DEFAULT_MAX_ATTEMPTS,
    ) -> None:
        self.location = location
        self.profile = profile
        self.setting = setting
        self._max_attempts = max_attempts

    @cached_property
    def client(self) -> Any:
        """A botocore S3 client, for many threads."""
        with explained(self):
            return self._session.create_client(
                "s3", region_name=self.region, endpoint_url=self.endpoint_url, config=self._client_config()
            )

    @cached_property
    def region(self) -> str:
        """AWS_REGION, which botocore itself does not read, before AWS_DEFAULT_REGION and the profile."""
        with explained(self):
            return os.environ.get("AWS_REGION") or self._session.get_config_variable("region") or DEFAULT_REGION

    @cached_property
    def endpoint_url(self) -> str | None:
        """The configured endpoint, from AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL or the profile; None for AWS itself."""
        from botocore.configprovider import ConfiguredEndpointProvider

        with explained(self):
            if self._session.get_config_variable("ignore_configured_endpoint_urls"):
                return None
            provider = ConfiguredEndpointProvider(
                full_config=self._session.full_config,
                scoped_config=self._session.get_scoped_config(),
                client_name="s3",
            )
            endpoint: str | None = provider.provide()
        if endpoint is not None and not _is_http_url(endpoint):
            raise ConfigError("The S3 endpoint (AWS_ENDPOINT_URL_S3) must read http://host:port or https://host:port.")
        return endpoint

    def duckdb_secret(self) -> DuckdbS3Secret:
        """The credentials as they are now, for DuckDB; ConfigError when there are none."""
        with explained(self):
            credentials = self._session.get_credentials()
            frozen = None if credentials is None else credentials.get_frozen_credentials()
        if frozen is None or not frozen.access_key or not frozen.secret_key:
            raise ConfigError(f"No AWS credentials for {self.location}: set AWS_ACCESS_KEY_ID or a profile.")
        endpoint = None if self.endpoint_url is None else urlsplit(self.endpoint_url)
        return DuckdbS3Secret(
            key_id=frozen.access_key,
            secret=frozen.secret_key,
            session_token=frozen.token,
            region=self.region,
            endpoint=None if endpoint is None else endpoint.netloc.rpartition("@")[2] + endpoint.path.rstrip("/"),
            use_ssl=endpoint is None or endpoint.scheme == "https",
            url_style="vhost" if endpoint is None else "path",
            scope=str(self.location),
        )

    def __str__(self) -> str:
        """Where requests go, for messages: no user name or password that the endpoint's URL may hold."""
        if self.endpoint_url is None:
            return f"AWS S3 ({self.region})"
        url = urlsplit(self.endpoint_url)
        return f"{url.scheme}://{url.netloc.rpartition('@')[2]}"

    @cached_property
    def _session(self) -> Session:
        # Deferred: botocore takes half a second to import, which `lotuslake --help` must not pay.
        from botocore.session import Session

        return Session(profile=self.profile)

    def _client_config(self) -> Any:
        from botocore.config import Config

        own_endpoint = self.endpoint_url is not None
        # Checksums in trailers came with boto3 1.36; many S3-compatible stores refuse them.
        checksums: Literal["when_required", "when_supported"] = "when_required" if own_endpoint else "when_supported"
        return Config(
            connect_timeout=CONNECT_TIMEOUT_SECONDS,
            read_timeout=READ_TIMEOUT_SECONDS,
            max_pool_connections=CONNECTIONS,
            retries={"mode": "adaptive", "total_max_attempts": self._max_attempts},
            s3={"addressing_style": "path" if own_endpoint else "auto"},
            request_checksum_calculation=checksums,
            response_checksum_validation=checksums,
            user_agent_extra="lotuslake",
        )


def _is_http_url(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme in {"http", "https"} and bool(parts.hostname)
