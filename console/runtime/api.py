"""The API server: one bounded request at a time, watches as streams, and one short reason for what goes wrong.

The kubernetes client library finds the credentials and speaks TLS; requests go out by its connection pool directly, so
that each has one deadline, is never repeated behind our back, and brings plain JSON.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode
from weakref import WeakSet

from console.ports import Clock
from stages.refusal import Trouble
from stages.value import Struct

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse

BODY_LIMIT: Final = 16 * 2**20
"""Bytes of the longest answer that is read."""

CONNECT: Final = 3.0
"""Seconds in which the API server must take a connection."""

JSON, MERGE, APPLY = "application/json", "application/merge-patch+json", "application/apply-patch+yaml"
"""Content types of a whole object, of a merge patch, and of a server-side apply."""

_KEPT: Final = 64
"""Connections that are kept for another request; every watch holds one while it lasts."""

_PIECE: Final = 64 * 2**10
_EVENTS: Final = frozenset({"ADDED", "MODIFIED", "DELETED", "BOOKMARK", "ERROR"})
_REASONS: Final[Mapping[int, str]] = {
    401: "the API server does not accept the credentials; they may have expired",
    410: "what was asked for is too old",
    429: "the API server asks for patience",
}
_FIXES: Final[Mapping[int, str]] = {401: "log in again", 403: "grant it, docs/rbac.yaml lists what is needed"}


class ApiTrouble(Trouble):
    """The API server's no, or the lack of its answer (``status`` 0). ``retry_after``: seconds that it asked for.

    ``causes`` are the field and the message of everything that it finds wrong with an object.
    """

    def __init__(
        self,
        what: str,
        *,
        status: int = 0,
        retry_after: float | None = None,
        fix: str = "",
        causes: tuple[tuple[str, str], ...] = (),
    ) -> None:
        super().__init__(what, where="kubernetes", fix=fix)
        self.status = status
        self.retry_after = retry_after
        self.causes = causes


class Access(Struct, frozen=True):
    """Which cluster, and as whom: a context of a kubeconfig file, or the pod's own account.

    Without a file: $KUBECONFIG, ~/.kube/config, and in a pod without either the pod's own account.
    """

    kubeconfig: Path | None = None
    context: str | None = None
    in_cluster: bool = False


class ApiServer:
    """One API server. Safe to use from several threads; the credentials are read anew when they were refused.

    Without ``access`` nothing is configured, and every call says so.
    """

    def __init__(self, access: Access | None, clock: Clock) -> None:
        self._access, self._clock = access, clock
        self._lock = threading.Lock()
        self._client: Any = None
        self._streams: WeakSet[Stream] = WeakSet()
        self.closed = threading.Event()
        """Set when nobody is to be asked any more."""

    def get(self, path: str, query: Mapping[str, str] | None = None, *, seconds: float) -> Any:
        """The JSON answer to a GET that arrives within ``seconds``. Raises ApiTrouble."""
        return self._json("GET", path, query, None, JSON, seconds)

    def may(self, attributes: Mapping[str, str], *, seconds: float) -> bool:
        """Whether this login may do a thing, by a SelfSubjectAccessReview, which changes nothing. Raises ApiTrouble."""
        body = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": dict(attributes)},
        }
        found = self._json("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", None, body, JSON, seconds)
        status = found.get("status") if isinstance(found, dict) else None
        return isinstance(status, dict) and status.get("allowed") is True

    def patch(
        self,
        path: str,
        body: Mapping[str, Any],
        content: str,
        query: Mapping[str, str] | None = None,
        *,
        seconds: float,
    ) -> Any:
        """The object after a patch of the given content type. Raises ApiTrouble."""
        return self._json("PATCH", path, query, body, content, seconds)

    def stream(self, path: str, query: Mapping[str, str], *, connect: float, lasts: float) -> Stream:
        """A watch that the server has begun to answer. Raises ApiTrouble.

        ``lasts``: seconds after which it is over whatever the server sends, and dead when it has sent nothing.
        """
        deadline = self._clock.monotonic() + lasts
        answer = self._open("GET", path, query, None, JSON, connect, lasts)
        stream = Stream(answer, self._clock, deadline, lasts)
        with self._lock:
            self._streams.add(stream)
        if self.closed.is_set():
            stream.interrupt()
        return stream

    def close(self) -> None:
        """Ends every stream, and lets no thread that follows one go on."""
        self.closed.set()
        with self._lock:
            streams = list(self._streams)
        for stream in streams:
            stream.interrupt()

    def _json(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None,
        body: Mapping[str, Any] | None,
        content: str,
        seconds: float,
    ) -> Any:
        deadline = self._clock.monotonic() + seconds
        answer = self._open(method, path, query, body, content, min(CONNECT, seconds), seconds)
        try:
            return _parsed(self._body(answer, deadline, seconds))
        finally:
            answer.release_conn()

    def _open(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None,
        body: Mapping[str, Any] | None,
        content: str,
        connect: float,
        silence: float,
    ) -> BaseHTTPResponse:
        from urllib3 import Timeout
        from urllib3.exceptions import HTTPError

        client = self._connected()
        target = client.configuration.host.rstrip("/") + path + (f"?{urlencode(query)}" if query else "")
        headers = {"Accept": JSON, "Content-Type": content, "User-Agent": "rampdeck"}
        login = client.configuration.auth_settings().values()
        headers |= {one["key"]: one["value"] for one in login if one["in"] == "header" and one["value"]}
        try:
            answer: BaseHTTPResponse = client.rest_client.pool_manager.request(
                method,
                target,
                body=None if body is None else json.dumps(body).encode(),
                headers=headers,
                timeout=Timeout(connect=connect, read=silence),
                retries=False,
                redirect=False,
                preload_content=False,
            )
        except (HTTPError, OSError, ValueError) as error:
            raise ApiTrouble(_short(error, silence)) from None
        if answer.status == 401:
            self._forget(client)
        if answer.status >= 300:
            raise self._refused(answer, silence)
        return answer

    def _connected(self) -> Any:
        """The client library with credentials loaded. Raises ApiTrouble when there are none."""
        with self._lock:
            if self._access is None:
                raise ApiTrouble("'kubernetes' is not configured", fix="add kubernetes: {context: NAME}")
            if self._client is None:
                self._client = _load(self._access)
            return self._client

    def _forget(self, client: Any) -> None:
        """The next request loads the credentials anew; once, however many were refused with the same."""
        with self._lock:
            if self._client is client:
                self._client = None

    def _refused(self, answer: BaseHTTPResponse, seconds: float) -> ApiTrouble:
        try:
            body = self._body(answer, self._clock.monotonic() + seconds, seconds)
        except ApiTrouble:
            body = b""
        finally:
            answer.release_conn()
        status = _status(body)
        said = " ".join(str(status.get("message", "")).split())[:300]
        what = _REASONS.get(answer.status) or said or f"HTTP {answer.status}"
        if answer.status == 404 and not said:
            what = "the API server does not know this kind of object"
        after = answer.headers.get("Retry-After", "")
        patience = float(after) if after.isdigit() else None
        return ApiTrouble(
            what,
            status=answer.status,
            retry_after=patience,
            fix=_FIXES.get(answer.status, ""),
            causes=_causes(status),
        )

    def _body(self, answer: BaseHTTPResponse, deadline: float, seconds: float) -> bytes:
        body = bytearray()
        while piece := _piece(answer, seconds):
            body += piece
            if self._clock.monotonic() > deadline:
                raise ApiTrouble(f"the answer takes longer than {seconds:g} s")
            if len(body) > BODY_LIMIT:
                raise ApiTrouble(f"the answer is longer than {BODY_LIMIT // 2**20} MB")
        return bytes(body)


class Stream:
    """The events of a watch as they come, until the server ends it. To be read once, by one thread, and closed."""

    def __init__(self, answer: BaseHTTPResponse, clock: Clock, deadline: float, silence: float) -> None:
        self._answer, self._clock = answer, clock
        self._deadline, self._silence = deadline, silence

    def __iter__(self) -> Iterator[Mapping[str, Any]]:
        """``type`` and ``object`` of each. Raises ApiTrouble when it breaks, falls silent or talks nonsense."""
        rest = b""
        while piece := _piece(self._answer, self._silence):
            *lines, rest = (rest + piece).split(b"\n")
            if len(rest) > BODY_LIMIT:
                raise ApiTrouble(f"a line is longer than {BODY_LIMIT // 2**20} MB")
            yield from (_event(line) for line in lines if line.strip())
            if self._clock.monotonic() > self._deadline:
                return
        if rest.strip():
            raise ApiTrouble("the connection was closed in the middle of a line")

    def interrupt(self) -> None:
        """Ends the wait of the thread that reads it; from any thread."""
        try:
            self._answer.shutdown()
        except (AttributeError, OSError, RuntimeError, ValueError):
            return  # it is over already, or urllib3 is older than 2.3: then it ends by itself

    def close(self) -> None:
        """Lets go of the connection."""
        self._answer.close()
        self._answer.release_conn()


def _piece(answer: BaseHTTPResponse, seconds: float) -> bytes:
    """What has arrived, as soon as anything has; nothing at the end. Raises ApiTrouble."""
    from urllib3.exceptions import HTTPError

    try:
        return answer.read1(_PIECE)
    except (HTTPError, OSError, ValueError) as error:
        raise ApiTrouble(_short(error, seconds)) from None


def _event(line: bytes) -> Mapping[str, Any]:
    event = _parsed(line)
    if not isinstance(event, dict) or event.get("type") not in _EVENTS or not isinstance(event.get("object"), dict):
        raise ApiTrouble("a line of the watch is no event")
    return event


def _load(access: Access) -> Any:
    """The client library's own client, with a configuration of its own. Raises ApiTrouble."""
    from kubernetes import client, config
    from kubernetes.config.config_exception import ConfigException
    from yaml import YAMLError

    loading: Any = config
    configuration = client.Configuration()
    try:
        if access.in_cluster or _only_in_cluster(access):
            loading.load_incluster_config(client_configuration=configuration)
        else:
            file = str(access.kubeconfig) if access.kubeconfig else None
            loading.load_kube_config(file, access.context, client_configuration=configuration, persist_config=False)
    except (ConfigException, OSError, YAMLError, ValueError, KeyError, TypeError) as error:
        fix = "correct 'kubernetes' in the configuration, or the kubeconfig file"
        raise ApiTrouble(f"no credentials: {' '.join(str(error).split())}", fix=fix) from None
    configuration.retries = False
    configuration.connection_pool_maxsize = _KEPT
    return client.ApiClient(configuration)


