"""The history of a real environment."""

from __future__ import annotations

from lambdatui.history import Kind
from tests.service.conftest import Laboratory


async def test_a_real_environment_that_times_out_and_is_used_again(laboratory: Laboratory) -> None:
    await laboratory.create(
        """
        import time

        def handler(event, context):
            time.sleep(event)
        """,
        timeout=1,
    )
    first, second = await laboratory.invoke("5"), await laboratory.invoke("0")
    (environment,) = laboratory.lab.environments.values()
    spans = environment.history.spans
    assert spans[0].start == environment.created_at and spans[-1].end is None
    lasting = (Kind.RUNTIME_INIT, Kind.INVOKE, Kind.RESET, Kind.FROZEN)
    kinds = [span.kind for span in spans if span.kind in lasting]
    start = [Kind.RUNTIME_INIT, Kind.INVOKE]
    assert kinds == [*start, Kind.RESET, *start, Kind.FROZEN]
    assert [(each.request_id, each.outcome) for each in spans if each.kind is Kind.INVOKE] == [
        (first.request_id, "timed_out"),
        (second.request_id, "succeeded"),
    ]
    again = [each for each in spans if each.kind is Kind.RUNTIME_INIT]
    assert [each.request_id for each in again] == [None, second.request_id], "the second is paid in the invocation"
