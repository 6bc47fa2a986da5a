"""Every refusal: one class for one answer (RFC 7644 §3.12).

Status and scimType are facts of the class; the detail is built from the fields of the instance, so it cannot drift from
them. Whatever reaches the engine and is no `ScimError` is a bug. This file knows no document, no storage and no HTTP.
"""

from collections.abc import Iterable
from typing import ClassVar

import attrs


class ScimError(Exception):
    """The client's fault, complete: what a SCIM Error response says (RFC 7644 §3.12)."""

    status: ClassVar[int]
    scim_type: ClassVar[str | None] = None

    @property
    def detail(self) -> str:
        """One human-readable text; several problems are several lines."""
        raise NotImplementedError  # pragma: no cover

    def within(self, place: str) -> "ScimError":  # noqa: ARG002 - for those that name a place
        """The same refusal, about something inside *place*: `Operations[2]`, say."""
        return self

    def __str__(self) -> str:
        return f"{self.scim_type}: {self.detail}" if self.scim_type else self.detail


def _joined(place: str, path: str) -> str:
    return f"{place}.{path}" if path else place


@attrs.frozen
class Problem:
    """One fault in a payload: *path* names the attribute, *message* says what is wrong with it."""

    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message}" if self.path else self.message


@attrs.define(slots=False)
class _ExplainedError(ScimError):
    """A refusal whose reason is one sentence. One that adds no field to it is no attrs class of its own."""

    reason: str

    def within(self, place: str) -> ScimError:
        return attrs.evolve(self, reason=f"{place}: {self.reason}")

    @property
    def detail(self) -> str:
        return self.reason


@attrs.define(slots=False)
class _InTextError(ScimError):
    """A syntax error that shows where: the text, and a caret below the place."""

    reason: str
    text: str = ""
    position: int | None = None

    def within(self, place: str) -> ScimError:
        return attrs.evolve(self, reason=f"{place}: {self.reason}")

    @property
    def detail(self) -> str:
        if self.position is None:
            return f"{self.reason}\n  {_excerpt(self.text, 0)[0]}" if self.text else self.reason
        line, column = _excerpt(self.text, self.position)
        return f"{self.reason}\n  {line}\n  {' ' * column}^"


_EXCERPT = 120