def _only_in_cluster(access: Access) -> bool:
    """Whether nothing names a kubeconfig and this runs in a pod."""
    if access.kubeconfig or access.context or os.environ.get("KUBECONFIG"):
        return False
    return "KUBERNETES_SERVICE_HOST" in os.environ and not Path("~/.kube/config").expanduser().exists()


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        raise ApiTrouble("the answer is not JSON") from None


def _status(body: bytes) -> Mapping[str, Any]:
    """A Status object; empty when the body is none."""
    try:
        said = json.loads(body)
    except ValueError:
        return {}
    return said if isinstance(said, dict) and said.get("kind") == "Status" else {}


def _causes(status: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Field and message of every cause that a Status object lists."""
    details = status.get("details")
    listed = details.get("causes") if isinstance(details, dict) else None
    found = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
    return tuple((str(one.get("field", "")), " ".join(str(one.get("message", "")).split())) for one in found)


def _short(error: Exception, seconds: float) -> str:
    from urllib3 import exceptions

    if isinstance(error, (exceptions.ReadTimeoutError, TimeoutError)):
        return f"no answer in {seconds:g} s"
    if isinstance(error, exceptions.NameResolutionError):
        return "the host is not known"
    if isinstance(error, exceptions.NewConnectionError):
        return "connection refused"
    if isinstance(error, exceptions.ConnectTimeoutError):  # in urllib3 1 the two above are kinds of this one
        return "no connection in time"
    if isinstance(error, exceptions.SSLError):
        return f"the TLS connection failed: {' '.join(str(error).split())}"[:200]
    if isinstance(error, (exceptions.ProtocolError, ConnectionError)):
        return "the connection was closed"
    return type(error).__name__
