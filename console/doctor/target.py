"""The target: its repository, ledger, policy, roster and calendar."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Final

from console.doctor import Check, Finding, Health, absent, ok
from console.doctor.site import Site
from stages.policy_text import digest
from widgets.figures import age

if TYPE_CHECKING:
    from stages.policy import Policy

GIT, LEDGER, POLICY, SIGNER = "Git", "ledger", "policy", "signer"

SOON_DAYS: Final = 30
"""A calendar that ends within this time is worth a word."""

LEDGER_SECONDS: Final = 2.0


def target_checks(site: Site) -> Iterator[Check]:
    """What can be asked before any policy is known."""
    settings = site.wiring.settings
    if settings.repository is None:
        yield Check(GIT, "remote", partial(absent, "no repository is configured", "add repository: {remote: URL}"))
    else:
        yield Check(GIT, "remote", partial(_remote, site))
        yield Check(GIT, "push", partial(_push, site))
    if settings.ledger is None:
        yield Check(LEDGER, "ledger", partial(absent, "no ledger is configured", "add ledger: sqlite:///FILE"))
    else:
        away = Health.NO if settings.ledger.startswith("sqlite:") else Health.UNKNOWN
        yield Check(LEDGER, "writable", partial(_ledger, site), trouble=away)
        yield Check(LEDGER, "observations", partial(_observations, site), trouble=away)
        yield Check(LEDGER, "watch", partial(_lease, site), trouble=away)
    if settings.identity is None or settings.identity.key is None:
        fix = "add identity: {name: alice, key: ~/.ssh/id_ed25519}"
        yield Check(SIGNER, "key", partial(absent, "no key: nothing can be approved or raised from here", fix))
    elif settings.repository is not None:
        yield Check(SIGNER, "key", partial(_signer, site), trouble=Health.NO)
    if settings.policy is not None or site.wiring.policy_file is not None:
        yield Check(POLICY, "loads", partial(_loads, site), trouble=Health.NO)
        yield Check(POLICY, "adopted", partial(_adopted, site))
    else:
        yield Check(POLICY, "loads", partial(absent, "no policy is configured", "run 'rampdeck policy init FOLDER'"))


def calendar_check(site: Site, policy: Policy) -> Check:
    """How far the policy's calendar reaches."""
    return Check(POLICY, "calendar", partial(_calendar, site, policy))


def _remote(site: Site) -> Finding:
    repository = site.wiring.settings.repository
    assert repository is not None
    return ok(f"{repository.branch} is at {site.head()[:8]}")


def _push(site: Site) -> Finding:
    """A dry run: nothing is pushed."""
    site.head()
    repository = site.wiring.settings.repository
    assert repository is not None
    answer = site.wiring.repository.may_push()
    if answer.outcome == "pushed":
        return ok(f"{repository.branch} may be pushed to (asked as a dry run; hooks and rules of the branch are not)")
    if answer.outcome == "unknown":
        return Finding(Health.UNKNOWN, f"the remote gave no answer: {answer.message}", "see whether it is reachable")
    fix = "ask for write access, or set repository.advance and reduce to 'branch'"
    return Finding(Health.NO, f"{repository.branch} may not be pushed to: {answer.message}", fix)


def _ledger(site: Site) -> Finding:
    wiring = site.wiring
    wiring.ledger.writable(wiring.clock.wall(), LEDGER_SECONDS)
    head = wiring.ledger.head()
    waiting = ", and decisions wait in the spill to be merged" if wiring.spill.waiting() else ""
    return ok(f"{head.seq} entries{waiting}")


def _observations(site: Site) -> Finding:
    """Whether ticks can be kept; begun once more, because a store that is away is only found so when it is used."""
    store, now = site.wiring.observations, site.wiring.clock.wall()
    store.begin()
    store.writable(LEDGER_SECONDS)
    newest = store.newest_tick()
    return ok(f"newest tick {age((now - newest.at).total_seconds())} ago" if newest else "no tick yet")


def _lease(site: Site) -> Finding:
    held = site.wiring.lease.current()
    if held is None or not held.alive(site.wiring.clock.wall()):
        return Finding(Health.NOTE, "nobody watches", "run 'rampdeck watch --act' where it stays up")
    return ok(f"{held.holder}, term {held.term}")


def _signer(site: Site) -> Finding:
    wiring = site.wiring
    assert wiring.settings.identity is not None
    name = wiring.settings.identity.name
    roster, signers, _ = wiring.read_roster(site.head())
    principal = wiring.signer.principal(signers)
    where = wiring.roster_paths
    if principal is None:
        return Finding(
            Health.NO, "the key signs, and nobody in the roster owns it", f"add its public half to {where[0]}"
        )
    if principal != name:
        says = f"the key is {principal}'s, identity.name is {name}"
        return Finding(Health.NO, says, f"set identity.name to {principal}")
    roles = ", ".join(sorted(roster.roles(name)))
    if not roles:
        return Finding(Health.NO, f"{name} has no role", f"name {name} in {where[1]}")
    return ok(f"{name}: {roles}")


def _loads(site: Site) -> Finding:
    policy, _ = site.policy()
    return ok(f"{policy.name} version {policy.spec.version}, {len(policy.stages)} stages")


def _adopted(site: Site) -> Finding:
    state = site.wiring.ledger.state()
    if state.policy is None or state.roster is None:
        missing = "policy" if state.policy is None else "roster"
        return Finding(Health.NO, f"no {missing} is adopted", "run 'rampdeck policy adopt'")
    _, text = site.policy()
    if digest(text) != state.policy.digest:
        says = f"version {state.policy.version} is in force, another one is PENDING"
        return Finding(Health.NOTE, says, "read its difference, then 'rampdeck policy adopt'")
    return ok(f"version {state.policy.version} is in force")


def _calendar(site: Site, policy: Policy) -> Finding:
    until = policy.spec.target.session.calendar_until
    left = (until - site.wiring.clock.market(site.wiring.clock.wall()).date()).days
    fix = "extend holidays and target.session.calendarUntil in the policy, and adopt it"
    if left < 0:
        return Finding(Health.NO, f"it ended on {until}: every session is unknown", fix)
    return (
        Finding(Health.NOTE, f"it ends on {until}, in {left} days", fix) if left < SOON_DAYS else ok(f"until {until}")
    )
