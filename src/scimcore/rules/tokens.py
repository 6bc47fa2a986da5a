"""The text of a filter or path becomes a shape and literals, and the shape becomes tokens for scim2-filter-parser.

Its own lexer reads no escapes in strings, no numbers of two digits, no names such as `trueName` or `pr`, and knows no
positions; this one does. `userName eq "a"` and `userName eq "b"` have one shape, which is parsed once.
"""

import json
import math
import re
from collections.abc import Iterator, Sequence
from enum import Enum, auto
from typing import Final

from sly.lex import Token

from scimcore.rules.syntax import AttrPath, NotWellFormed, Operator
from scimcore.schema.document import Json, is_storable

MARK: Final = "\0"
"""Stands for a literal in a shape; nowhere legal in a filter itself."""

_OPERATOR = "|".join((*Operator, "pr"))
# A string anywhere, even without an end, so that no text is read twice; a number where a token begins; true, false and
# null unless an operator follows, which makes it a name.
_LITERAL = re.compile(
    r'(?=["\dtfn-])("[^"\\]*(?:\\.[^"\\]*)*(?:"|\\?\Z)'
    r"|(?<![^ \t(\[])-?\d[^ \t()\[\]\"\0]*"
    rf"|(?<=[ \t])(?:true|false|null)(?![^ \t)\]])(?![ \t]+(?i:{_OPERATOR})(?![^ \t)\]])))",
    re.DOTALL,
)
_CONSTANTS: Final[dict[str, Json]] = {"true": True, "false": False, "null": None}


def split(text: str) -> tuple[str, list[str]]:
    r"""The shape of *text*, and its literals as they are spelled.

    >>> split('userName eq "a" and name.givenName pr')
    ('userName eq \x00 and name.givenName pr', ['"a"'])
    """
    parts = _LITERAL.split(text.replace(MARK, "\1"))
    return MARK.join(parts[::2]), parts[1::2]


def position_in(text: str, position: int) -> int:
    """Where *position* in the shape of *text* is in *text* itself."""
    shape, literals = split(text)
    return position + sum(len(literal) - 1 for literal in literals[: shape.count(MARK, 0, position)])


def position_of_literal(shape: str, slot: int) -> int:
    r"""Where in *shape* the literal number *slot* stands.

    >>> position_of_literal("a eq \0 and b eq \0", 1)
    16
    """
    position = -1
    for _ in range(slot + 1):
        position = shape.index(MARK, position + 1)
    return position


def literals_of(shape: str, spelled: Sequence[str]) -> tuple[Json, ...]:
    """The values of the literals of *shape*.

    Raises:
        NotWellFormed: One is no JSON, or holds what no value may hold.
    """
    values: list[Json] = []
    try:
        for literal in spelled:
            values.append(decoded(literal))  # noqa: PERF401 - how many there are says which one failed
    except ValueError as fault:
        raise NotWellFormed(str(fault), position_of_literal(shape, len(values))) from None
    return tuple(values)


def decoded(literal: str) -> Json:
    r"""The value of a JSON literal (RFC 8259).

    >>> decoded('"b\\u006fb"'), decoded("-1.5e2"), decoded("null")
    ('bob', -150.0, None)

    Raises:
        ValueError: It is none, or it holds a NUL, half a surrogate pair or a number beyond all bounds.
    """
    # Printable text has no control characters and no half surrogate pairs.
    if literal[0] == '"' and literal.isprintable() and "\\" not in literal and literal.endswith('"', 1):
        return literal[1:-1]
    if literal in _CONSTANTS:
        return _CONSTANTS[literal]
    try:
        value: Json = json.loads(literal)
    except json.JSONDecodeError as fault:
        raise ValueError(_refusal(literal, fault.msg)) from None
    except ValueError:
        raise ValueError("the number is too large") from None
    if isinstance(value, str):
        if not is_storable(value):
            raise ValueError("a string must not contain NUL or half a surrogate pair")
    elif isinstance(value, float) and not math.isfinite(value):
        raise ValueError("the number is too large")
    return value


