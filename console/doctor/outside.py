"""Outside: the sources of the policy's signals, the venue, the cluster and what it allows, and the clocks."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Final

from console.doctor import Check, Finding, Health, absent, ok
from console.doctor.site import Site
from stages.exempt import flag_of
from stages.live_objects import Resource, asked_of, resource_of, workloads_of
from stages.signals import Quality

if TYPE_CHECKING:
    from console.ports import Fetch, KillFlag
    from stages.policy import Policy

SOURCE, VENUE, CLUSTER, CLOCK = "source", "venue", "cluster", "clock"

REQUEST: Final = 4.0
"""Seconds for one request to the API server or to Prometheus."""

SKEW: Final = 2.0
"""Seconds by which this clock may differ from another: approvals, leases and ages are told by it."""


def plain_checks(site: Site) -> Iterator[Check]:
    """What can be asked without a policy."""
    settings = site.wiring.settings
    if settings.kubernetes is None:
        yield Check(CLUSTER, "API server", partial(absent, "no cluster is configured: the runtime is not read back"))
    else:
        yield Check(CLUSTER, "API server", partial(_api_server, site))
    yield Check(CLOCK, "skew", partial(_skew, site))
    if settings.venue is None:
        yield Check(VENUE, "venue", partial(absent, "no venue is configured: a kill cannot block there"))


def policy_checks(site: Site, policy: Policy) -> Iterator[Check]:
    """What the policy wants read."""
    for fetch in site.wiring.outside.fetches(policy):
        yield Check(SOURCE, fetch.name, partial(_source, fetch))
    if site.wiring.settings.venue is not None:
        yield Check(VENUE, "account", partial(_venue, site, policy))
    if site.wiring.settings.kubernetes is not None:
        if (flag := site.wiring.outside.flag(policy)) is not None:
            yield Check(CLUSTER, "runtime flag", partial(_flag, flag))
        for namespace, group, plural, verb, name in policy_needs(policy):
            what = f"{verb} {plural}{'/' + name if name else ''}"
            yield Check(CLUSTER, what, partial(_allowed, site, namespace, group, plural, verb, name))


def _source(fetch: Fetch) -> Finding:
    fetched = fetch.read()
    if fetched.error:
        return Finding(Health.UNKNOWN, fetched.error, "see that it is up and that its address and login are right")
    wrong = {key.name: one for key, one in fetched.samples.items() if one.quality is not Quality.OK}
    latency = "" if fetched.latency_ms is None else f" in {fetched.latency_ms} ms"
    count = len(fetched.samples) + len(fetched.runtime)
    if wrong:
        name, sample = next(iter(wrong.items()))
        says = f"{len(wrong)} of {count} values are not there{latency}; {name}: {sample.detail or sample.quality.name}"
        return Finding(Health.NOTE, says, "correct the signal's source, or wait until the application tells it")
    return ok(f"{count} values{latency}")


def _venue(site: Site, policy: Policy) -> Finding:
    venue = site.wiring.venue
    assert venue is not None
    reading, wanted = venue.read(), policy.spec.target.account
    if (reading.account_label, reading.environment) != (wanted.label, wanted.environment):
        says = f"it is {reading.account_label} ({reading.environment}), the policy says {wanted.label}"
        return Finding(
            Health.NO, f"{says} ({wanted.environment})", "correct venue.url, or target.account in the policy"
        )
    blocked = ", blocked" if reading.blocked else ""
    return ok(f"{reading.account_label} ({reading.environment}){blocked}, {len(reading.open_orders)} working orders")


def _api_server(site: Site) -> Finding:
    said = site.wiring.outside.api_server.get("/version", seconds=REQUEST)
    return ok(str(said.get("gitVersion", "it answers")) if isinstance(said, dict) else "it answers")


def policy_needs(policy: Policy) -> Iterator[tuple[str, str, str, str, str]]:
    """What docs/rbac.yaml grants, for this policy: namespace, group, resource, verb, name."""
    target = policy.spec.target
    resources: dict[str, Resource] = {one.object: one for asked in asked_of(policy) for _, one in asked.places}
    resources |= {one.object: one for one in workloads_of(policy)}
    for one in resources.values():
        for verb in ("list", "watch"):
            yield target.namespace, one.group, one.plural, verb, one.name
    if resources:
        for plural in ("pods", "events"):
            for verb in ("list", "watch"):
                yield target.namespace, "", plural, verb, ""
    if policy.spec.gates.dry_run != "off":
        bound = (spec.binding for control in policy.spec.controls.values() for spec in control.bindings)
        for one in sorted({resource_of(binding) for binding in bound}, key=lambda one: one.object):
            yield target.namespace, one.group, one.plural, "patch", one.name
    if (flag := flag_of(policy)) is not None:
        for verb in ("get", "patch"):
            yield target.namespace, "", "configmaps", verb, flag.object.partition("/")[2]
    if target.application is not None:
        for verb in ("get", "list", "watch", "patch"):
            yield target.application.namespace, "argoproj.io", "applications", verb, target.application.name


def _flag(flag: KillFlag) -> Finding:
    """Whether the flag that a kill writes into the cluster would stay there."""
    if healed := flag.verify():
        return Finding(Health.NO, healed, "have the Application ignore the field, or leave the object out of it")
    return ok("the GitOps controller leaves it alone")


def _allowed(site: Site, namespace: str, group: str, plural: str, verb: str, name: str) -> Finding:
    attributes = {"namespace": namespace, "group": group, "resource": plural, "verb": verb, "name": name}
    if site.wiring.outside.api_server.may(attributes, seconds=REQUEST):
        return ok(f"allowed in {namespace}")
    return Finding(Health.NO, f"not allowed in {namespace}", "grant it; docs/rbac.yaml lists what is needed")


def _skew(site: Site) -> Finding:
    """This clock beside another: Prometheus's, else PostgreSQL's; asked in the middle of the request."""
    wiring = site.wiring
    before = wiring.clock.wall()
    if wiring.settings.prometheus is not None:
        other, name = wiring.outside.prometheus_clock(REQUEST), "Prometheus"
    elif (wiring.settings.ledger or "").startswith("postgresql"):
        other, name = wiring.ledger.writable(before, REQUEST), "the ledger"
    else:
        return absent("nothing here tells the time but this machine")
    after = wiring.clock.wall()
    slack = (after - before).total_seconds() / 2
    skew = (other - before).total_seconds() - slack
    if abs(skew) > SKEW + slack:
        return Finding(Health.NO, f"{name} is {skew:+.1f} s off this machine", "let NTP set both clocks")
    return ok(f"within {max(0.1, abs(skew)):.1f} s of {name}")
