"""What the part of a screen that has the eye shows, in a few sentences: the help's first words."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from stages.value import Struct

_FIELD: Final = (
    ("enter", "does it, once the line is right in full; says what is wrong until then"),
    ("ctrl+u", "empties the line"),
    ("esc", "back; asks first when something is typed"),
)
_PASTES: Final = (*_FIELD, ("ctrl+v", "pastes; the terminal's own paste works as well"))


class Topic(Struct, frozen=True):
    """A part of a screen: what it shows, which of the registry's actions are its own, and keys that only it knows."""

    name: str
    says: str
    actions: tuple[str, ...] = ()
    keys: tuple[tuple[str, str], ...] = ()


_ROWS: Final = ("choose-next", "choose-previous", "zoom", "sort", "filter")

TOPICS: Final[Mapping[str, Topic]] = MappingProxyType(
    {
        "ramp": Topic(
            "the ramp",
            "Row 1 is who and where, row 2 the one word and number that matter, row 3 what follows by itself. Below it "
            "everything that is watched: the limits and how much of them is used, what would fire next, and the truth "
            "as Git, the runtime and the venue tell it.",
            _ROWS,
        ),
        "ramp-filter": Topic(
            "narrowing the ramp",
            "Words that a row or a trigger has in its name; all of them. What is not ok shows all the same, and each "
            "panel says how many are hidden. An empty line shows everything.",
            (),
            _PASTES,
        ),
        "exposure": Topic(
            "EXPOSURE",
            "What is held and ordered, against the limits of the stage in force. The bar is the share of the limit; "
            "the mark on it is where it warns, and after a breach where it is good again.",
            _ROWS,
        ),
        "tca": Topic(
            "TCA",
            "What trading costs, in basis points; a plus is cost. NO DATA says that there are too few fills to tell.",
            _ROWS,
        ),
        "freshness": Topic(
            "FRESHNESS",
            "How old each thing is that decisions rest on, and how old it may be. STALE is an answer that is too old, "
            "BLIND is none at all.",
            _ROWS,
        ),
        "reconciliation": Topic(
            "RECONCILIATION",
            "Whether the application, the broker and the records say the same. A difference is never small by itself.",
            _ROWS,
        ),
        "incident": Topic(
            "INCIDENTS",
            "What people have declared and what holds the posture until somebody clears it.",
            ("incident", "clear"),
        ),
        "burn-in": Topic(
            "the burn-in card",
            "What the stage still has to show before an advance may be asked for; what binds first stands on top.",
            ("burn-in",),
        ),
        "what-if": Topic(
            "WHAT IF",
            "Today's book under another stage's limits. Nothing of it is in force; it leaves by itself after a minute.",
            ("look", "plan"),
        ),
        "plan-0": Topic(
            "the plan's summary",
            "What changes and by how much, what it can cost if every limit binds at once, and who says no.",
            ("page", "patch"),
        ),
        "plan-1": Topic(
            "the diff",
            "Every byte that would be written, file by file; what is not shown stays as it is.",
            ("next-change", "previous-change", "previous-file", "next-file", "beside", "fold", "patch"),
        ),
        "plan-2": Topic("the gates", "Everything that has to hold before this plan may be applied, and what lacks."),
        "plan-3": Topic(
            "approvals",
            "Who has to say yes and who has. When all is there a field takes the phrase; until then nothing can be "
            "applied.",
            ("request", "field"),
        ),
        "token": Topic(
            "the confirmation token",
            "The phrase above, typed by hand; case, commas and spaces do not matter. It cannot be pasted, and keys "
            "that come too early are dropped and counted.",
            ("field",),
            _FIELD,
        ),
        "reduce": Topic(
            "the way down",
            "FREEZE, ROLLBACK with a stage, or KILL with the target's name. No approval, no gate, no reason: those "
            "come after. It runs in a process of its own and does not need this screen. Nothing here sells.",
            (),
            _PASTES,
        ),
        "incident-field": Topic(
            "declaring an incident",
            "SEV1, SEV2 or SEV3 and one line. What each of them holds at once stands above.",
            (),
            _PASTES,
        ),
        "clear": Topic(
            "what is held",
            "Every latch with what it waits for, the strictest first; below the list the one thing that can be done "
            "about the picked one.",
            ("pick", "pick-before", "yes"),
        ),
        "clear-field": Topic(
            "ending what is held", "A line of reason, or the phrase that stands above it.", ("pick",), _FIELD
        ),
        "ledger": Topic(
            "the ledger",
            "Every decision, newest first, and whether the chain is what was written. ■ is altered, ? is an intent "
            "without an outcome.",
            ("entry-up", "entry-down", "open", "filter-entries", "half", "wrong", "tail", "export", "postmortem"),
        ),
        "ledger-entry": Topic(
            "one entry",
            "All that it says, the hashes that chain it to its neighbours, and the other entries of its intent.",
            ("open", "half", "entry-up", "entry-down", "postmortem"),
        ),
        "ledger-filter": Topic(
            "the filter",
            "kind: actor: stage: intent: since: until: with a value each, and any other words as text; times in UTC. "
            "An empty line shows everything.",
            (),
            _PASTES,
        ),
        "ledger-export": Topic(
            "the export", "A file's name; CSV where it ends so, else the canonical lines.", (), _PASTES
        ),
        "ledger-postmortem": Topic(
            "the postmortem",
            "A new folder's name. It gets a page in Markdown, the plots of the signals that took part, and every entry "
            "word for word.",
            (),
            _PASTES,
        ),
        "zoom": Topic(
            "one signal over time",
            "Its limit as a line, stage changes, triggers and near misses marked; a gap is where nothing was known. "
            "Below stands where the number comes from.",
            ("earlier", "later", "shorter", "longer", "previous-signal", "next-signal", "copy-readings"),
        ),
        "drill": Topic(
            "the drill",
            "The kill or the rollback, fired for real on the paper target or played at the table. Leaving the screen "
            "stops nothing; what is left over is listed and counts as failed.",
            ("another", "evidence", "drill-field", "abandon"),
        ),
        "drill-field": Topic(
            "the drill's field",
            "The phrase that begins or fires it, or the answer to a step: y it held, n it did not, u nobody knows.",
            ("drill-field",),
            _FIELD,
        ),
    }
)
"""By the names that screens give to what is looked at."""