def _refusal(literal: str, message: str) -> str:
    if not literal.startswith('"'):
        return "expected a comparison value: not a JSON number"
    if message.startswith("Unterminated"):
        return "the string has no end"
    return "a string is not valid JSON: a wrong escape or an unescaped control character"


_TOKEN = re.compile(
    r"""
    (?P<SCHEMA_URI> [A-Za-z][A-Za-z0-9+.-]* : (?:[^\s:()\[\]"\0]*:)* (?=\$?[A-Za-z]) )
  | (?P<ATTRNAME> \$?[A-Za-z][A-Za-z0-9_$-]* )
  | (?P<SUBATTR> \.\$?[A-Za-z][A-Za-z0-9_$-]* )
  | (?P<COMP_VALUE> \0 )
  | (?P<LPAREN> \( ) | (?P<RPAREN> \) ) | (?P<LBRACKET> \[ ) | (?P<RBRACKET> \] )
  | (?P<STRANGE> [^ \t] )
    """,
    re.VERBOSE,
)
_OPERATORS: Final = {operator.value: operator for operator in Operator}
# Makes a name even of "and", "or" and "not".
_NAME_ENDS = re.compile(rf"[.\[]|[ \t]+(?i:{_OPERATOR})(?![^ \t)\]])")


class _Expecting(Enum):
    """What may come next, as far as it says how a word is to be read."""

    NAME = auto()
    NAME_OF_URN = auto()
    GROUP = auto()
    OPERATOR = auto()
    OPERATOR_OF_PART = auto()
    VALUE = auto()
    CONNECTIVE = auto()
    ANY_OF_ELEMENT = auto()

    @property
    def reason(self) -> str:
        """What to say if something else comes."""
        return _REASONS[self]


_REASONS: Final = {
    _Expecting.NAME: "expected an attribute name",
    _Expecting.NAME_OF_URN: "expected an attribute name",
    _Expecting.GROUP: "expected '(' after 'not'",
    _Expecting.OPERATOR: "expected an operator",
    _Expecting.OPERATOR_OF_PART: "expected an operator",
    _Expecting.VALUE: "expected a comparison value",
    _Expecting.CONNECTIVE: "expected 'and' or 'or'",
    _Expecting.ANY_OF_ELEMENT: "expected 'and', 'or', an operator or a sub-attribute",
}
_NEXT: Final = {
    "SCHEMA_URI": _Expecting.NAME_OF_URN,
    "ATTRNAME": _Expecting.OPERATOR,
    "SUBATTR": _Expecting.OPERATOR_OF_PART,
    "COMP_VALUE": _Expecting.CONNECTIVE,
    "PR": _Expecting.CONNECTIVE,
    "AND": _Expecting.NAME,
    "OR": _Expecting.NAME,
    "NOT": _Expecting.GROUP,
    "LPAREN": _Expecting.NAME,
    "RPAREN": _Expecting.CONNECTIVE,
    "LBRACKET": _Expecting.NAME,
    "RBRACKET": _Expecting.ANY_OF_ELEMENT,
    **{operator.name: _Expecting.VALUE for operator in Operator},
}
_AFTER_TERM: Final = (_Expecting.CONNECTIVE, _Expecting.ANY_OF_ELEMENT)
_AFTER_NAME: Final = (_Expecting.OPERATOR, _Expecting.OPERATOR_OF_PART)


