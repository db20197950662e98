"""What an API server answers on a bad day is a normal input: too old, too many, torn, nonsense, and well again."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import kmock as kmocks
import pytest

from console.runtime import kubernetes
from console.runtime.api import Access, ApiServer, ApiTrouble
from console.runtime.kubernetes import Follower
from console.wiring import SystemClock
from stages.live_objects import Resource, Sighting

FEED = Resource("", "v1", "configmaps", "ConfigMap", "heron-feed")


Said = Mapping[str, object]


def config_map(value: str) -> Said:
    return {"kind": "ConfigMap", "metadata": {"name": "heron-feed", "resourceVersion": "7"}, "data": {"SYMBOLS": value}}


def answer(body: str, code: int = 200, headers: Mapping[str, str] | None = None) -> kmocks.Response:
    return kmocks.Response(status=code, headers=headers, payload=body.encode())


def listed(value: str) -> kmocks.Response:
    return answer(json.dumps({"metadata": {"resourceVersion": "7"}, "items": [config_map(value)]}))


def watched(*events: Said) -> kmocks.Response:
    return answer("".join(json.dumps(event) + "\n" for event in events))


def refused(code: int, headers: Mapping[str, str] | None = None) -> kmocks.Response:
    return answer(json.dumps({"kind": "Status", "code": code, "message": f"no, {code}"}), code, headers)


@dataclass
class Server:
    """A scripted API server: lists and watches are answered in turn, the last answer of each again and again."""

    lists: deque[Callable[[], kmocks.Response]] = field(default_factory=deque)
    watches: deque[Callable[[], kmocks.Response]] = field(default_factory=deque)
    asked: list[str] = field(default_factory=list)

    def __call__(self, request: kmocks.Request) -> kmocks.Response:
        kind = "watch" if "watch" in request.params else "list"
        self.asked.append(kind)
        answers = self.watches if kind == "watch" else self.lists
        return answers.popleft()() if len(answers) > 1 else answers[0]()


@pytest.fixture
def server(kmock: kmocks.RawHandler, monkeypatch: pytest.MonkeyPatch) -> Server:
    found = Server(watches=deque([watched]))
    kmock["get"] << found
    monkeypatch.setattr(kubernetes, "PAUSES", (0.05,))
    return found


@pytest.fixture
def api(kmock: kmocks.RawHandler, tmp_path: Path) -> ApiServer:
    cluster = {"name": "c", "cluster": {"server": str(kmock.url).rstrip("/")}}
    context = {"name": "c", "context": {"cluster": "c", "user": "u"}}
    content = {"clusters": [cluster], "contexts": [context], "users": [{"name": "u", "user": {"token": "t"}}]}
    file = tmp_path / "kubeconfig"
    file.write_text(json.dumps({"apiVersion": "v1", "kind": "Config", "current-context": "c", **content}))
    return ApiServer(Access(kubeconfig=file), SystemClock())


async def sees(follower: Follower, holds: Callable[[Sighting], bool]) -> Sighting:
    async with asyncio.timeout(10):
        while True:
            sighting = follower.sighting()
            if sighting is not None and holds(sighting):
                return sighting
            await asyncio.sleep(0.02)


def says(value: str) -> Callable[[Sighting], bool]:
    return lambda one: not one.error and one.held is not None and one.held["data"]["SYMBOLS"] == value


@pytest.mark.parametrize(
    "gone",
    [
        lambda: refused(410),
        lambda: watched({"type": "ERROR", "object": {"kind": "Status", "code": 410, "message": "too old"}}),
    ],
    ids=["as an answer", "within the stream"],
)
async def test_a_history_that_is_gone_is_listed_anew(
    server: Server, api: ApiServer, gone: Callable[[], kmocks.Response]
) -> None:
    server.lists.extend([lambda: listed("old"), lambda: listed("new")])
    server.watches.appendleft(gone)
    follower = Follower(api, "heron", FEED, SystemClock())
    await sees(follower, says("new"))
    assert server.asked[:3] == ["list", "watch", "list"]


async def test_a_request_for_patience_is_followed(server: Server, api: ApiServer) -> None:
    server.lists.extend([lambda: refused(429, {"Retry-After": "1"}), lambda: listed("new")])
    follower = Follower(api, "heron", FEED, SystemClock())
    waiting = await sees(follower, lambda one: bool(one.error))
    assert waiting.error == "the API server asks for patience"
    begun = asyncio.get_running_loop().time()
    await sees(follower, says("new"))
    assert asyncio.get_running_loop().time() - begun > 0.5
    assert server.asked[0:2] == ["list", "list"]


async def test_a_torn_stream_keeps_nothing_half_read(server: Server, api: ApiServer) -> None:
    server.lists.extend([lambda: listed("old"), lambda: listed("new")])
    server.watches.appendleft(lambda: answer(json.dumps({"type": "MODIFIED"})[:9]))
    await sees(Follower(api, "heron", FEED, SystemClock()), says("new"))


async def test_events_move_the_value_and_a_deletion_takes_it(server: Server, api: ApiServer) -> None:
    server.lists.extend([lambda: listed("old"), lambda: refused(503)])
    moved = {"type": "MODIFIED", "object": config_map("moved")}
    server.watches.appendleft(lambda: watched({"type": "BOOKMARK", "object": {}}, moved))
    follower = Follower(api, "heron", FEED, SystemClock())
    away = await sees(follower, lambda one: bool(one.error))
    assert away.error == "no, 503"
    assert away.held is not None
    assert away.held["data"] == {"SYMBOLS": "moved"}
    server.lists = deque([lambda: listed("old")])
    server.watches = deque([lambda: watched({"type": "DELETED", "object": config_map("old")})])
    await sees(follower, lambda one: not one.error and one.held is None)


@pytest.mark.parametrize(
    ("told", "said"),
    [
        (lambda: answer("<html>"), "not JSON"),
        (lambda: refused(401), "does not accept the credentials"),
        (lambda: refused(403), "no, 403"),
        (lambda: answer("404 page not found", 404), "does not know this kind"),
        (lambda: refused(409), "no, 409"),
        (lambda: answer("", 302, {"Location": "http://elsewhere.invalid/"}), "HTTP 302"),
        (lambda: answer("", 500), "HTTP 500"),
    ],
)
async def test_every_no_is_one_short_reason(
    server: Server, api: ApiServer, told: Callable[[], kmocks.Response], said: str
) -> None:
    server.lists.append(told)
    with pytest.raises(ApiTrouble, match=said) as raised:
        await asyncio.to_thread(api.get, "/api/v1/namespaces/heron/configmaps", seconds=5)
    assert "\n" not in raised.value.line
    assert server.asked == ["list"]
