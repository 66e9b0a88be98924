"""HTTP with a running Airbyte: the token, the time that an answer may take, and what each refusal means to a person."""

from __future__ import annotations

import http.client
import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from lotuslake.core.errors import ConfigError, LotusLakeError, SourceBusyError, UnreachableError

TOKEN_PATH = "/api/v1/applications/token"  # noqa: S105 - a route
TIMEOUT_SECONDS = 30.0
MAX_BODY_BYTES = 64 * 1024**2
MAX_MESSAGE = 300

_UNAUTHORIZED = 401
_REFUSED = {_UNAUTHORIZED, 403}
_NOT_FOUND = 404
_BUSY = {409, 423}
_PASSING = {408, 425, 429}
_CLIENT_ERRORS = range(400, 500)
_REDIRECTS = range(300, 400)


class _StayHere(urllib.request.HTTPRedirectHandler):
    """Follows nothing: another host must not be given the token."""

    def http_error_302(self, *_: object, **__: object) -> None:
        return None

    http_error_301 = http_error_303 = http_error_307 = http_error_308 = http_error_302


class _StatusError(Exception):
    """An answer that is none of success."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(status)
        self.status = status
        self.text = text


class AirbyteHttp:
    """The server at ``url``. A token is asked for when first needed, and once more when it has run out."""

    def __init__(
        self,
        url: str,
        client_id: str | None = None,
        client_secret: str | None = None,
        timeout_seconds: float = TIMEOUT_SECONDS,
    ) -> None:
        self._url = url
        self._client_id = client_id
        self._client_secret = client_secret
        self._timeout_seconds = timeout_seconds
        self._token: str | None = None
        self._opener = urllib.request.build_opener(_StayHere)
        parts = urlsplit(url)
        self._place = f"Airbyte at {parts.hostname}" + (f":{parts.port}" if parts.port else "")

    def ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Mapping[str, Any]:
        """One question, asked once more with a new token when the old one has run out."""
        had_token = self._token is not None
        try:
            return self._send(method, path, body, self._load_token())
        except _StatusError as error:
            if error.status != _UNAUTHORIZED or not had_token:
                raise self._refusal(error, path) from None
        self._token = None
        try:
            return self._send(method, path, body, self._load_token())
        except _StatusError as error:
            raise self._refusal(error, path) from None

    def _load_token(self) -> str | None:
        if self._client_id is None or self._token is not None:
            return self._token
        body = {"client_id": self._client_id, "client_secret": self._client_secret, "grant-type": "client_credentials"}
        try:
            answer = self._send("POST", TOKEN_PATH, body, None)
        except _StatusError as error:
            raise self._refusal(error, TOKEN_PATH) from None
        token = answer.get("access_token")
        if not isinstance(token, str) or not token:
            raise self.garbage("gives no token")
        self._token = token
        return token

    def _send(self, method: str, path: str, body: Mapping[str, Any] | None, token: str | None) -> Mapping[str, Any]:
        headers = {"Accept": "application/json", "User-Agent": "lotuslake"}
        data = None
        if body is not None:
            data = json.dumps(body).encode()
            headers["Content-Type"] = "application/json"
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        request = urllib.request.Request(self._url + path, data, headers, method=method)  # noqa: S310 - http or https
        try:
            with self._opener.open(request, timeout=self._timeout_seconds) as answer:
                return self._document(answer.read(MAX_BODY_BYTES))
        except urllib.error.HTTPError as error:
            raise _StatusError(error.code, _body_of(error)) from None
        except TimeoutError:
            raise UnreachableError(f"{self._place} did not answer within {self._timeout_seconds:g} s") from None
        except (OSError, http.client.HTTPException) as error:
            why = getattr(error, "reason", None) or error
            told = getattr(why, "strerror", None) or str(why)
            raise UnreachableError(f"{self._place} does not answer: {self._clean(told)}") from None

    def _document(self, body: bytes) -> Mapping[str, Any]:
        if not body.strip():
            return {}
        try:
            document = json.loads(body)
        except ValueError:
            raise self.garbage("is no JSON") from None
        if not isinstance(document, Mapping):
            raise self.garbage("is no JSON object")
        return document

    def garbage(self, what: str) -> UnreachableError:
        """The error of an answer that is not what Airbyte's description promises."""
        return UnreachableError(f"{self._place}: its answer {what}; does AIRBYTE_API_URL name Airbyte's own root?")

    def _refusal(self, error: _StatusError, path: str) -> LotusLakeError:
        """What an answer means to the person."""
        told = self._clean(_message_of(error.text))
        at = f"{self._place}, {path.partition('?')[0]}: HTTP {error.status}{': ' + told if told else ''}"
        if error.status in _REFUSED:
            what = "AIRBYTE_CLIENT_ID and AIRBYTE_CLIENT_SECRET must be those of an application that may run syncs"
            return ConfigError(f"{at}; {what}")
        if error.status in _BUSY:
            return SourceBusyError(f"{at}; a sync of the connection is running: wait, then run the same command again")
        if error.status == _NOT_FOUND:
            return ConfigError(
                f"{at}; is AIRBYTE_API_URL Airbyte's own root, and connection_id one of its connections?"
            )
        if error.status in _REDIRECTS:
            return ConfigError(f"{at}; it sends us elsewhere, where the token must not follow: mend AIRBYTE_API_URL")
        if error.status in _CLIENT_ERRORS and error.status not in _PASSING:
            return ConfigError(at)
        return UnreachableError(at)

    def _clean(self, text: str) -> str:
        for secret in (self._client_secret, self._token):
            if secret:
                text = text.replace(secret, "***")
        text = " ".join(text.split())
        return text if len(text) <= MAX_MESSAGE else text[:MAX_MESSAGE] + "…"


def _body_of(error: urllib.error.HTTPError) -> str:
    with error:
        try:
            return error.read(10_000).decode("utf-8", "replace")
        except (OSError, http.client.HTTPException):
            return ""


def _message_of(text: str) -> str:
    """What Airbyte says in its error document; a page of a proxy says nothing that helps."""
    try:
        document = json.loads(text)
    except ValueError:
        return ""
    if not isinstance(document, Mapping):
        return ""
    said = [document.get(key) for key in ("title", "detail", "message")]
    return ": ".join(dict.fromkeys(part for part in said if isinstance(part, str) and part))
