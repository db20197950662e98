"""Digests: whoever writes the document, in whatever layout, its digest is the one of what it says."""

from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from stages.digests import digest_of, plain_data
from stages.json_spans import parse_json
from stages.yaml_spans import Manifest, parse

TEXTS = st.text(st.characters(min_codepoint=32, max_codepoint=0x1F9FF, exclude_categories=("Cs", "Cc", "Zl", "Zp")))
NUMBERS = st.integers(-(10**12), 10**12) | st.floats(allow_nan=False, allow_infinity=False, width=32)
DOCUMENTS = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda below: st.lists(below, max_size=3) | st.dictionaries(TEXTS, below, max_size=3),
    max_leaves=8,
)


def digest(manifest: Manifest, form: str) -> str:
    return digest_of(plain_data(manifest, manifest.documents[0].root), form)


@settings(max_examples=60)
@given(
    data=st.dictionaries(TEXTS, DOCUMENTS, max_size=4),
    indent=st.sampled_from([None, 0, 2, 4]),
    escaped=st.booleans(),
    form=st.sampled_from(["sorted", "rfc8785"]),
)
def test_the_layout_of_a_json_document_never_changes_its_digest(
    data: dict[str, object], indent: int | None, escaped: bool, form: str
) -> None:
    meant = digest_of(data, form)
    turned = dict(reversed(data.items()))
    text = json.dumps(turned, indent=indent, ensure_ascii=escaped)
    assert digest(parse_json(text), form) == meant


@settings(max_examples=60)
@given(data=st.dictionaries(TEXTS, st.none() | st.booleans() | st.integers(-(10**9), 10**9) | TEXTS, max_size=4))
def test_the_same_document_as_yaml_has_the_same_digest(data: dict[str, object]) -> None:
    pairs = ((json.dumps(one, ensure_ascii=False) for one in pair) for pair in data.items())
    lines = [": ".join(pair) for pair in pairs]
    assert digest(parse("\n".join(lines) or "{}"), "sorted") == digest_of(data)
