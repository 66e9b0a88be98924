"""What the error codes of S3 mean here: the settings that are wrong, and what another try may cure.

The codes are those of the API reference, "Error responses"
(https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html); SeaweedFS and MinIO answer with the same ones.
"""

from __future__ import annotations

import re

_WRONG_KEY = "the access key is not known there: check AWS_ACCESS_KEY_ID, AWS_PROFILE"
_WRONG_REGION = "the bucket is in another region: set AWS_REGION"
_EXPIRED = "the session has expired: renew the credentials"
ACCESS_DENIED = "access denied: check the credentials and what they may do"
# The same request would be refused for ever.
WRONG_SETTINGS = {
    "AuthorizationHeaderMalformed": _WRONG_REGION,
    "ExpiredToken": _EXPIRED,
    "ExpiredTokenException": _EXPIRED,
    "IllegalLocationConstraintException": _WRONG_REGION,
    "InvalidAccessKeyId": _WRONG_KEY,
    "InvalidBucketName": "this is no bucket name",
    "InvalidToken": "the session token is not valid: check AWS_SESSION_TOKEN",
    "NoSuchBucket": "there is no such bucket",
    "PermanentRedirect": _WRONG_REGION,
    "SignatureDoesNotMatch": "the secret key does not fit the access key: check AWS_SECRET_ACCESS_KEY",
    "301": _WRONG_REGION,
}
# A store under strain, or whose policies are just being changed, denies what it granted before.
REFUSALS = {
    "AccessDenied": ACCESS_DENIED,
    "RequestTimeTooSkewed": "the clock of this machine is wrong",
}

# DuckDB tells the code and the service's text below its own line.
_QUOTED_CODE = re.compile(rf"^\s*(?P<code>{'|'.join(WRONG_SETTINGS)}): ", re.MULTILINE)
_PLACE = re.compile(r"\b(?P<place>(?:s3|https?)://[^'\s]+?)(?=['\s]|: )")


def find_wrong_setting(text: str) -> str | None:
    """What is wrong where DuckDB's request was refused for good: place, cause and code; None for anything else."""
    code = _QUOTED_CODE.search(text)
    place = _PLACE.search(text)
    if code is None or place is None:
        return None
    remedy = ": set LOTUSLAKE_DATA_URL or LOTUSLAKE_LANDING_URL right" if "Bucket" in code["code"] else ""
    return f"{place['place']}: {WRONG_SETTINGS[code['code']]} ({code['code']}){remedy}"
