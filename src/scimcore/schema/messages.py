"""The messages of the protocol (RFC 7644 §3.1), as pydantic models: their shape, and nothing of what they mean.

`read_message` is the only way in: it reads a client's message and says in our own words what is wrong with it. Of the
messages that go out, `ServiceProviderConfig` is built here; `ListResponse` and `Error` say what shape a response has,
and the engine, which is in a hurry, writes it without them.
"""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Final, Literal, TypeAlias, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    SkipValidation,
    Strict,
    StrictStr,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic.alias_generators import to_camel
from pydantic_core import ErrorDetails, PydanticCustomError

from scimcore.errors import InvalidSyntaxError, Problem
from scimcore.schema.document import Json
from scimcore.schema.standard import SERVICE_PROVIDER_CONFIG_SCHEMA

MESSAGES: Final = "urn:ietf:params:scim:api:messages:2.0:"
"""What the URN of every message starts with."""

_OURS: Final = "scimcore"
"""The type of the errors that speak our own words already."""
_SCHEMAS_OPTIONAL: Final = "schemas optional"
"""The context of a validation that lets `schemas` be absent."""


def _lower(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


def _upper(value: object) -> object:
    return value.upper() if isinstance(value, str) else value


def _names(value: object) -> object:
    return [name.strip() for name in value.split(",") if name.strip()] if isinstance(value, str) else value


def _listed(value: object) -> object:
    return [] if value is None else value


_T = TypeVar("_T")


def _at_least_one(operations: tuple[_T, ...]) -> tuple[_T, ...]:
    if not operations:
        raise PydanticCustomError(_OURS, "must not be empty")
    return operations


# What the rules walk anyway is not walked, and not copied, here.
_Anything: TypeAlias = Annotated[JsonValue, SkipValidation]
# JSON has one kind of array, a frozen model wants tuples: so the array, and nothing inside it, is not strict.
_Strings: TypeAlias = Annotated[tuple[StrictStr, ...], Strict(False), BeforeValidator(_listed)]
# RFC 7644 §3.4.3 asks for arrays; clients that turn a GET into a POST send the query parameter as it was.
_AttributeNames: TypeAlias = Annotated[_Strings, BeforeValidator(_names)]

Op: TypeAlias = Literal["add", "remove", "replace"]
Method: TypeAlias = Literal["POST", "PUT", "PATCH", "DELETE"]
SortOrder: TypeAlias = Literal["ascending", "descending"]


class _Received(BaseModel):
    """An object that a client sends: names in any case (RFC 7643 §2.1), unknown members ignored, types strict."""

    model_config = ConfigDict(strict=True, frozen=True, extra="ignore", alias_generator=to_camel)

    _spelled: ClassVar[Mapping[str, str]]
    _names: ClassVar[frozenset[str]]

    @classmethod
    def __pydantic_init_subclass__(cls, **_: object) -> None:
        names = (field.alias or name for name, field in cls.model_fields.items())
        cls._spelled = {name.lower(): name for name in names}
        cls._names = frozenset(cls._spelled.values())

    @model_validator(mode="before")
    @classmethod
    def _spell(cls, payload: object) -> object:
        if not isinstance(payload, dict) or cls._names.issuperset(payload):
            return payload
        spelled: dict[str, object] = {}
        for member, value in payload.items():
            name = cls._spelled.get(member.lower())
            if name is None:
                continue
            if name in spelled:
                raise PydanticCustomError(_OURS, "has the member {name} twice", {"name": name})
            spelled[name] = value
        return spelled


class _Request(_Received):
    """A message that a client sends."""

    urn: ClassVar[str]

    schemas: tuple[StrictStr, ...] | None = Field(default=None, validate_default=True, strict=False)

    @field_validator("schemas")
    @classmethod
    def _carries_the_urn(cls, schemas: tuple[str, ...] | None, info: ValidationInfo) -> tuple[str, ...] | None:
        if schemas is None and info.context == _SCHEMAS_OPTIONAL:
            return None
        if cls.urn.lower() not in map(str.lower, schemas or ()):
            raise PydanticCustomError(_OURS, "must contain {urn}", {"urn": cls.urn})
        return schemas


class PatchOperation(_Received):
    """One operation of a PATCH (RFC 7644 §3.5.2). Whether it needs a path or a value is for the rules to say."""

    op: Annotated[Op, BeforeValidator(_lower)]
    path: str | None = None
    value: _Anything = None

    @property
    def has_value(self) -> bool:
        """Whether there is a `value` at all; null is one."""
        return "value" in self.model_fields_set


class PatchRequest(_Request):
    """The body of a PATCH (RFC 7644 §3.5.2)."""

    urn = MESSAGES + "PatchOp"

    operations: Annotated[tuple[PatchOperation, ...], AfterValidator(_at_least_one)] = Field(
        alias="Operations", strict=False
    )


class SearchRequest(_Request):
    """The body of a search by POST (RFC 7644 §3.4.3); None is what the client did not say."""

    urn = MESSAGES + "SearchRequest"

    attributes: _AttributeNames = ()
    excluded_attributes: _AttributeNames = ()
    filter: str | None = None
    sort_by: str | None = None
    sort_order: Annotated[SortOrder | None, BeforeValidator(_lower)] = None
    start_index: int | None = None
    count: int | None = None


class BulkOperation(_Received):
    """One operation of a bulk request (RFC 7644 §3.7). What a method needs besides is for the rules to say."""

    method: Annotated[Method, BeforeValidator(_upper)]
    path: str
    bulk_id: str | None = None
    version: str | None = None
    data: _Anything = None


class BulkRequest(_Request):
    """The body of a bulk request (RFC 7644 §3.7)."""

    urn = MESSAGES + "BulkRequest"

    operations: Annotated[tuple[BulkOperation, ...], AfterValidator(_at_least_one)] = Field(
        alias="Operations", strict=False
    )
    fail_on_errors: int | None = None


RequestT = TypeVar("RequestT", bound=_Request)


def read_message(model: type[RequestT], payload: Json, *, schemas_optional: bool) -> RequestT:
    """The message that *payload* is (RFC 7644 §3.1).

    With *schemas_optional* a message without `schemas` is read too; a `schemas` that names another message never is.

    Raises:
        InvalidSyntaxError: It is no such message; up to 50 problems are listed, each with its path.

    >>> body = {"operations": [{"op": "Replace", "path": "active", "value": False, "name": "disable"}]}
    >>> read_message(PatchRequest, body, schemas_optional=True).operations[0].op
    'replace'
    >>> read_message(PatchRequest, {"Operations": [{"op": "move"}]}, schemas_optional=True)
    Traceback (most recent call last):
    scimcore.errors.InvalidSyntaxError: invalidSyntax: Operations[0].op: must be add, remove or replace
    """
    try:
        return model.model_validate(payload, context=_SCHEMAS_OPTIONAL if schemas_optional else None)
    except ValidationError as error:
        # Neither the input nor a documentation link: an answer never echoes values.
        found = error.errors(include_input=False, include_url=False)
    problems = [str(_problem(details)) for details in found[:_MOST_PROBLEMS]]
    if len(found) > _MOST_PROBLEMS:
        problems.append(f"and {len(found) - _MOST_PROBLEMS} more problems")
    raise InvalidSyntaxError("\n".join(problems))


_MOST_PROBLEMS: Final = 50
_WORDS: Final[Mapping[str, str]] = {
    "missing": "is missing",
    "model_type": "must be an object",
    "tuple_type": "must be an array",
    "string_type": "must be a string",
    "string_unicode": "must be text that UTF-8 can carry",
    "int_type": "must be an integer",
    "bool_type": "must be true or false",
}


def _problem(details: ErrorDetails) -> Problem:
    path = ""
    for step in details["loc"]:
        path += f"[{step}]" if isinstance(step, int) else f".{step}" if path else step
    match details["type"]:
        case "scimcore":
            message = details["msg"]
        case "literal_error":
            message = "must be " + str(details["ctx"]["expected"]).replace("'", "")
        case kind:
            message = _WORDS.get(kind, "is not valid")
    return Problem(path, message if path else f"the message {message}")


class _Sent(BaseModel):
    """An object that the provider sends."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True)


class ListResponse(_Sent):
    """The answer to a search (RFC 7644 §3.4.2); `Resources` is left out when there are none."""

    schemas: tuple[Literal["urn:ietf:params:scim:api:messages:2.0:ListResponse"]]
    total_results: int = Field(ge=0)
    start_index: int | None = Field(default=None, ge=1)
    items_per_page: int | None = Field(default=None, ge=0)
    resources: tuple[dict[str, JsonValue], ...] = Field(default=(), alias="Resources")


ScimType: TypeAlias = Literal[
    "invalidFilter",
    "tooMany",
    "uniqueness",
    "mutability",
    "invalidSyntax",
    "invalidPath",
    "noTarget",
    "invalidValue",
    "invalidVers",
    "sensitive",
    "invalidCursor",
    "expiredCursor",
    "invalidCount",
]
"""The registered keywords of errors (RFC 7644 §3.12, RFC 9865 §2.1), and no others."""


class Error(_Sent):
    """The body of every refusal (RFC 7644 §3.12); the status is a string."""

    schemas: tuple[Literal["urn:ietf:params:scim:api:messages:2.0:Error"]]
    status: str = Field(pattern="^[345][0-9][0-9]$")
    scim_type: ScimType | None = None
    detail: str | None = None


class Feature(_Sent):
    """Whether the provider offers something."""

    supported: bool


class BulkFeature(Feature):
    """Bulk requests, and how large they may be; the numbers are there even if there is no bulk (RFC 7643 §5)."""

    max_operations: int = Field(default=0, ge=0)
    max_payload_size: int = Field(default=0, ge=0)


class FilterFeature(Feature):
    """Filters, and how many resources a response holds at most."""

    max_results: int = Field(ge=0)


class Pagination(_Sent):
    """Ways to page through results (RFC 9865 §4)."""

    cursor: bool
    index: bool
    default_pagination_method: Literal["cursor", "index"] | None = None
    default_page_size: int | None = Field(default=None, ge=1)
    max_page_size: int | None = Field(default=None, ge=1)
    cursor_timeout: int | None = Field(default=None, ge=1)


class AuthenticationScheme(_Sent):
    """A way for a client to authenticate (RFC 7643 §5)."""

    type: Literal["oauth", "oauth2", "oauthbearertoken", "httpbasic", "httpdigest"]
    name: str
    description: str
    spec_uri: str | None = None
    documentation_uri: str | None = None
    primary: bool | None = None


class ServiceProviderConfig(_Sent):
    """What the provider can do (RFC 7643 §5), without `meta`.

    >>> filtering, off = FilterFeature(supported=True, max_results=100), Feature(supported=False)
    >>> config = ServiceProviderConfig(
    ...     patch=off, bulk=BulkFeature(supported=False), filter=filtering, change_password=off, sort=off, etag=off
    ... )
    >>> config.model_dump(by_alias=True, exclude_none=True)["filter"]
    {'supported': True, 'maxResults': 100}
    """

    schemas: tuple[str] = (SERVICE_PROVIDER_CONFIG_SCHEMA.id,)
    documentation_uri: str | None = None
    patch: Feature
    bulk: BulkFeature
    filter: FilterFeature
    change_password: Feature
    sort: Feature
    etag: Feature
    authentication_schemes: tuple[AuthenticationScheme, ...] = ()
    pagination: Pagination | None = None
