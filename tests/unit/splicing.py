"""One change made to a small manifest, proven to be reversible."""

from __future__ import annotations

from stages.bindings import Binding, Value
from stages.splice import Change, Spliced, apply, edit

HEAD = "kind: ConfigMap\nmetadata: {name: m}\ndata:\n"
POD = """\
kind: Deployment
metadata: {name: app}
spec:
  template:
    spec:
      containers:
        - name: main
          env:
            - name: MODE
              # The mode may be
              # live or paper.
              value: live # today
            # The cap in dollars.
            - name: CAP
              value: "500"
            - name: BARE
            # Last of all.
            - name: LAST
              value: |
                text

          ports: []
"""


def at(path: str, **more) -> Binding:
    return Binding("m.yaml", "ConfigMap/m", path=path, **more)


def env(name: str, **more) -> Binding:
    return Binding("m.yaml", "Deployment/app", env=name, **more)


def change(text: str, binding: Binding, value: Value | None) -> Spliced:
    """Make one change, and see that its inverse is exact."""
    spliced = edit(text, [Change(binding, value)], "m.yaml")
    place = 0
    for start, end in spliced.spans:
        assert place <= start <= end
        place = end
    assert spliced.before == text
    assert apply(text, spliced.edits) == spliced.after
    assert [one.after for one in spliced.differences] == ([value] if spliced.edits else [])
    return spliced
