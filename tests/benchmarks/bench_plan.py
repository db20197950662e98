"""What a plan costs by the size of its repository: ``python tests/benchmarks/bench_plan.py [FILES]``.

The same policy and manifests lie in a repository of 20 files and in one of 20,000; after the first fetch the plan, and
the commit that would carry it, may cost at most twice as much in the large one. Beside them stands what Git itself
asks for the same edit in a checkout of the large one.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from statistics import median

from console.gitops.mirror import Mirror
from stages.plan import Plan, build
from stages.policy import Policy
from stages.policy_text import digest, load

ROOT = Path(__file__).resolve().parents[2]
LIMIT = 2.0
FOLDER = 100
"""Files to a folder, as in a repository that is kept in order."""
ROUNDS = 9


def git(*arguments: str, cwd: Path) -> str:
    person = {f"GIT_{role}_{what}": "bench@localhost" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    done = subprocess.run(["git", *arguments], cwd=cwd, env={**os.environ, **person}, check=True, capture_output=True)
    return done.stdout.decode().strip()


def make_repository(folder: Path, files: int) -> tuple[Path, Path]:
    """A checkout with the demo's manifests among ``files`` files, and its bare remote."""
    work, bare = folder / "work", folder / "remote.git"
    shutil.copytree(ROOT / "console/demo/sample", work)
    ours = sum(1 for path in work.rglob("*") if path.is_file())
    for number in range(files - ours):
        path = work / "apps" / f"team{number // FOLDER:04}" / f"file{number % FOLDER:03}.yaml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"kind: ConfigMap\nmetadata: {{name: one-{number}}}\ndata: {{limit: '{number}'}}\n")
    git("init", "-q", "--initial-branch=main", cwd=work)
    git("add", ".", cwd=work)
    git("commit", "-qm", "Begin", cwd=work)
    git("clone", "-q", "--bare", str(work), str(bare), cwd=folder)
    git("remote", "add", "origin", str(bare), cwd=work)
    return work, bare


def make_plan(mirror: Mirror, policy: Policy, text: str) -> Plan:
    """From the fetch to the plan, as ``rampdeck plan`` does it."""
    head = mirror.fetch()
    return build(
        policy,
        policy_digest=digest(text),
        roster_digest="",
        read=partial(mirror.read, head),
        blob_id=mirror.blob_id,
        base_commit=head,
        epoch=0,
        to_stage=1,
        created_by="bench",
        now=datetime.now(UTC),
    )


def interleaved(actions: tuple[Callable[[], object], ...]) -> list[float]:
    """The median seconds of each, measured in turns, so that a busy moment of the machine falls upon all of them."""

    def rounds(action: Callable[[], object]) -> Iterator[float]:
        while True:
            started = time.perf_counter()
            action()
            yield time.perf_counter() - started

    running = [rounds(action) for action in actions]
    turns = [[next(one) for one in running] for _ in range(ROUNDS)]
    return [median(column) for column in zip(*turns, strict=True)]


def commit_by_hand(work: Path, plan: Plan) -> None:
    """The same edit by Git alone, in a checkout, and taken back."""
    for path, content in plan.contents.items():
        (work / path).write_bytes(content)
    git("commit", "-qam", "The same edit", cwd=work)
    git("reset", "-q", "--hard", "HEAD~1", cwd=work)


def main(files: int) -> int:
    text = (ROOT / "stages/policies/demo.yaml").read_text()
    policy = load(text, "demo.yaml")
    with tempfile.TemporaryDirectory() as name:
        mirrors, plans, checkout = [], [], Path()
        for count in (20, files):
            folder = Path(name, str(count))
            folder.mkdir()
            checkout, bare = make_repository(folder, count)
            mirror = Mirror(bare.as_uri(), "main", folder / "cache")
            started = time.perf_counter()
            mirror.fetch()
            print(f"{count:,} files: first fetch {time.perf_counter() - started:.2f} s")
            mirrors.append(mirror)
            plans.append(make_plan(mirror, policy, text))
        small, large = interleaved(tuple(partial(make_plan, mirror, policy, text) for mirror in mirrors))
        commits = [
            partial(mirror.commit, plan.base_commit, plan.contents, "Bench", [])
            for mirror, plan in zip(mirrors, plans, strict=True)
        ]
        one, other, bare_git = interleaved((*commits, partial(commit_by_hand, checkout, plans[1])))
    print(f"plan: {1000 * small:.0f} ms in 20 files, {1000 * large:.0f} ms in {files:,}: {large / small:.2f} x")
    print(f"its commit: {1000 * one:.0f} ms and {1000 * other:.0f} ms: {other / one:.2f} x", end="; ")
    print(f"{other / bare_git:.2f} x `git commit` and reset of the same edit in a checkout of {files:,} files")
    worst = max(large / small, other / one)
    print(f"worst ratio {worst:.2f} (limit {LIMIT})")
    return 0 if worst <= LIMIT else 1


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 20_000))
