"""Queries: what can be known of a PromQL expression or an SQL statement before anybody is asked."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

import promql_parser

ACCOUNT: Final = ":account"
"""In SQL: the label of the declared account of the book that is read, bound as a parameter."""

PROCESS: Final = "$process"
"""In PromQL: the name of the process that is read, which stages with endpoints of their own replace."""

_WRITES: Final = frozenset({"delete", "insert", "into", "merge", "update"})
"""What a statement that begins with SELECT or WITH can still write by."""

_UNREAD = re.compile(
    r"""
    '(?:[^']|'')*' | "(?:[^"]|"")*" | `[^`]*` | \$(\w*)\$.*?\$\1\$ | --[^\n]* | /\*.*?\*/
    """,
    re.VERBOSE | re.DOTALL,
)
"""Texts, quoted names and comments: words in them mean nothing to the database."""
_PARAMETER = re.compile(r"(?<![:\w\\]):(\w+)(?!:)")


def promql_problem(expression: str) -> str | None:
    """Why an expression cannot be asked at an instant for numbers; None when it can."""
    try:
        parsed = promql_parser.parse(expression)
    except ValueError as error:
        return f"PromQL does not parse: {' '.join(str(error).split())}"
    kind = _inner(parsed)
    if isinstance(kind, (promql_parser.MatrixSelector, promql_parser.SubqueryExpr)):
        return "PromQL gives a range of samples, not one value"
    return "PromQL gives a text, not a number" if isinstance(kind, promql_parser.StringLiteral) else None


def event_time_problem(expression: str) -> str | None:
    """Why an expression cannot tell when a value was true: an evaluation time looks fresh however old the value is."""
    wrong = promql_problem(expression)
    if wrong is not None:
        return wrong
    for call in _calls(promql_parser.parse(expression)):
        name = call.func.name
        if name == "time":
            return "time() is the time of the question, not of the value"
        if name == "timestamp" and not isinstance(_inner(call.args[0]), promql_parser.VectorSelector):
            return "timestamp() of an expression is the time of the question, not of the value"
    return None


def select_problem(query: str) -> str | None:
    """Why a statement is not one read-only SELECT; None when it is.

    The database refuses writes as well: this only tells the author at once. Semicolons are refused wherever they stand.
    """
    statement = query.strip().removesuffix(";")
    words = re.findall(r"[a-z_]\w*", _UNREAD.sub(" ", statement).lower())
    if not re.match(r"(?i)(select|with)\b", statement):
        return "SQL does not begin with SELECT or WITH"
    if ";" in statement:
        return "SQL is more than one statement: there is a ';' inside"
    written = next((word for word in words if word in _WRITES), None)
    if written is not None:
        return f"SQL is no plain SELECT: it says {written.upper()}"
    others = set(_PARAMETER.findall(_UNREAD.sub(" ", statement))) - {ACCOUNT[1:]}
    return f"SQL has a parameter :{min(others)} that nobody gives; {ACCOUNT} is the only one" if others else None


def _inner(expression: promql_parser.Expr) -> promql_parser.Expr:
    while isinstance(expression, promql_parser.ParenExpr):
        expression = expression.expr
    return expression


def _calls(expression: promql_parser.Expr) -> Iterator[promql_parser.Call]:
    found: list[promql_parser.Call] = []

    def visit(node: promql_parser.Expr) -> None:
        if isinstance(node, promql_parser.Call):
            found.append(node)

    promql_parser.walk(expression, visit)
    yield from found
