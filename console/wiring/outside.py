"""What a target is read from: its sources, its venue, its cluster and its GitOps controller."""

from __future__ import annotations

from functools import cached_property, partial
from typing import TYPE_CHECKING, Final

from stages.refusal import Trouble

if TYPE_CHECKING:
    from datetime import datetime

    from console.config import Settings
    from console.ports import Clock, Fetch
    from console.runtime.api import ApiServer
    from console.runtime.argocd import ArgoCd
    from console.runtime.dry_run import ServerSideDryRun
    from console.runtime.flag import ExemptFlag
    from console.runtime.kubernetes import ClusterWitness
    from console.sources.prometheus import Server
    from console.venue.demo import DemoVenue
    from console.venue.probing import DemoProbes
    from stages.policy import Policy

__all__ = ["VENUE_TIMEOUT", "Outside"]

VENUE_TIMEOUT: Final = 2.0
"""Seconds that one call to the venue may take."""


class Outside:
    """The witnesses that the configuration names; nothing is asked by making it."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self.settings = settings
        self.clock = clock
        self._cluster: tuple[Policy, ClusterWitness] | None = None

    @cached_property
    def venue(self) -> DemoVenue | None:
        """The venue witness; None when none is configured."""
        if self.settings.venue is None:
            return None
        from console.venue.demo import DemoVenue

        return DemoVenue(self.settings.venue.url, VENUE_TIMEOUT)

    @cached_property
    def probes(self) -> DemoProbes:
        """The venue of a drill's target, on which probe orders may be sent. Raises Trouble without one."""
        from console.venue.probing import DemoProbes

        venue = self.settings.venue
        if venue is None or venue.app is None:
            raise Trouble("'venue.app' is not configured", where=str(self.settings.origin), fix="add its URL")
        return DemoProbes(venue.url, venue.app, VENUE_TIMEOUT)

    def prometheus_clock(self, seconds: float) -> datetime:
        """The time by the clock of Prometheus. Raises Trouble when it does not answer."""
        from console.sources.prometheus import Question
        from stages.raw_values import moment_of, number_of

        answer = Question(self._prometheus, "time()", {}, self.clock).ask(seconds)
        number = number_of(answer.value[0].value) if answer.value else None
        at = moment_of(number) if number is not None else None
        if at is None:
            raise Trouble("not an answer of Prometheus")
        return at

    def fetches(self, policy: Policy) -> tuple[Fetch, ...]:
        """Every source of ``policy``, none of them asked yet."""
        from console.sources import documents

        settings = self.settings
        read = documents(
            policy, settings.endpoints, self.clock, prometheus=self._prometheus, databases=settings.databases
        )
        cluster = self.cluster(policy)
        return (*read, cluster) if cluster is not None and cluster.reads_back else read

    @cached_property
    def api_server(self) -> ApiServer:
        """The cluster's API server; one that is not configured says so when it is asked."""
        from console.runtime.api import Access, ApiServer

        said = self.settings.kubernetes
        return ApiServer(Access(said.kubeconfig, said.context, said.in_cluster) if said else None, self.clock)

    def close(self) -> None:
        """Ends the watches of the cluster."""
        if "api_server" in self.__dict__:
            self.api_server.close()

    def runtime(self, policy: Policy) -> ArgoCd | None:
        """The GitOps controller of the target; None where the policy or the configuration knows none."""
        where = policy.spec.target.application
        if where is None or self.settings.kubernetes is None:
            return None
        from console.runtime.argocd import ArgoCd

        return ArgoCd(self.api_server, where, self.clock)

    def flag(self, policy: Policy) -> ExemptFlag | None:
        """The field that a kill writes straight into the cluster; None where the policy declares none."""
        from stages.exempt import flag_of

        flag, target = flag_of(policy), policy.spec.target
        if flag is None or target.application is None:
            return None
        from console.runtime.flag import ExemptFlag

        return ExemptFlag(self.api_server, target.namespace, flag, target.application)

    @cached_property
    def dry_run(self) -> ServerSideDryRun | None:
        """Tries what a plan would deploy; None where no cluster is configured."""
        if self.settings.kubernetes is None:
            return None
        from console.runtime.dry_run import ServerSideDryRun

        return ServerSideDryRun(self.api_server, self.clock)

    def cluster(self, policy: Policy) -> ClusterWitness | None:
        """The witness of the live objects and workloads, one for each policy; None where neither is asked for."""
        readbacks = [control.readback for control in policy.spec.controls.values() if control.readback]
        read = any(source.kubernetes for source in readbacks)
        if not read and (self.settings.kubernetes is None or not policy.spec.target.workloads):
            return None
        if self._cluster is None or self._cluster[0] is not policy:
            from console.runtime.kubernetes import ClusterWitness

            self._cluster = (policy, ClusterWitness(self.api_server, policy, self.clock))
        return self._cluster[1]

    @property
    def _prometheus(self) -> Server | None:
        """The configured Prometheus; its token is read when it is first needed."""
        settings = self.settings.prometheus
        if settings is None:
            return None
        from console.identity import read_token
        from console.sources.prometheus import Server

        tls, token = settings.tls, settings.token_from
        return Server(
            url=settings.url,
            headers=settings.headers,
            token=partial(read_token, env=token.env, file=token.file, command=token.command) if token else None,
            ca=tls.ca,
            certificate=(tls.cert, tls.key) if tls.cert else None,
            verify=tls.verify,
        )
