"""The interview of a repository: reads its manifests, asks what they cannot tell, and writes the first two files."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from importlib.resources import files
from pathlib import Path
from typing import Final

from stages.first_policy import Answers, chosen_values, policy_text, trades
from stages.policy_text import load
from stages.proposals import Found, propose
from stages.refusal import Trouble
from stages.value import Struct

Ask = Callable[[str, str], str]
"""Asks a question with a proposal; returns the answer, or the proposal for an empty one."""

POLICY_FILE: Final = "ramp.yaml"
CONFIGURATION_FILE: Final = "rampdeck.yaml"
MANIFESTS: Final = (".yaml", ".yml", ".json")
LARGEST: Final = 2**20
"""Bytes of the largest file that is read: a manifest that a person wrote is smaller."""
MOST: Final = 2000
"""Files that are read at most."""
_TWIN: Final = re.compile(r"(^|[-_/])(sim|paper|staging|test|dev|sandbox)($|[-_/])")
_ASKED: Final = {
    "maxGrossExposure": "Highest gross exposure in dollars, as it is today",
    "maxOrderNotional": "Largest order in dollars",
    "maxNetExposure": "Highest net exposure in dollars",
    "dailyLossLimit": "Highest loss of a day in dollars",
}


class Checkout(Struct, frozen=True):
    """A working tree: its root, and where it came from as far as its configuration tells."""

    root: Path
    remote: str | None
    branch: str


class Application(Struct, frozen=True):
    """A folder of manifests and what it says."""

    folder: Path
    found: Found


class Drafts(Struct, frozen=True):
    """The texts to be written, and what people are told beside them."""

    policy: str
    configuration: str
    told: tuple[str, ...]


def checkout(folder: Path) -> Checkout:
    """The working tree around a folder; without one the folder itself. Only files are read."""
    root = next((each for each in (folder, *folder.parents) if (each / ".git").exists()), None)
    if root is None:
        return Checkout(folder, None, "main")
    head, config = _words(root / ".git" / "HEAD"), _words(root / ".git" / "config")
    branch = re.search(r"refs/heads/(\S+)", head)
    remote = re.search(r'\[remote "origin"\][^\[]*?\n\s*url\s*=\s*(\S+)', config)
    return Checkout(root, remote[1] if remote else None, branch[1] if branch else "main")


def applications(folder: Path) -> list[Application]:
    """The applications in a folder, the one with the most known controls first. Raises Trouble when there is none."""
    if not folder.is_dir():
        raise Trouble("is no folder", where=str(folder), fix="name the folder that holds the manifests")
    grouped: dict[Path, dict[str, str]] = {}
    for number, path in enumerate(_manifests(folder)):
        if number == MOST:
            raise Trouble(f"holds more than {MOST} manifests", where=str(folder), fix="name the application's folder")
        home = _home(path, folder)
        grouped.setdefault(home, {})[path.relative_to(home).as_posix()] = _words(path)
    found = [Application(home, propose(texts)) for home, texts in grouped.items()]
    seen = [one for one in found if one.found.objects]
    if not seen:
        raise Trouble("holds no Kubernetes manifests", where=str(folder), fix="name the folder that holds them")
    return sorted(seen, key=lambda one: (bool(_TWIN.search(one.folder.name)), -one.found.score, str(one.folder)))


def interview(folder: Path, ask: Ask) -> tuple[Application, Checkout, Answers]:
    """Chooses the application and asks what its manifests cannot tell. Raises Trouble."""
    choices = [one for one in applications(folder) if one.found.score] or applications(folder)[:1]
    chosen = choices[0]
    if len(choices) > 1:
        names = {_relative(one.folder, folder): one for one in choices}
        listed = ", ".join(f"{name} ({one.found.score} controls)" for name, one in names.items())
        answer = ask(f"Which application? {listed}", next(iter(names)))
        if answer not in names:
            raise Trouble(f"there is no application '{answer}'", fix=f"one of {', '.join(names)}")
        chosen = names[answer]
    tree = checkout(chosen.folder)
    found = chosen.found
    namespace = found.namespace or chosen.folder.name
    name = ask("Name of the target, the first word of every phrase", namespace)
    account = ask("Account label, as the venue reports it", found.account or "ACCOUNT")
    environment = ask("Is that account paper or live?", "live" if trades(found) else "paper")
    if environment not in ("paper", "live"):
        raise Trouble(f"an account is paper or live, not '{environment}'", fix="answer one of them")
    values: dict[str, Decimal] = {}
    for control, question in _ASKED.items():
        if found.proposals[control].today is None:
            values[control] = _amount(ask(question, format(chosen_values(found, values)[control], "f")))
    path = _relative(chosen.folder, tree.root)
    answers = Answers(name, path, ask("Namespace", namespace), account, environment, tree.branch, values)
    return chosen, tree, answers


def drafts(chosen: Application, tree: Checkout, answers: Answers, environment: Mapping[str, str]) -> Drafts:
    """The texts of both files; the policy is one that loads. Raises Trouble."""
    shipped = (files("stages") / "policies" / "torghut.yaml").read_text(encoding="utf-8")
    hours = load(shipped, "torghut.yaml").spec.target.session
    policy = policy_text(chosen.found, answers, hours)
    load(policy, POLICY_FILE)
    told = [
        f"{known.known.control}: {len(known.places)} places, {known.today or 'not written today'}"
        for known in chosen.found.proposals.values()
        if known.places
    ]
    told += [f"{one.known.control}: found nowhere" for one in chosen.found.proposals.values() if not one.places]
    return Drafts(policy, _configuration(tree, answers, environment), tuple(told))


def write_new(path: Path, text: str) -> None:
    """Writes a file that is not there yet. Raises Trouble; never writes over anything."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise Trouble("is there already; nothing was written over", where=str(path), fix="move it, or use -o") from None
    except OSError as error:
        raise Trouble(f"cannot be written ({error.strerror})", where=str(path), fix="use -o FOLDER") from None


