"""What a stream's file says about the rows and columns of its processed table, beside the model's SQL."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from lotuslake.core.model import Model
from lotuslake.core.stream import Stream
from lotuslake.core.version_columns import name_version_columns


def shaped_by(stream: Stream, models: Mapping[str, Model]) -> Model:
    """The stream's processed model, with that in its hash, so that a change asks for a rebuild.

    What is as in most streams leaves the hash as it is.
    """
    model = models[stream.processed_model]
    said = list(name_version_columns(stream).unusual)
    if stream.null_keys != "keep":
        said.append(f"null_keys={stream.null_keys}")
    return replace(model, hash=":".join([model.hash, *said]))
