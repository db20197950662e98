"""What can be said of a policy's sources before any of them is asked: expressions, statements and whom they reach."""

from __future__ import annotations

from collections.abc import Iterator

from stages.live_objects import bindings_of, resource_of
from stages.measures import KubernetesSource, Signal, Source
from stages.policy import ControlSpec, Policy
from stages.policy_source import Path, Problem
from stages.queries import PROCESS, event_time_problem, promql_problem, select_problem
from stages.refusal import Trouble


def check_sources(policy: Policy) -> Iterator[Problem]:
    """Every problem of the sources of signals and readbacks."""
    for name, signal in policy.spec.signals.items():
        at: Path = ("spec", "signals", name)
        yield from _check_source((*at, "source"), signal.source)
        if signal.source.kubernetes is not None:
            what = "live objects hold controls, not measurements"
            yield Problem((*at, "source", "kubernetes"), what, "read the signal by http, scrape, promql or sql")
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
        if control.readback.kubernetes is not None:
            yield from _check_live(at, control, control.readback.kubernetes)


def _check_live(at: Path, control: ControlSpec, source: KubernetesSource) -> Iterator[Problem]:
    """A readback from live objects needs bindings on objects whose kinds have a known place."""
    bound = {one.object for one in control.bindings}
    for name in source.objects:
        if name not in bound:
            fix = f"name one of {', '.join(sorted(bound)) or 'its bindings, of which it has none'}"
            yield Problem((*at, "kubernetes", "objects"), f"the control has no binding on {name}", fix)
    if not bound:
        yield Problem((*at, "kubernetes"), "there is no binding to read on a live object", "add bindings")
    for binding in bindings_of(control, source):
        try:
            resource_of(binding)
        except Trouble as trouble:
            yield Problem((*at, "kubernetes"), trouble.what, trouble.fix)


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