def _configuration(tree: Checkout, answers: Answers, environment: Mapping[str, str]) -> str:
    policy = f"{answers.gitops_path}/{POLICY_FILE}" if answers.gitops_path != "." else POLICY_FILE
    who = environment.get("USER") or "me"
    key = next((key for key in ("id_ed25519", "id_ecdsa", "id_rsa") if _home_of(environment, key).is_file()), None)
    remote = tree.remote or "git@HOST:ORGANISATION/REPOSITORY.git"
    lines = [
        "# Rampdeck's configuration: 'rampdeck config show' tells where each value comes from, 'rampdeck doctor' what",
        "# is missing. Everybody keeps one of their own; /etc/rampdeck/rampdeck.yaml serves a whole machine.",
        f'{"" if tree.remote else "# "}repository: {{remote: "{remote}", branch: {answers.branch}}}',
        f"policy: {policy}                # in the repository; the roster lies beside it",
        f"ledger: sqlite:///~/.local/state/rampdeck/{answers.name}.db",
        f"{'' if key else '# '}identity: {{name: {who}, key: ~/.ssh/{key or 'id_ed25519'}}}",
        f"environment: {{name: {answers.environment.upper()}}}",
        '# endpoints: {app: "http://127.0.0.1:8080"}            # pages that signals and readbacks are read from',
        '# prometheus: {url: "http://127.0.0.1:9090", tokenFrom: {env: PROM_TOKEN}}',
        '# databases: {app: "postgresql+psycopg://reader@host/app"}',
        "# kubernetes: {context: NAME}                        # docs/rbac.yaml lists what it needs",
        "# notify: {command: [ring-me]}                       # run on every alarm",
    ]
    return "\n".join(lines) + "\n"


def _home_of(environment: Mapping[str, str], key: str) -> Path:
    return Path(environment.get("HOME", "/nonexistent")) / ".ssh" / key


def _manifests(folder: Path) -> list[Path]:
    """Files that may be manifests; hidden folders, links and what is too large stay out."""
    found = []
    for home, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name != "node_modules")
        for name in sorted(names):
            path = Path(home, name)
            if name.endswith(MANIFESTS) and not path.is_symlink() and path.stat().st_size <= LARGEST:
                found.append(path)
    return found


def _home(path: Path, top: Path) -> Path:
    """The folder of a manifest's application: the outermost one with a kustomization, else the named one."""
    inside = [each for each in path.parents if each == top or top in each.parents]
    kustomized = [each for each in inside if any((each / f"kustomization{end}").is_file() for end in (".yaml", ".yml"))]
    return kustomized[-1] if kustomized else top


def _relative(folder: Path, root: Path) -> str:
    return folder.relative_to(root).as_posix() if folder != root else "."


def _words(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""


def _amount(text: str) -> Decimal:
    try:
        amount = Decimal(text.replace(",", "").removeprefix("$"))
    except InvalidOperation:
        raise Trouble(f"'{text}' is no amount", fix="write dollars, such as 5000") from None
    if not amount.is_finite() or amount <= 0:
        raise Trouble(f"'{text}' limits nothing", fix="write dollars above zero")
    return amount
