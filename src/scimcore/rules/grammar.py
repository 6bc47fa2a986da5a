"""The shape of a filter or PATCH path becomes a syntax tree (RFC 7644 §3.4.2.2, §3.5.2).

scim2-filter-parser is the grammar. What its parser gets wrong is put right here: `and` and `or` have one precedence in
it, brackets nest without bound, and `emails[…].value` bends its tree. What its lexer gets wrong, `tokens` puts right.
"""

import re
from collections.abc import Sequence
from typing import Final, Literal

import attrs
from scim2_filter_parser import ast
from scim2_filter_parser.parser import SCIMParser, SCIMParserError

from scimcore.rules.syntax import (
    AttrExp,
    AttrPath,
    LogExp,
    NotExp,
    NotWellFormed,
    Operator,
    PathSyntax,
    PresenceExp,
    Syntax,
    ValuePath,
)
from scimcore.rules.tokens import Tokens
from scimcore.schema.remembered import remembered

DEEPEST: Final = 100
"""Brackets inside one another that no setting exceeds: trees are walked by recursion."""
LONGEST_REMEMBERED: Final = 2_000
"""In characters. The shapes that clients send over and over are far shorter."""


@attrs.frozen(eq=False)
class Statement:
    """A parsed shape. One shape is one object while the cache holds it, so that it can be a key itself."""

    shape: str
    syntax: Syntax


@attrs.frozen(eq=False)
class PathStatement:
    """A parsed path shape."""

    shape: str
    syntax: PathSyntax


@remembered(256, largest=LONGEST_REMEMBERED, size=lambda shape, *_: len(shape))
def statement(shape: str, max_depth: int, max_terms: int) -> Statement:
    """The tree of a filter's *shape*.

    Raises:
        NotWellFormed: *shape* is no filter, or exceeds the limits.
    """
    _check_work(shape, max_depth, max_terms)
    return Statement(shape, _syntax(_parsed(Tokens(shape))))


@remembered(256, largest=LONGEST_REMEMBERED, size=lambda shape, *_: len(shape))
def path_statement(shape: str, max_depth: int, max_terms: int) -> PathStatement:
    """The tree of a path's *shape*.

    Raises:
        NotWellFormed: *shape* is no path, or exceeds the limits.
    """
    _check_work(shape, max_depth, max_terms)
    # A path is what may stand before "pr", so it goes through the grammar of filters.
    found = _parsed(Tokens(shape, is_path=True)).expr
    if not isinstance(found, ast.AttrExpr) or found.value[1] != len(shape):
        raise NotWellFormed("expected a path, not a filter", 0)
    return PathStatement(shape, _path_syntax(found.attr_path))


_BRACKET = re.compile(r"[(\[)\]]")
_TERM = re.compile(rf"(?<=[ \t])(?i:{'|'.join(Operator)}|pr)(?![^ \t)\]])")


def _parsed(tokens: Tokens) -> ast.Filter:
    try:
        return SCIMParser().parse(iter(tokens))
    except SCIMParserError:
        # The parser looks one token ahead and no further, so the last one read is the one that does not fit.
        raise tokens.refusal() from None


def _check_work(shape: str, max_depth: int, max_terms: int) -> None:
    depth, bound = 0, min(max_depth, DEEPEST)
    for bracket in _BRACKET.finditer(shape):
        depth += 1 if bracket[0] in "([" else -1
        if depth > bound:
            raise NotWellFormed(f"more than {bound} brackets inside one another", bracket.start())
    for count, term in enumerate(_TERM.finditer(shape), 1):
        if count > max_terms:
            raise NotWellFormed(f"more than {max_terms} comparisons", term.start())


def _syntax(node: ast.Filter) -> Syntax:
    inner = node.expr
    if isinstance(inner, ast.LogExpr):
        return _chain(node)
    if isinstance(inner, ast.AttrExpr):
        return _attr_exp(inner)
    # A Filter inside a Filter is a value path if it has a namespace, and a pair of round brackets if not.
    if inner.namespace is not None:
        return ValuePath(_attr_path(inner.namespace), _syntax(inner.expr))
    return NotExp(_syntax(inner)) if node.negated else _syntax(inner)


def _chain(node: ast.Filter) -> Syntax:
    """Terms without brackets between them: the parser groups them to the left, the RFC by `and` first."""
    operands, connectives = [], []
    while isinstance(node.expr, ast.LogExpr):
        operands.append(node.expr.expr2)
        connectives.append(node.expr.op)
        node = node.expr.expr1
    conjunctions = [[_syntax(node)]]
    for connective, operand in zip(reversed(connectives), reversed(operands), strict=True):
        if connective == "or":
            conjunctions.append([])
        conjunctions[-1].append(_syntax(operand))
    return _joined("or", [_joined("and", terms) for terms in conjunctions])


def _joined(connective: Literal["and", "or"], terms: Sequence[Syntax]) -> Syntax:
    if len(terms) == 1:
        return terms[0]
    flat: list[Syntax] = []
    for term in terms:
        flat.extend(term.terms if isinstance(term, LogExp) and term.connective == connective else (term,))
    return LogExp(connective, tuple(flat))


def _attr_exp(node: ast.AttrExpr) -> Syntax:
    chosen = node.attr_path.attr_name
    if not isinstance(chosen, ast.Filter):
        return _test(_attr_path(node.attr_path), node)
    # Microsoft Entra ID sends emails[type eq "work"].value eq "x", and once sent emails[type eq "work"] eq "x". The
    # RFC's grammar has neither, but there is only one thing to mean: emails[type eq "work" and value eq "x"].
    path, filter = _attr_path(chosen.namespace, whole=False), _syntax(chosen.expr)
    sub = chosen.namespace.sub_attr
    if sub is None and node.comp_value is None:
        return ValuePath(path, filter)
    part = AttrPath("value", path.position) if sub is None else sub.value
    return ValuePath(path, _joined("and", [filter, _test(part, node)]))


def _test(path: AttrPath, node: ast.AttrExpr) -> Syntax:
    operator, position = node.value
    return PresenceExp(path) if node.comp_value is None else AttrExp(path, operator, node.comp_value.value, position)


def _path_syntax(path: ast.AttrPath) -> PathSyntax:
    chosen = path.attr_name
    if not isinstance(chosen, ast.Filter):
        return PathSyntax(_attr_path(path), None, None)
    sub = chosen.namespace.sub_attr
    return PathSyntax(_attr_path(chosen.namespace, whole=False), _syntax(chosen.expr), sub and sub.value)


def _attr_path(path: ast.AttrPath, whole: bool = True) -> AttrPath:
    name: AttrPath = path.attr_name
    text, position = name.text, name.position
    if path.uri is not None:
        text, position = path.uri.text + text, path.uri.position
    if whole and path.sub_attr is not None:
        text += "." + path.sub_attr.value.text
    return AttrPath(text, position)