class Tokens:
    """The tokens of a shape, one at a time, as scim2-filter-parser names them.

    Of a path, a `pr` follows: a path is what may stand before one, so that it goes through the grammar of filters.
    """

    def __init__(self, shape: str, is_path: bool = False) -> None:
        self._shape = shape
        self._is_path = is_path
        self._position = 0
        self._slots = 0
        self._open = 0
        self._is_in_brackets = False
        self._expected = self._expecting = _Expecting.NAME

    def __iter__(self) -> Iterator[Token]:
        """The tokens.

        Raises:
            NotWellFormed: There is something that is no token, or that no filter can have in its place.
        """
        for found in _TOKEN.finditer(self._shape):
            self._position = found.start()
            kind = self._kind(found.lastgroup or "", found[0])
            self._expected, self._expecting = self._expecting, _NEXT[kind]
            yield _token(kind, self._value(kind, found[0]), self._position)
        self._position, self._expected = len(self._shape), self._expecting
        if self._is_path:
            yield _token("PR", (None, len(self._shape)), len(self._shape))
            self._expected = _Expecting.CONNECTIVE

    def refusal(self) -> NotWellFormed:
        """Why the token that was read last does not fit."""
        reason = self._expected.reason
        if self._expected in _AFTER_TERM:
            if self._position < len(self._shape):
                if self._shape[self._position] in ")]":
                    reason = "no bracket is open that this one closes"
            else:
                reason = "a bracket is not closed" if self._open else "expected a path, not a filter"
        return NotWellFormed(reason, self._position)

    def _kind(self, kind: str, text: str) -> str:
        match kind:
            case "STRANGE":
                raise NotWellFormed(self._reason_against(text), self._position)
            case "LBRACKET":
                self._enter_brackets()
            case "RBRACKET":
                self._is_in_brackets = False
                self._open -= 1
            case "RPAREN":
                self._open -= 1
            case "SUBATTR":
                self._check_no_blank()
            case "LPAREN":
                self._check_blank(kind)
                self._open += 1
            case "ATTRNAME":
                self._check_blank(kind)
                return self._kind_of_word(text)
            case _:
                self._check_blank(kind)
        return kind

    def _kind_of_word(self, text: str) -> str:
        word, end = text.lower(), self._position + len(text)
        if word in ("and", "or", "not") and (
            self._expecting in _AFTER_TERM
            or (self._expecting is _Expecting.NAME and not _NAME_ENDS.match(self._shape, end))
        ):
            return word.upper()
        if self._expecting in _AFTER_NAME or self._expecting is _Expecting.ANY_OF_ELEMENT:
            if word in _OPERATORS or word == "pr":
                return word.upper()
            if self._expecting in _AFTER_NAME and word not in ("and", "or", "not"):
                raise NotWellFormed(f"the operator {text!r} is not supported", self._position)
        return "ATTRNAME"

    def _value(self, kind: str, text: str) -> object:
        match kind:
            case "SCHEMA_URI" | "ATTRNAME":
                return AttrPath(text, self._position)
            case "SUBATTR":
                return AttrPath(text[1:], self._position + 1)
            case "COMP_VALUE":
                self._slots += 1
                return self._slots - 1
            case "AND" | "OR" | "NOT" | "LPAREN" | "RPAREN" | "LBRACKET" | "RBRACKET":
                return text.lower()
            case _:
                return _OPERATORS.get(text.lower()), self._position

    def _reason_against(self, char: str) -> str:
        return self._expecting.reason if self._expecting is _Expecting.VALUE else f"unexpected character {char!r}"

    def _enter_brackets(self) -> None:
        if self._is_in_brackets:
            raise NotWellFormed("a value filter cannot stand inside another", self._position)
        if self._expecting in (_Expecting.ANY_OF_ELEMENT, _Expecting.OPERATOR_OF_PART):
            raise NotWellFormed("a value filter must follow an attribute name directly", self._position)
        self._is_in_brackets = True
        self._open += 1

    def _check_blank(self, kind: str) -> None:
        before = self._shape[self._position - 1 : self._position]
        if before in ("", " ", "\t", "(", "[") or self._expecting is _Expecting.NAME_OF_URN:
            return
        if kind != "LPAREN" or self._expecting is not _Expecting.GROUP:
            raise NotWellFormed("expected a blank", self._position)

    def _check_no_blank(self) -> None:
        if self._shape[self._position - 1 : self._position] in (" ", "\t"):
            raise NotWellFormed("a blank before '.'", self._position)


def _token(kind: str, value: object, position: int) -> Token:
    token = Token()
    token.type, token.value, token.lineno, token.index, token.end = kind, value, 1, position, position
    return token
