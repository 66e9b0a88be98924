"""How syncs ended, by Airbyte's word for the status of a job.

The words are those of JobStatusEnum in Airbyte's API: https://reference.airbyte.com/reference/getjob
"""

from __future__ import annotations

from typing import Any, cast

import pytest

from lotuslake.adapters.airbyte_outcomes import AirbyteOutcomes
from lotuslake.core.airbyte_job import Job
from lotuslake.core.errors import ConfigError, LotusLakeError, UnreachableError
from lotuslake.ports.airbyte import Airbyte


class Jobs:
    """Answers for one job, and counts how often it is asked."""

    def __init__(self, answer: str | LotusLakeError) -> None:
        self.answer = answer
        self.asked: list[int] = []

    def load_job(self, job_id: int) -> Job:
        self.asked.append(job_id)
        if isinstance(self.answer, LotusLakeError):
            raise self.answer
        return Job(job_id, "connection", "sync", self.answer)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("succeeded", "succeeded"),
        ("failed", "failed"),
        ("cancelled", "failed"),
        ("pending", "under_way"),
        ("running", "under_way"),
        ("incomplete", "under_way"),
        (ConfigError("there is no job 7"), None),
        (UnreachableError("no answer"), "under_way"),
    ],
)
def test_a_job_is_asked_for_once(answer: Any, expected: str | None) -> None:
    jobs = Jobs(answer)
    outcomes = AirbyteOutcomes(cast("Airbyte", jobs))
    assert [outcomes.load_outcome(7), outcomes.load_outcome(7)] == [expected, expected]
    assert jobs.asked == [7]
