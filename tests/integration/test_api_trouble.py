"""What an API server answers on a bad day is a normal input: too old, too many, torn, nonsense, and well again."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import kmock as kmocks
import pytest

from console.runtime.api import Access, ApiServer, ApiTrouble
from console.runtime.kubernetes import object_in
from console.runtime.reflector import Heard, Pace, Reflector
from console.wiring import SystemClock
from stages.live_objects import Resource
from stages.value import replace
from tests.integration.cluster import wait_until

FEED = object_in("heron", Resource("", "v1", "configmaps", "ConfigMap", "heron-feed"))
PACE = Pace(pauses=(0.0, 0.05), watch=1, silence=0.5)

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
def server(kmock: kmocks.RawHandler) -> Server:
    found = Server(watches=deque([watched]))
    kmock["get"] << found
    return found


@pytest.fixture
def api(kmock: kmocks.RawHandler, tmp_path: Path) -> Iterator[ApiServer]:
    cluster = {"name": "c", "cluster": {"server": str(kmock.url).rstrip("/")}}
    context = {"name": "c", "context": {"cluster": "c", "user": "u"}}
    content = {"clusters": [cluster], "contexts": [context], "users": [{"name": "u", "user": {"token": "t"}}]}
    file = tmp_path / "kubeconfig"
    file.write_text(json.dumps({"apiVersion": "v1", "kind": "Config", "current-context": "c", **content}))
    found = ApiServer(Access(kubeconfig=file), SystemClock())
    yield found
    found.close()


def reflector(api: ApiServer, pace: Pace = PACE) -> Reflector:
    return Reflector(api, FEED, SystemClock(), pace)


async def sees(found: Reflector, holds: Callable[[Heard], bool]) -> Heard:
    async with asyncio.timeout(20):
        while True:
            heard = found.newest()
            if holds(heard):
                return heard
            await asyncio.sleep(0.02)


def says(value: str) -> Callable[[Heard], bool]:
    return lambda one: not one.error and [held["data"]["SYMBOLS"] for held in one.items] == [value]


def streamed(*pieces: bytes, then: asyncio.Event, rest: bytes = b"") -> Callable[[], kmocks.Response]:
    """A watch that is answered in pieces, waits, says the rest and stays open."""

    async def body() -> AsyncIterator[bytes]:
        for piece in pieces:
            yield piece
        await then.wait()
        yield rest
        await asyncio.Event().wait()

    return lambda: kmocks.Response(payload=body())


MOVED = json.dumps({"type": "MODIFIED", "object": config_map("moved")}).encode()


@pytest.mark.parametrize(
    "broken",
    [
        lambda: refused(410),
        lambda: watched({"type": "ERROR", "object": {"kind": "Status", "code": 410, "message": "too old"}}),
        lambda: refused(429, {"Retry-After": "0"}),
        lambda: answer("<html>the proxy is sorry</html>\n"),
        lambda: answer('{"type": "MODIFIED", "object": "none"}\n'),
        lambda: answer('["no", "event"]\n'),
        lambda: answer(json.dumps({"type": "MODIFIED"})[:9]),
        watched,
    ],
    ids=["410", "410 within", "429", "no JSON", "no object", "no event", "half a line", "an end at once"],
)
async def test_a_watch_that_breaks_is_followed_by_a_list(
    server: Server, api: ApiServer, broken: Callable[[], kmocks.Response]
) -> None:
    server.lists.extend([lambda: listed("old"), lambda: listed("new")])
    server.watches.appendleft(broken)
    await sees(reflector(api), says("new"))
    assert server.asked[:3] == ["list", "watch", "list"]


async def test_a_request_for_patience_is_followed(server: Server, api: ApiServer) -> None:
    server.lists.extend([lambda: refused(429, {"Retry-After": "1"}), lambda: listed("new")])
    found = reflector(api)
    waiting = await sees(found, lambda one: "patience" in one.error)
    assert waiting.error == "the API server asks for patience"
    begun = asyncio.get_running_loop().time()
    await sees(found, says("new"))
    assert asyncio.get_running_loop().time() - begun > 0.5
    assert server.asked[0:2] == ["list", "list"]


async def test_events_move_the_value_and_a_deletion_takes_it(server: Server, api: ApiServer) -> None:
    server.lists.extend([lambda: listed("old"), lambda: refused(503)])
    moved = {"type": "MODIFIED", "object": config_map("moved")}
    server.watches.appendleft(lambda: watched({"type": "BOOKMARK", "object": {}}, moved))
    found = reflector(api)
    away = await sees(found, lambda one: one.error == "no, 503")
    assert [held["data"] for held in away.items] == [{"SYMBOLS": "moved"}]
    server.lists = deque([lambda: listed("old")])
    server.watches = deque([lambda: watched({"type": "DELETED", "object": config_map("old")})])
    await sees(found, lambda one: not one.error and not one.items)


async def test_a_line_may_come_in_pieces_and_is_not_believed_before_its_end(server: Server, api: ApiServer) -> None:
    rest = asyncio.Event()
    server.lists.append(lambda: listed("old"))
    server.watches.appendleft(streamed(MOVED[:40], then=rest, rest=MOVED[40:] + b"\n"))
    found = reflector(api, replace(PACE, watch=600))
    await sees(found, says("old"))
    rest.set()
    await sees(found, says("moved"))


async def test_a_stream_that_stalls_is_left_for_a_list(server: Server, api: ApiServer) -> None:
    server.lists.extend([lambda: listed("old"), lambda: listed("new")])
    server.watches.appendleft(streamed(MOVED + b"\n", then=asyncio.Event()))
    found = reflector(api)
    await sees(found, says("moved"))
    await sees(found, says("new"))


async def test_the_end_of_the_console_ends_a_stream_that_is_silent(server: Server, api: ApiServer) -> None:
    server.lists.append(lambda: listed("old"))
    server.watches.appendleft(streamed(MOVED + b"\n", then=asyncio.Event()))
    found = reflector(api, replace(PACE, watch=600))
    await sees(found, says("moved"))
    api.close()
    await asyncio.to_thread(wait_until, lambda: not found.running, 20, "it reads on")
    assert server.asked == ["list", "watch"]


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
