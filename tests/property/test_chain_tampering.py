"""Whatever is done to a stored chain short of rewriting all of it with its head row is found."""

from __future__ import annotations

from datetime import UTC, datetime
from hashlib import sha256

from hypothesis import assume, given
from hypothesis import strategies as st

from stages.chain import Row, verify
from stages.entries import Draft, Entry, canonical, genesis, parse, plain, write

NOW = datetime(2026, 11, 23, 14, 30, tzinfo=UTC)
SIZE = 7

texts = st.text(st.characters(codec="utf-8"), max_size=20)
scalars = st.none() | st.booleans() | st.integers() | st.decimals(allow_nan=False, allow_infinity=False) | texts
values = st.recursive(
    scalars | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)


def chain() -> list[Entry]:
    entries = [genesis(ledger="6f1c9a52", actor="ops", fingerprint="torghut", now=NOW)]
    for number in range(2, SIZE + 1):
        draft = Draft("note", "L1", None, "ops", {"text": str(number)})
        entries.append(write(draft, ledger="6f1c9a52", previous=entries[-1], now=NOW))
    return entries


ENTRIES = tuple(chain())
ROWS: tuple[Row, ...] = tuple((each.seq, each.prev, each.hash, each.text.encode()) for each in ENTRIES)


@given(values)
def test_every_value_survives_the_ledger(value: object) -> None:
    entry = write(Draft("note", None, None, "ops", {"text": value}), ledger="x", previous=None, now=NOW)
    assert parse(entry.text) == entry
    assert canonical(entry.body) == canonical(parse(entry.text).body)
    assert plain(plain(value)) == plain(value)


@given(st.integers(0, SIZE - 1), st.data())
def test_one_changed_byte_is_located(index: int, data: st.DataObject) -> None:
    seq, prev, digest, text = ROWS[index]
    place = data.draw(st.integers(0, len(text) - 1))
    byte = data.draw(st.integers(0, 255).filter(lambda value: value != text[place]))
    changed = text[:place] + bytes([byte]) + text[place + 1 :]
    fits = data.draw(st.booleans())
    rows = list(ROWS)
    rows[index] = (seq, prev, sha256(changed).hexdigest() if fits else digest, changed)
    found = {problem.seq for problem in verify(rows, ENTRIES[-1].head).problems}
    assert found & {seq - 1, seq, seq + 1}


@given(st.lists(st.sampled_from(range(SIZE)), max_size=SIZE + 2))
def test_only_the_chain_itself_verifies(order: list[int]) -> None:
    assume(order != list(range(SIZE)))
    renumbered = [(seq, *ROWS[index][1:]) for seq, index in enumerate(order, 1)]
    assert not verify(renumbered, ENTRIES[-1].head).ok
    assert not verify([ROWS[index] for index in order], ENTRIES[-1].head).ok
