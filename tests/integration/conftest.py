"""Parts that several integration tests share within one process."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.integration.cluster import Cluster, running_cluster


@pytest.fixture(scope="session")
def api_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A real API server, started once; a test that makes it go must bring it back."""
    yield from running_cluster(tmp_path_factory.mktemp("cluster"))
