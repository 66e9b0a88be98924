"""A Prometheus Pushgateway: https://github.com/prometheus/pushgateway#api describes what it takes."""

from __future__ import annotations

import http.client
import urllib.error
import urllib.request
from urllib.parse import urlsplit

from lotuslake.core.errors import ConfigError, UnreachableError

JOB = "lotuslake"
TIMEOUT_SECONDS = 10


class Pushgateway:
    """The gateway at ``url``; PUT replaces the whole group `job="lotuslake"`."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ConfigError("--push must be the URL of a Pushgateway, such as http://pushgateway:9091")
        self._url = f"{url.rstrip('/')}/metrics/job/{JOB}"
        # Never with the user and password that a URL may hold.
        self._place = parts.hostname if parts.port is None else f"{parts.hostname}:{parts.port}"

    def push(self, text: str) -> None:
        request = urllib.request.Request(  # noqa: S310 - http or https, see __init__
            self._url, data=text.encode(), method="PUT", headers={"Content-Type": "text/plain; version=0.0.4"}
        )
        try:
            urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS).close()  # noqa: S310 - as above
        except urllib.error.HTTPError as error:
            error.close()
            raise UnreachableError(
                f"the Pushgateway at {self._place} does not take the metrics: HTTP {error.code}"
            ) from None
        except (OSError, http.client.HTTPException) as error:
            why = getattr(error, "reason", None) or error
            raise UnreachableError(f"the Pushgateway at {self._place} does not answer: {why}") from None
