"""Loaded by a connector's Python at its start, for the tests alone: every HTTP request goes to the imitation.

The connectors build `https://{shop}.myshopify.com/…` and `https://a.klaviyo.com/…` themselves and take no other host.
The connector believes that the host that it named has answered; whatever is not served by the imitation fails.
"""

from __future__ import annotations

import os
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter

_send = HTTPAdapter.send


def send_to_imitation(self: HTTPAdapter, request: requests.PreparedRequest, **options: Any) -> requests.Response:
    named = str(request.url)
    parts = urlsplit(named)
    request.headers["X-Named-Host"] = parts.netloc
    request.url = os.environ["API_IMITATION_URL"] + parts._replace(scheme="", netloc="").geturl()
    options["proxies"] = {}
    try:
        response = _send(self, request, **options)
    finally:
        request.url = named
    response.url = named
    return response


HTTPAdapter.send = send_to_imitation  # type: ignore[assignment,method-assign]
