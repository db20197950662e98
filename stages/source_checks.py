"""What can be said of a policy's sources before any of them is asked: expressions, statements and whom they reach."""

from __future__ import annotations

from collections.abc import Iterator

from stages.measures import Signal, Source
from stages.policy import Policy
from stages.policy_source import Path, Problem
from stages.queries import PROCESS, event_time_problem, promql_problem, select_problem


def check_sources(policy: Policy) -> Iterator[Problem]:
    """Every problem of the sources of signals and readbacks."""
    for name, signal in policy.spec.signals.items():
        at: Path = ("spec", "signals", name)
        yield from _check_source((*at, "source"), signal.source)
        if signal.source.promql is not None:
            yield from _check_promql(policy, at, signal)
    for name, control in policy.spec.controls.items():
        if control.readback is None:
            continue
        at = ("spec", "controls", name, "readback")
        yield from _check_source(at, control.readback)
        if control.readback.promql is not None:
            what = "PromQL is no readback: a value may be five minutes old and look like the present"
            yield Problem((*at, "promql"), what, "read the process itself by http or scrape")


def _check_source(at: Path, source: Source) -> Iterator[Problem]:
    if source.promql is not None:
        wrong = promql_problem(source.promql.query)
        if wrong is not None:
            yield Problem((*at, "promql", "query"), wrong, "correct the expression")
    if source.sql is not None:
        wrong = select_problem(source.sql.query)
        if wrong is not None:
            yield Problem((*at, "sql", "query"), wrong, "write one SELECT that returns one row")


def _check_promql(policy: Policy, at: Path, signal: Signal) -> Iterator[Problem]:
    source = signal.source.promql
    assert source is not None
    asked = (source.query, signal.event_time or "")
    if signal.event_time is not None:
        wrong = event_time_problem(signal.event_time)
        if wrong is not None:
            fix = "write timestamp(METRIC) of the raw series, or a gauge that holds the time"
            yield Problem((*at, "eventTime"), wrong, fix)
    if not signal.unit.is_number:
        yield Problem((*at, "unit"), "Prometheus holds numbers, not words", "use a unit of number, or http")
    if source.process is None and any(PROCESS in one for one in asked):
        fix = "add process: the name of the endpoint whose series these are"
        yield Problem((*at, "source"), f"{PROCESS} stands for no process", fix)
    for stage in policy.stages:
        if source.process in stage.endpoints and PROCESS not in source.query:
            what = f"{stage.name} reads another {source.process}, but the expression always reads the same series"
            yield Problem((*at, "source"), what, f'choose the series by {PROCESS}, such as job="{PROCESS}"')
