"""``python -m console.reference`` writes docs/policy.md, docs/configuration.md and docs/keys.md."""

from __future__ import annotations

from pathlib import Path

from console.reference.pages import pages

if __name__ == "__main__":
    docs = Path(__file__).resolve().parents[2] / "docs"
    for name, text in pages().items():
        (docs / name).write_text(text, encoding="utf-8")
