"""Trace headers, and the functions that they have come through."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from lambdatui.service.trace import Trace

ARNS = st.sampled_from(["arn:aws:lambda:us-east-1:000000000000:function:F", "arn:G", "arn:H"])


@given(st.lists(ARNS, max_size=30))
def test_a_header_counts_every_visit(way: list[str]) -> None:
    trace = root = Trace()
    for arn in way:
        trace = Trace.parse(str(trace)).through(arn)
    assert trace.root == root.root
    assert {arn: trace.visits(arn) for arn in way} == {arn: way.count(arn) for arn in way}
    assert Trace.parse(str(trace)) == trace


def test_the_form_of_a_header() -> None:
    trace = Trace.parse("Self=1-2;Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1")
    assert re.fullmatch(
        "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=[0-9a-f]{16};Sampled=1;Lineage=[0-9a-f]{8}:0",
        str(trace.through("arn:F")),
    )


@given(st.text())
def test_what_is_no_header_is_a_new_trace(text: str) -> None:
    trace = Trace.parse(text)
    assert Trace.parse(str(trace)) == trace
