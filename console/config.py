"""Configuration: the person's ``rampdeck.yaml``, found, read and checked; flag > environment > file."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, ValidationError, model_validator
from pydantic.alias_generators import to_camel

from console.config_text import Written, read
from stages.model_problems import Unloadable, model_problems
from stages.refusal import Trouble

FILE_NAME: Final = "rampdeck.yaml"
ENVIRONMENT: Final[Mapping[str, tuple[str, ...]]] = {
    "RAMPDECK_REMOTE": ("repository", "remote"),
    "RAMPDECK_BRANCH": ("repository", "branch"),
    "RAMPDECK_POLICY": ("policy",),
    "RAMPDECK_LEDGER": ("ledger",),
    "RAMPDECK_IDENTITY": ("identity", "name"),
    "RAMPDECK_KEY": ("identity", "key"),
}
"""Environment variables and the keys that they override."""


class Part(BaseModel):
    """Base of all parts: frozen, camelCase in the file, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True)


class RepositorySettings(Part):
    """The GitOps repository by its remote; ``advance`` and ``reduce`` say how a change is published.

    ``push`` onto the branch, or as a branch ``rampdeck/<plan id>`` that somebody merges.
    """

    remote: str
    branch: str = "main"
    advance: Literal["push", "branch"] = "push"
    reduce: Literal["push", "branch"] = "push"


class RosterPaths(Part):
    """Where the roster lives in the repository; by default beside the policy."""

    signers: str
    members: str


class VenueSettings(Part):
    """The venue witness."""

    kind: Literal["demo"]
    url: str
    app: str | None = None
    """The trading process behind the venue; a drill on this target reads it."""


class NotifySettings(Part):
    """A command that is run on every alarm; the alarm's text is its last argument."""

    command: Annotated[tuple[str, ...], Field(min_length=1)]


class TokenSettings(Part):
    """Where a bearer token comes from; exactly one. It is never written in the configuration itself."""

    env: str | None = None
    file: Path | None = None
    command: Annotated[tuple[str, ...], Field(min_length=1)] | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> TokenSettings:
        if sum(one is not None for one in (self.env, self.file, self.command)) != 1:
            raise ValueError("a token comes from exactly one of env, file, command")
        return self


class TlsSettings(Part):
    """The authority to trust, and the certificate to show; ``verify: false`` trusts anybody."""

    ca: Path | None = None
    cert: Path | None = None
    key: Path | None = None
    verify: bool = True


class PrometheusSettings(Part):
    """Prometheus, or what speaks its API (Mimir, Thanos), by the URL that /api/v1 follows."""

    url: str
    headers: Mapping[str, str] = Field(default_factory=dict)
    token_from: TokenSettings | None = None
    tls: TlsSettings = TlsSettings()

    @model_validator(mode="after")
    def _no_secrets(self) -> PrometheusSettings:
        if not re.match(r"https?://[^/@\s]+(/[^@\s]*)?$", self.url):
            raise ValueError("the url is http:// or https:// with a host, and without a password")
        if any(name.casefold() in ("authorization", "proxy-authorization", "cookie") for name in self.headers):
            raise ValueError("a header holds a secret; use tokenFrom")
        return self


class KubernetesSettings(Part):
    """The cluster of the target: a context of a kubeconfig file, or ``inCluster`` for the pod's own account."""

    context: str | None = None
    kubeconfig: Path | None = None
    in_cluster: bool = False

    @model_validator(mode="after")
    def _one_way(self) -> KubernetesSettings:
        if self.in_cluster and (self.context or self.kubeconfig):
            raise ValueError("inCluster stands alone, without context and kubeconfig")
        return self


class IdentitySettings(Part):
    """Who acts here, and the SSH key that signs for them (a private key, or a public one whose agent signs)."""

    name: str
    key: Path | None = None


class EnvironmentSettings(Part):
    """The word that the header shows in brackets."""

    name: str = "PRODUCTION"


class ScreenSettings(Part):
    """How the console looks and listens on this machine."""

    theme: Literal["dark", "light", "high-contrast", "colour-blind"] = "dark"
    mouse: bool = True
    hide: tuple[str, ...] = ()
    """Words that pictures of the screen hide, beside credentials, the home folder and every host named here."""


def _listed(value: object) -> object:
    return (value,) if isinstance(value, str) else value


class MarketSettings(Part):
    """A market clock for demos: at wall time ``anchor`` it shows ``start``, and it runs ``speed`` times as fast."""

    anchor: datetime
    start: datetime
    speed: float = Field(default=1.0, gt=0)


