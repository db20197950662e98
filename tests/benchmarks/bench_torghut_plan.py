"""What a plan costs on Torghut's real manifests: ``python -m tests.benchmarks.bench_torghut_plan [ROUNDS]``.

In process, after the imports, the files already read: parsing, spans, standing, splices, their proofs and the blast
radius. Beside it stands what PyYAML's C loader needs for the same files alone. Limits of design section 11: 150 ms for
the plan, 25 ms for each 500 lines of the files that it reads. Needs the folder that RAMPDECK_SHARED names.
"""

from __future__ import annotations

import hashlib
import os
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

import yaml

from stages.plan import Plan, build
from stages.policy_text import digest, load

ROOT = Path(__file__).resolve().parents[2]
SHARED = Path(os.environ.get("RAMPDECK_SHARED") or ROOT.parent / "shared")
PLAN_MS, FILE_MS, FILE_LINES = 150.0, 25.0, 500


def manifests() -> dict[str, bytes]:
    """Torghut's files by their path in its repository."""
    base = SHARED / "torghut"
    found = {
        f"argocd/applications/torghut/{path.relative_to(base / 'manifests')}": path.read_bytes()
        for path in sorted((base / "manifests").rglob("*"))
        if path.is_file()
    }
    pinned = base / "config" / "economic-policy-v1.json"
    return {**found, f"services/torghut/config/{pinned.name}": pinned.read_bytes()}


def blob_id(content: bytes) -> str:
    """Git's id of these bytes."""
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def milliseconds(action: Callable[[], object], rounds: int) -> float:
    """The median of so many rounds, after one that warms up."""
    action()
    taken = []
    for _ in range(rounds):
        started = time.perf_counter()
        action()
        taken.append(1000 * (time.perf_counter() - started))
    return median(taken)


def main(rounds: int) -> int:
    files = manifests()
    text = (ROOT / "stages/policies/torghut.yaml").read_text(encoding="utf-8")
    policy, asked = load(text, "torghut.yaml"), set[str]()

    def read(path: str) -> bytes | None:
        asked.add(path)
        return files.get(path)

    def plan() -> Plan:
        return build(
            policy, policy_digest=digest(text), roster_digest="", read=read,
            blob_id=blob_id,
            base_commit="0" * 40, epoch=0, to_stage=1, created_by="bench", now=datetime.now(UTC),
        )  # fmt: skip

    took = milliseconds(plan, rounds)
    used = {path: files[path] for path in asked if path in files}
    lines = sum(content.count(b"\n") for content in used.values())

    def parse() -> None:
        for content in used.values():
            list(yaml.load_all(content, Loader=yaml.CSafeLoader))

    bare = milliseconds(parse, rounds)
    each = took * FILE_LINES / lines
    print(f"plan: {took:.0f} ms for {len(used)} files of {lines:,} lines", end=", ")
    print(f"{took / bare:.2f} x the C loader's {bare:.0f} ms")
    print(f"{took / PLAN_MS:.2f} x its limit of {PLAN_MS:.0f} ms; {each:.1f} ms each {FILE_LINES} lines", end=", ")
    print(f"{each / FILE_MS:.2f} x the limit of {FILE_MS:.0f} ms")
    return 0 if took <= PLAN_MS and each <= FILE_MS else 1


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 15))
