"""Turns botocore's errors into one plain line and an exit code.

Only error codes, never the service's or the library's own text: that may quote a request with its credentials.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import TYPE_CHECKING

from lotuslake.adapters.s3_codes import ACCESS_DENIED, REFUSALS, WRONG_SETTINGS
from lotuslake.core.errors import ConfigError, LotusLakeError, RefusedError, UnreachableError
from lotuslake.core.os_errors import disk_full

if TYPE_CHECKING:
    from botocore.exceptions import ClientError

    from lotuslake.adapters.aws import S3Access


@contextmanager
def explained(access: S3Access, path: str | None = None, *, writes: bool = False) -> Iterator[None]:
    """Raise botocore's errors as ConfigError or UnreachableError that say which bucket, endpoint and object.

    botocore is imported only once something was raised, or else a run without S3 would pay for it.
    """
    try:
        yield
    except LotusLakeError:
        raise
    except Exception as error:
        told = _told(error, access, path, writes=writes)
        if told is None:
            raise
        # Without its cause: botocore quotes requests, and a trace of it could end in a log.
        raise told from None


def error_code(error: ClientError) -> str:
    """The service's code, such as `NoSuchKey`; for a reply without a body the HTTP status."""
    return str(error.response.get("Error", {}).get("Code", ""))


def _told(error: Exception, access: S3Access, path: str | None, *, writes: bool) -> LotusLakeError | None:
    from botocore import exceptions as aws
    from urllib3.exceptions import HTTPError

    wrong_setting = _wrong_setting(error, access)
    if wrong_setting is not None:
        return ConfigError(wrong_setting)
    if isinstance(error, aws.ClientError):
        return _told_by_service(error, access, path, writes=writes)
    if isinstance(error, aws.BotoCoreError | HTTPError):
        return UnreachableError(f"{_place(access, path)}: {_network_cause(error)}.")
    return None


def _wrong_setting(error: Exception, access: S3Access) -> str | None:
    """What is wrong on this side, before any request was sent."""
    from botocore import exceptions as aws

    if isinstance(error, aws.ProfileNotFound):
        return f"The AWS profile {access.profile or _default_profile()!r} does not exist."
    if isinstance(error, aws.NoCredentialsError | aws.PartialCredentialsError):
        remedy = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE"
        return f"No complete AWS credentials for {access.location}: {remedy}."
    if isinstance(error, aws.ConfigParseError | aws.InvalidConfigError):
        return "The AWS configuration files cannot be read: check AWS_CONFIG_FILE and ~/.aws."
    if isinstance(error, aws.ParamValidationError | aws.InvalidRegionError):
        return f"{access.setting}: {access.location} or its region is not a valid name."
    return None


def _told_by_service(error: ClientError, access: S3Access, path: str | None, *, writes: bool) -> LotusLakeError:
    code = error_code(error)
    if code in WRONG_SETTINGS:
        place = f"{access.setting}: {access.location} at {access}"
        return RefusedError(f"{place}: {WRONG_SETTINGS[code]} ({code}).")
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if status == HTTPStatus.INSUFFICIENT_STORAGE:
        return disk_full(f"{_place(access, path)}: the store has no room left")
    if code in REFUSALS:
        cause = REFUSALS[code]
    elif status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        cause = ACCESS_DENIED
    elif status >= HTTPStatus.INTERNAL_SERVER_ERROR or code == "SlowDown":
        cause = "the store is in trouble or overloaded" + ("; look whether it has room" if writes else "")
    elif status == HTTPStatus.NOT_FOUND:
        cause = "it is gone"
    else:
        cause = "the store refused the request; is the scheme of the endpoint right?"
    return UnreachableError(f"{_place(access, path)}: {cause} (HTTP {status}{_named(code, status)}).")


def _named(code: str, status: int) -> str:
    return "" if not code.isalnum() or code == str(status) else f" {code}"


def _network_cause(error: Exception) -> str:
    from botocore import exceptions as aws

    # In this order: the later ones are also kinds of connection error.
    causes: tuple[tuple[type[Exception], str], ...] = (
        (aws.SSLError, "TLS failed: check certificate, AWS_CA_BUNDLE, and that the endpoint speaks https"),
        (aws.ProxyConnectionError, "the proxy does not answer: check HTTPS_PROXY and NO_PROXY"),
        (aws.ConnectTimeoutError, "no connection in time"),
        (aws.ReadTimeoutError, "no answer in time"),
        (aws.EndpointConnectionError, "nothing answers there"),
        (aws.ConnectionClosedError, "the connection was cut; is the scheme of the endpoint right?"),
        (aws.IncompleteReadError, "the body ended too early"),
        (aws.ResponseStreamingError, "the connection was cut while reading"),
    )
    named = next((cause for kind, cause in causes if isinstance(error, kind)), None)
    return named or f"the request failed ({type(error).__name__})"


def _place(access: S3Access, path: str | None) -> str:
    return f"{access.location.join(path or '')} at {access}"


def _default_profile() -> str:
    return os.environ.get("AWS_PROFILE") or os.environ.get("AWS_DEFAULT_PROFILE") or "default"
