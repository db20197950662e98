"""Parts that several integration tests share within one process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.cluster import Cluster, running_cluster
from tests.integration.watching import HandClock, World, demo_policy


@pytest.fixture(scope="session")
def api_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A real API server, started once; a test that makes it go must bring it back."""
    yield from running_cluster(tmp_path_factory.mktemp("cluster"))


@pytest.fixture
def clock() -> HandClock:
    """A clock that stands until it is moved."""
    return HandClock()


@pytest.fixture
def world(root: Path, clock: HandClock) -> World:
    """What the sources and witnesses of a watch say, by the demo's policy at L1."""
    return World(demo_policy(root), clock)
