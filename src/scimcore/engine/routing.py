"""A request becomes exactly one Operation, once; nothing after this looks at a path, a query string or a header."""

from collections.abc import Callable, Mapping
from functools import cache, lru_cache, partial
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias
from urllib.parse import unquote, unquote_to_bytes

from scimcore.engine.environment import Environment
from scimcore.engine.http import Request
from scimcore.engine.operation import (
    Create,
    Delete,
    DiscoverConfig,
    DiscoverResourceTypes,
    DiscoverSchemas,
    Operation,
    Options,
    Patch,
    Read,
    Replace,
    Search,
)
from scimcore.engine.wire import parsed
from scimcore.errors import (
    ForbiddenError,
    InvalidSyntaxError,
    InvalidValueError,
    InvalidVersionError,
    MethodNotAllowedError,
    NotFoundError,
    PayloadTooLargeError,
    Problem,
    UnsupportedFeatureError,
    UnsupportedMediaTypeError,
)
from scimcore.rules.filter import parse_filter
from scimcore.rules.project import Projection, projection
from scimcore.schema.catalogue import ResourceType
from scimcore.schema.document import Json

if TYPE_CHECKING:  # the models are built when a message is read, not when scimcore is imported
    from scimcore.schema.messages import PatchRequest, SearchRequest

Make: TypeAlias = "Callable[[_Routing, Target], Operation]"
Routes: TypeAlias = Mapping[str, Make]
"""Method -> what makes the operation. Nothing is parsed before the method is known to be allowed."""


class Target(NamedTuple):
    """What a path leads to: the methods it knows, and what they are about."""

    routes: Routes
    resource_types: tuple[ResourceType, ...] = ()
    name: str = ""
    """The id of a resource, the name of a resource type or the URN of a schema."""


_MEDIA_TYPES = frozenset({"application/scim+json", "application/json"})
_MOST_PARAMETERS = 100
_STANDARD_ENDPOINTS = frozenset({"users", "groups"})
_VERSIONS = frozenset(f"v{number}" for number in range(10))
_DISCOVERED_ITEMS = frozenset({"resourcetypes", "schemas"})


def operation_of(request: Request, environment: Environment) -> Operation:
    """What *request* asks for.

    Raises:
        ScimError: The path, method, media type, parameters or body are refused.
    """
    routing = _Routing(request, environment)
    target = routing.target()
    method = "GET" if request.method == "HEAD" else request.method
    make = target.routes.get(method)
    if make is not None:
        return make(routing, target)
    allowed = (*target.routes, "OPTIONS", *(("HEAD",) if "GET" in target.routes else ()))
    if method == "OPTIONS":
        return Options(allowed)
    raise MethodNotAllowedError(request.method, allowed)


