"""Records whose key is wholly NULL: nothing tells of which record they are versions, so a person has to look."""

from __future__ import annotations

from lotuslake.core.finding import Finding
from lotuslake.core.stream import Stream


def null_keys_finding(stream: Stream, count: int) -> Finding:
    """What to say of ``count`` such records. With more of them it is another finding, so an accepted one opens again."""
    key = ", ".join(stream.primary_key)
    records = "1 record has" if count == 1 else f"{count:,} records have"
    table = f"processed.{stream.processed_model}"
    where = {
        "keep": f"each is a row of its own in {table}; `null_keys: drop` in the stream's file would leave them out",
        "drop": f"by `null_keys: drop` they are left out of {table} and stay in landing.{stream.landing_table}",
    }[stream.null_keys]
    return Finding(
        id=f"null_keys:{stream.id}:{stream.null_keys}:{count}",
        kind="null_keys",
        stream=stream.id,
        subject=key,
        reason=f"{records} no key, {key} being NULL: {where}",
    )
