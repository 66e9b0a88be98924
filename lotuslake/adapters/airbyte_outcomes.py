"""How syncs ended, as a running Airbyte tells: the sync id of a file is the number of its job."""

from __future__ import annotations

import logging

from lotuslake.core.airbyte_job import SUCCEEDED, UNDER_WAY
from lotuslake.core.content import Outcome
from lotuslake.core.errors import ConfigError, UnreachableError
from lotuslake.ports.airbyte import Airbyte

logger = logging.getLogger("lotuslake")


class AirbyteOutcomes:
    """Asks once a job and process."""

    def __init__(self, airbyte: Airbyte) -> None:
        self._airbyte = airbyte
        self._known: dict[int, Outcome | None] = {}

    def load_outcome(self, sync_id: int) -> Outcome | None:
        """See SyncOutcomes. While Airbyte does not answer, nothing new is taken for complete."""
        if sync_id not in self._known:
            self._known[sync_id] = self._ask(sync_id)
        return self._known[sync_id]

    def _ask(self, sync_id: int) -> Outcome | None:
        try:
            status = self._airbyte.load_job(sync_id).status
        except ConfigError as error:
            # A job of another Airbyte, or one that it has forgotten.
            logger.info("Airbyte does not tell of job %s: %s", sync_id, error.message)
            return None
        except UnreachableError as error:
            logger.warning("whether sync %s is complete is not known yet: %s", sync_id, error.message)
            return "under_way"
        if status in UNDER_WAY:
            return "under_way"
        return "succeeded" if status == SUCCEEDED else "failed"