class _Routing:
    """One request on its way to an operation."""

    def __init__(self, request: Request, environment: Environment) -> None:
        self._request = request
        self._environment = environment

    def target(self) -> Target:
        """What the path leads to.

        Raises:
            ScimError: It leads nowhere, or to what is not offered.
        """
        path = self._request.path
        segments = [segment for segment in path.split("/") if segment]
        if "%" in path:
            segments = [_decoded(segment) for segment in segments]
        match segments:
            case [endpoint, name]:
                return self._item(endpoint, name)
            case [endpoint]:
                return self._endpoint(endpoint)
            case []:
                return Target(_ON_ALL, self._environment.catalogue.resource_types)
            case _:
                raise self._unknown()

    def _endpoint(self, endpoint: str) -> Target:
        folded = endpoint.lower()
        catalogue = self._environment.catalogue
        if folded in _DISCOVERY:
            return Target(_DISCOVERY[folded])
        if folded == ".search":
            return Target(_ON_SEARCH, catalogue.resource_types)
        if folded == "bulk":
            raise UnsupportedFeatureError("this provider does not offer bulk requests")
        if folded == "me":
            raise UnsupportedFeatureError("this provider does not offer /Me")
        resource_type = catalogue.at(endpoint)
        if resource_type is not None:
            return Target(_ON_TYPE, (resource_type,))
        is_tolerated = self._environment.dialect.tolerance.unserved_lists_are_empty
        if is_tolerated and folded in _STANDARD_ENDPOINTS and self._request.method in ("GET", "HEAD"):
            return Target(_ON_ALL)
        raise self._unknown()

    def _item(self, endpoint: str, name: str) -> Target:
        folded = endpoint.lower()
        if folded in _DISCOVERED_ITEMS:
            return Target(_DISCOVERY[folded], name=name)
        if folded in _VERSIONS:
            raise InvalidVersionError(f"SCIM {endpoint} is not served here")
        resource_type = self._environment.catalogue.at(endpoint)
        if resource_type is None:
            raise self._unknown()
        if name == ".search":
            return Target(_ON_SEARCH, (resource_type,))
        return Target(_ON_RESOURCE, (resource_type,), name)

    def _unknown(self) -> NotFoundError:
        return NotFoundError("endpoint")

    def _header(self, name: str) -> str | None:
        return self._request.headers.get(name)

    # The operations

    def create(self, target: Target) -> Operation:
        [resource_type] = target.resource_types
        payload, shown = self._resource(resource_type), self._shown(resource_type)
        return Create(resource_type=resource_type, payload=payload, shown=shown)

    def read(self, target: Target) -> Operation:
        [resource_type] = target.resource_types
        shown, if_none_match = self._shown(resource_type), self._header("if-none-match")
        return Read(resource_type=resource_type, id=target.name, shown=shown, if_none_match=if_none_match)

    def replace(self, target: Target) -> Operation:
        [resource_type] = target.resource_types
        shown, if_match = self._shown(resource_type), self._header("if-match")
        payload = self._resource(resource_type)
        return Replace(resource_type=resource_type, id=target.name, payload=payload, shown=shown, if_match=if_match)

    def delete(self, target: Target) -> Operation:
        [resource_type] = target.resource_types
        return Delete(resource_type=resource_type, id=target.name, if_match=self._header("if-match"))

    def patch(self, target: Target) -> Operation:
        [resource_type] = target.resource_types
        tolerance, limits = self._environment.dialect.tolerance, self._environment.limits
        payload = self._body()
        if _operation_count(payload) > limits.max_operations:
            raise PayloadTooLargeError("the number of operations", limits.max_operations)
        payload = self._environment.dialect.message(payload, resource_type)
        message = _patch_reader()(payload, schemas_optional=tolerance.schemas_optional)
        parameters = self._parameters()
        return Patch(
            resource_type=resource_type,
            id=target.name,
            message=message,
            shown=_projection(resource_type, parameters),
            answer_wanted="attributes" in parameters or "excludedattributes" in parameters,
            if_match=self._header("if-match"),
        )

    def search(self, target: Target) -> Operation:
        parameters = self._parameters()
        return self._search_for(
            target.resource_types,
            attributes=_names(parameters.get("attributes")),
            excluded=_names(parameters.get("excludedattributes")),
            filter=parameters.get("filter"),
            sort_by=parameters.get("sortby"),
            sort_order=parameters.get("sortorder"),
            start_index=_integer(parameters, "startindex"),
            count=_integer(parameters, "count"),
        )

    def posted_search(self, target: Target) -> Operation:
        optional = self._environment.dialect.tolerance.schemas_optional
        message = _search_reader()(self._body(), schemas_optional=optional)
        return self._search_for(
            target.resource_types,
            attributes=tuple(message.attributes),
            excluded=tuple(message.excluded_attributes),
            filter=message.filter,
            sort_by=message.sort_by,
            sort_order=message.sort_order,
            start_index=message.start_index,
            count=message.count,
        )

    def _search_for(
        self,
        resource_types: tuple[ResourceType, ...],
        *,
        attributes: tuple[str, ...],
        excluded: tuple[str, ...],
        filter: str | None,
        sort_by: str | None,
        sort_order: str | None,
        start_index: int | None,
        count: int | None,
    ) -> Operation:
        limits = self._environment.limits
        order = (sort_order or "ascending").lower()
        if order not in ("ascending", "descending"):
            raise InvalidValueError([Problem("sortOrder", "must be ascending or descending")])
        wanted = limits.default_page_size if count is None else count
        return Search(
            resource_types=resource_types,
            filter=None if filter is None else parse_filter(filter, limits),
            sort_by=sort_by or None,
            descending=order == "descending",
            start_index=max(start_index or 1, 1),
            count=min(max(wanted, 0), limits.max_page_size),
            attributes=attributes,
            excluded=excluded,
        )

    def config(self, _: Target) -> Operation:
        return self._discovered(DiscoverConfig())

    def resource_types(self, target: Target) -> Operation:
        return self._discovered(DiscoverResourceTypes(target.name or None))

    def schemas(self, target: Target) -> Operation:
        return self._discovered(DiscoverSchemas(target.name or None))

    def _discovered(self, operation: DiscoverConfig | DiscoverResourceTypes | DiscoverSchemas) -> Operation:
        if "filter" in self._parameters():
            raise ForbiddenError("discovery endpoints cannot be filtered")
        return operation

    # What they are made of

    def _parameters(self) -> Mapping[str, str]:
        return _parameters(self._request.query) if self._request.query else {}

    def _shown(self, resource_type: ResourceType) -> Projection:
        return _projection(resource_type, self._parameters())

    def _resource(self, resource_type: ResourceType) -> Json:
        return self._environment.dialect.resource(self._body(), resource_type)

    def _body(self) -> Json:
        content_type = self._header("content-type")
        if content_type is not None and not _is_json(content_type):
            raise UnsupportedMediaTypeError(content_type[:100])
        return parsed(self._request.body, self._environment.limits)