class Settings(Part):
    """The whole configuration. Only what a verb uses is required; ``need`` says in one line what is missing."""

    repository: RepositorySettings | None = None
    policy: str | None = None
    ledger: str | None = None
    roster: RosterPaths | None = None
    endpoints: Mapping[str, str] = Field(default_factory=dict)
    prometheus: PrometheusSettings | None = None
    databases: Mapping[str, SecretStr] = Field(default_factory=dict)
    """URLs by the names that sql sources use; a password in one is shown nowhere."""
    venue: VenueSettings | None = None
    kubernetes: KubernetesSettings | None = None
    notify: NotifySettings | None = None
    identity: IdentitySettings | None = None
    environment: EnvironmentSettings = EnvironmentSettings()
    screen: ScreenSettings = ScreenSettings()
    keys: Mapping[str, Annotated[tuple[str, ...], BeforeValidator(_listed)]] = Field(default_factory=dict)
    """Other keys for actions, by their names in docs/keys.md: one, or a list; what acts keeps its own."""
    inbox: Path | None = None
    cache: Path | None = None
    state: Path | None = None
    market: MarketSettings | None = None
    drill_target: Path | None = None
    """Another configuration: the paper target of drills; its account, path and namespace differ from these."""
    read_only: bool = False
    origin: Path | None = None
    """The file that this was read from."""

    @property
    def cache_folder(self) -> Path:
        """Where private mirrors are kept."""
        if self.cache:
            return self.cache
        from platformdirs import user_cache_path

        return user_cache_path("rampdeck")

    def need(self, *names: str) -> None:
        """Raises Trouble naming the first of ``names`` that is not configured."""
        for name in names:
            if getattr(self, name) is None:
                where = str(self.origin) if self.origin else "no configuration file was found"
                raise Trouble(f"'{to_camel(name)}' is not configured", where=where, fix=_hint(name))


def _hint(name: str) -> str:
    examples = {
        "repository": 'add repository: {remote: "git@host:org/repo.git", branch: main}',
        "policy": "add policy: path/of/ramp.yaml (in the repository)",
        "ledger": "add ledger: sqlite:///~/.local/state/rampdeck/NAME.db",
        "drill_target": "add drillTarget: paper.yaml, another configuration whose account, path and namespace differ",
        "identity": "add identity: {name: alice, key: ~/.ssh/id_ed25519}",
    }
    return examples.get(name, f"add {to_camel(name)}")


def search_path(environment: Mapping[str, str]) -> tuple[Path, ...]:
    """Where a configuration is looked for, first match wins."""
    home = environment.get("XDG_CONFIG_HOME")
    user = Path(home) if home else Path(environment.get("HOME", "/nonexistent")) / ".config"
    return (Path(FILE_NAME), user / "rampdeck" / FILE_NAME, Path("/etc/rampdeck") / FILE_NAME)


def find(path: Path | None, environment: Mapping[str, str]) -> Path | None:
    """The file to read: the named one, that of ``RAMPDECK_CONFIG``, or the first of the search path; None without."""
    named = path or (Path(environment["RAMPDECK_CONFIG"]) if environment.get("RAMPDECK_CONFIG") else None)
    return named or next((candidate for candidate in search_path(environment) if candidate.is_file()), None)


def load(path: Path | None, environment: Mapping[str, str] | None = None) -> Settings:
    """Reads ``path``, or the first file of the search path; no file at all gives empty settings.

    Raises Unloadable (a Trouble) with every problem at once, each by its line.
    """
    environment = os.environ if environment is None else environment
    chosen = find(path, environment)
    return settings_of(read(chosen, ENVIRONMENT, environment))


def settings_of(written: Written) -> Settings:
    """The settings that a text and the environment say, with every path of the file made absolute."""
    path = written.path
    try:
        settings = Settings.model_validate(written.data)
    except ValidationError as error:
        found = model_problems(written.source, error, Settings.model_json_schema(by_alias=True), "the configuration")
        raise Unloadable(written.lines([*written.source.problems, *found]), written.where) from None
    if written.source.problems:
        raise Unloadable(written.lines(written.source.problems), written.where)
    folder = path.resolve().parent if path else Path.cwd()
    identity = settings.identity
    if identity and identity.key:
        identity = identity.model_copy(update={"key": _from(folder, identity.key)})
    return settings.model_copy(
        update={
            "identity": identity,
            "inbox": settings.inbox and _from(folder, settings.inbox),
            "cache": settings.cache and _from(folder, settings.cache),
            "drill_target": settings.drill_target and _from(folder, settings.drill_target),
            "state": settings.state and _from(folder, settings.state),
            "ledger": settings.ledger and _database_url(folder, settings.ledger),
            "databases": {
                name: SecretStr(_database_url(folder, url.get_secret_value()))
                for name, url in settings.databases.items()
            },
            "prometheus": settings.prometheus and _prometheus_from(folder, settings.prometheus),
            "kubernetes": settings.kubernetes and _kubernetes_from(folder, settings.kubernetes),
            "origin": path,
        }
    )


def _from(folder: Path, path: Path) -> Path:
    return folder / path.expanduser()


def _kubernetes_from(folder: Path, settings: KubernetesSettings) -> KubernetesSettings:
    file = settings.kubeconfig
    return settings.model_copy(update={"kubeconfig": file and _from(folder, file)})


def _prometheus_from(folder: Path, settings: PrometheusSettings) -> PrometheusSettings:
    """The same with every path of the file made absolute."""
    tls, token = settings.tls, settings.token_from
    paths = {name: _from(folder, path) for name, path in tls if isinstance(path, Path)}
    if token is not None and token.file is not None:
        token = token.model_copy(update={"file": _from(folder, token.file)})
    return settings.model_copy(update={"tls": tls.model_copy(update=paths), "token_from": token})


def _database_url(folder: Path, url: str) -> str:
    """A SQLite path of the file is relative to the file; ``~`` is home."""
    prefix = "sqlite:///"
    if not url.startswith(prefix):
        return url
    return prefix + str(_from(folder, Path(url.removeprefix(prefix))))