def _excerpt(text: str, position: int) -> tuple[str, int]:
    """The part of *text* around *position* on one line, and where the position is in it."""
    start = max(0, position - _EXCERPT // 2)
    line = "".join(char if char.isprintable() else "?" for char in text[start : start + _EXCERPT])
    return line, position - start


class InvalidFilterError(_InTextError):
    """The filter's syntax is wrong, or the attribute and the operator do not go together."""

    status = 400
    scim_type = "invalidFilter"


class InvalidPathError(_InTextError):
    """A PATCH path is malformed or names no attribute of the resource type."""

    status = 400
    scim_type = "invalidPath"


@attrs.define(slots=False)
class NoTargetError(ScimError):
    """A path yields nothing to operate on (RFC 7644 §3.5.2.2, §3.5.2.3)."""

    status = 400
    scim_type = "noTarget"

    path: str
    reason: str = "nothing matches the value filter"

    def within(self, place: str) -> ScimError:
        return attrs.evolve(self, path=_joined(place, self.path))

    @property
    def detail(self) -> str:
        return f"{self.path}: {self.reason}" if self.path else self.reason


@attrs.define(slots=False)
class MutabilityError(ScimError):
    """A change that the attribute's mutability or state does not allow."""

    status = 400
    scim_type = "mutability"

    path: str
    reason: str

    def within(self, place: str) -> ScimError:
        return attrs.evolve(self, path=_joined(place, self.path))

    @property
    def detail(self) -> str:
        return f"{self.path}: {self.reason}"


class InvalidSyntaxError(_ExplainedError):
    """The body is no JSON, or not the message that this request needs."""

    status = 400
    scim_type = "invalidSyntax"


_MOST_SHOWN = 50


class InvalidValueError(ScimError):
    """Required values are missing or values do not fit the schema; *problems* has all, the detail the first 50."""

    status = 400
    scim_type = "invalidValue"

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__(*self.problems)

    def within(self, place: str) -> ScimError:
        return InvalidValueError(Problem(_joined(place, one.path), one.message) for one in self.problems)

    @property
    def detail(self) -> str:
        shown = [str(problem) for problem in self.problems[:_MOST_SHOWN]]
        if len(self.problems) > _MOST_SHOWN:
            shown.append(f"and {len(self.problems) - _MOST_SHOWN} more problems")
        return "\n".join(shown)


@attrs.define(slots=False)
class UniquenessError(ScimError):
    """Another resource has the value already (RFC 7644 §3.3: 409, on PUT and PATCH too)."""

    status = 409
    scim_type = "uniqueness"

    attribute: str

    @property
    def detail(self) -> str:
        return f"{self.attribute}: the value is taken by another resource"


class ConflictError(_ExplainedError):
    """The state of the resource, or of what it belongs to, forbids the change: a policy or an application says so."""

    status = 409


class TooManyError(_ExplainedError):
    """The query yields more results than the provider is willing to process."""

    status = 400
    scim_type = "tooMany"


class InvalidVersionError(_ExplainedError):
    """The SCIM protocol version in the URL is not supported."""

    status = 400
    scim_type = "invalidVers"


@attrs.define(slots=False)
class UnauthorizedError(_ExplainedError):
    """No caller could be made out; *challenge* is the WWW-Authenticate header of the answer."""

    status = 401

    challenge: str = "Bearer"


class ForbiddenError(_ExplainedError):
    """The caller may not do this."""

    status = 403


class SensitiveError(_ExplainedError):
    """The request URI carries confidential information (RFC 7644 §7.5.2)."""

    status = 403
    scim_type = "sensitive"


@attrs.define(slots=False)
class NotFoundError(ScimError):
    """The resource or endpoint does not exist, for this tenant."""

    status = 404

    what: str

    @property
    def detail(self) -> str:
        return f"{self.what} not found"


@attrs.define(slots=False)
class MethodNotAllowedError(ScimError):
    """The endpoint exists and does not know the method; *allowed* goes into the Allow header."""

    status = 405

    method: str
    allowed: tuple[str, ...]

    @property
    def detail(self) -> str:
        return f"{self.method} is not allowed here; allowed: {', '.join(self.allowed)}"


class PreconditionFailedError(_ExplainedError):
    """If-Match named no current version of the resource."""

    status = 412


@attrs.define(slots=False)
class PayloadTooLargeError(ScimError):
    """The request exceeds a limit; the answer names the limit (RFC 7644 §3.7.4)."""

    status = 413

    what: str
    limit: int

    @property
    def detail(self) -> str:
        return f"{self.what} exceeds the limit of {self.limit}"


@attrs.define(slots=False)
class UnsupportedMediaTypeError(ScimError):
    """The body is of a media type that SCIM does not use."""

    status = 415

    media_type: str

    @property
    def detail(self) -> str:
        return f"cannot read {self.media_type!r}; send application/scim+json or application/json in UTF-8"


@attrs.define(slots=False)
class InternalError(ScimError):
    """A bug of the provider. The client learns nothing but *request_id*, which the report of the bug carries too."""

    status = 500

    request_id: str

    @property
    def detail(self) -> str:
        return f"internal error; request {self.request_id}"


class UnsupportedFeatureError(_ExplainedError):
    """An optional part of SCIM that this provider does not offer."""

    status = 501


@attrs.define(slots=False)
class UnavailableError(_ExplainedError):
    """The request could not be carried out now; nothing was changed. *retry_after* is in whole seconds."""

    status = 503

    retry_after: int = 1