_ON_ALL: Final[Routes] = {"GET": _Routing.search}
_ON_TYPE: Final[Routes] = {"GET": _Routing.search, "POST": _Routing.create}
_ON_SEARCH: Final[Routes] = {"POST": _Routing.posted_search}
_ON_RESOURCE: Final[Routes] = {
    "GET": _Routing.read,
    "PUT": _Routing.replace,
    "PATCH": _Routing.patch,
    "DELETE": _Routing.delete,
}
_DISCOVERY: Final[Mapping[str, Routes]] = {
    "serviceproviderconfig": {"GET": _Routing.config},
    "resourcetypes": {"GET": _Routing.resource_types},
    "schemas": {"GET": _Routing.schemas},
}


# Pydantic builds a model of each message, most of what importing scimcore would take: so with the first message.
@cache
def _patch_reader() -> "Callable[..., PatchRequest]":
    from scimcore.schema.messages import PatchRequest, read_message

    return partial(read_message, PatchRequest)


@cache
def _search_reader() -> "Callable[..., SearchRequest]":
    from scimcore.schema.messages import SearchRequest, read_message

    return partial(read_message, SearchRequest)


def _operation_count(payload: Json) -> int:
    """How many operations a message has, known before any of them is read."""
    most = 0
    if isinstance(payload, dict):
        for name, part in payload.items():
            if isinstance(part, list) and name.lower() == "operations":
                most = max(most, len(part))
    return most


def _decoded(segment: str) -> str:
    try:
        decoded = unquote(segment, errors="strict")
    except UnicodeDecodeError:
        raise NotFoundError("endpoint") from None
    if "\0" in decoded:  # no database could be asked for it: PostgreSQL knows no text with a NUL
        raise NotFoundError("endpoint")
    return decoded


def _parameters(query: str) -> Mapping[str, str]:
    """The query parameters, known or not; their names in lower case, because Entra sends `startindex`."""
    pairs = query.split("&")
    if len(pairs) > _MOST_PARAMETERS:
        raise InvalidSyntaxError(f"the query string has more than {_MOST_PARAMETERS} parameters")
    try:
        parameters = {}
        for pair in pairs:
            name, _, value = pair.partition("=")
            parameters[_unescaped(name).lower()] = _unescaped(value)
    except UnicodeError:
        raise InvalidSyntaxError("the query string is not UTF-8") from None
    return parameters


def _unescaped(text: str) -> str:
    # urllib.parse.parse_qsl reads a filter in twice the time: it looks for what is not ASCII piece by piece.
    text = text.replace("+", " ")
    return unquote_to_bytes(text).decode() if "%" in text else text


def _projection(resource_type: ResourceType, parameters: Mapping[str, str]) -> Projection:
    if not parameters:
        return projection(resource_type)
    attributes, excluded = parameters.get("attributes"), parameters.get("excludedattributes")
    return projection(resource_type, _names(attributes), _names(excluded))


def _names(listed: str | None) -> tuple[str, ...]:
    return tuple(name.strip() for name in listed.split(",") if name.strip()) if listed else ()


def _integer(parameters: Mapping[str, str], name: str) -> int | None:
    text = parameters.get(name)
    if text is None:
        return None
    digits = text.strip().removeprefix("-")
    if not (digits.isascii() and digits.isdigit()) or len(digits) > 18:
        raise InvalidValueError([Problem({"startindex": "startIndex"}.get(name, name), "must be an integer")])
    return int(text)


@lru_cache(maxsize=64)
def _is_json(content_type: str) -> bool:
    media_type, *parameters = (part.strip().lower() for part in content_type.split(";"))
    charsets = [one.partition("=")[2].strip('"') for one in parameters if one.startswith("charset=")]
    return media_type in _MEDIA_TYPES and all(charset in ("utf-8", "utf8") for charset in charsets)
