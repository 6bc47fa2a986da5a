"""A request becomes exactly one Operation, once; nothing after this looks at a path, a query string or a header."""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import TypeAlias
from urllib.parse import parse_qsl, unquote

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
from scimcore.schema.messages import PatchRequest, SearchRequest, read_message

Make: TypeAlias = Callable[[], Operation]
Routes: TypeAlias = Mapping[str, Make]
"""Method -> what makes the operation. Nothing is parsed before the method is known to be allowed."""

_MEDIA_TYPES = frozenset({"application/scim+json", "application/json"})
_MOST_PARAMETERS = 100
_STANDARD_ENDPOINTS = frozenset({"users", "groups"})
_VERSIONS = frozenset(f"v{number}" for number in range(10))


def operation_of(request: Request, environment: Environment) -> Operation:
    """What *request* asks for.

    Raises:
        ScimError: The path, method, media type, parameters or body are refused.
    """
    routes = _Routing(request, environment).routes()
    method = "GET" if request.method == "HEAD" else request.method
    if method in routes:
        return routes[method]()
    allowed = (*routes, "OPTIONS", *(("HEAD",) if "GET" in routes else ()))
    if method == "OPTIONS":
        return Options(allowed)
    raise MethodNotAllowedError(request.method, allowed)


class _Routing:
    """One request on its way to an operation."""

    def __init__(self, request: Request, environment: Environment) -> None:
        self._request = request
        self._environment = environment

    def routes(self) -> Routes:
        """The methods that the path knows."""
        segments = [_decoded(segment) for segment in self._request.path.split("/") if segment]
        match segments:
            case []:
                return {"GET": self._search(self._environment.catalogue.resource_types)}
            case [first]:
                return self._of_endpoint(first.lower(), first)
            case [first, second]:
                return self._of_item(first, second)
            case _:
                raise self._unknown()

    def _of_endpoint(self, folded: str, endpoint: str) -> Routes:
        catalogue = self._environment.catalogue
        match folded:
            case ".search":
                return {"POST": self._posted_search(catalogue.resource_types)}
            case "serviceproviderconfig":
                return {"GET": lambda: self._discovered(DiscoverConfig())}
            case "resourcetypes":
                return {"GET": lambda: self._discovered(DiscoverResourceTypes())}
            case "schemas":
                return {"GET": lambda: self._discovered(DiscoverSchemas())}
            case "bulk":
                raise UnsupportedFeatureError("this provider does not offer bulk requests")
            case "me":
                raise UnsupportedFeatureError("this provider does not offer /Me")
            case _:
                pass
        resource_type = catalogue.at(endpoint)
        if resource_type is not None:
            return {"GET": self._search((resource_type,)), "POST": lambda: self._create(resource_type)}
        is_tolerated = self._environment.dialect.tolerance.unserved_lists_are_empty
        if is_tolerated and folded in _STANDARD_ENDPOINTS and self._request.method in ("GET", "HEAD"):
            return {"GET": self._search(())}
        raise self._unknown()

    def _of_item(self, endpoint: str, item: str) -> Routes:
        match endpoint.lower():
            case "resourcetypes":
                return {"GET": lambda: self._discovered(DiscoverResourceTypes(item))}
            case "schemas":
                return {"GET": lambda: self._discovered(DiscoverSchemas(item))}
            case _:
                pass
        if endpoint.lower() in _VERSIONS:
            raise InvalidVersionError(f"SCIM {endpoint} is not served here")
        resource_type = self._environment.catalogue.at(endpoint)
        if resource_type is None:
            raise self._unknown()
        if item == ".search":
            return {"POST": self._posted_search((resource_type,))}
        return {
            "GET": lambda: self._read(resource_type, item),
            "PUT": lambda: self._replace(resource_type, item),
            "PATCH": lambda: self._patch(resource_type, item),
            "DELETE": lambda: Delete(resource_type=resource_type, id=item, if_match=self._header("if-match")),
        }

    def _unknown(self) -> NotFoundError:
        return NotFoundError("endpoint")

    def _header(self, name: str) -> str | None:
        return self._request.headers.get(name)

    # The operations

    def _create(self, resource_type: ResourceType) -> Operation:
        return Create(resource_type=resource_type, payload=self._body(), shown=self._shown(resource_type))

    def _read(self, resource_type: ResourceType, id: str) -> Operation:
        shown = self._shown(resource_type)
        return Read(resource_type=resource_type, id=id, shown=shown, if_none_match=self._header("if-none-match"))

    def _replace(self, resource_type: ResourceType, id: str) -> Operation:
        shown, if_match = self._shown(resource_type), self._header("if-match")
        return Replace(resource_type=resource_type, id=id, payload=self._body(), shown=shown, if_match=if_match)

    def _patch(self, resource_type: ResourceType, id: str) -> Operation:
        tolerance, limits = self._environment.dialect.tolerance, self._environment.limits
        payload = self._body()
        if _operation_count(payload) > limits.max_operations:
            raise PayloadTooLargeError("the number of operations", limits.max_operations)
        message = read_message(PatchRequest, payload, schemas_optional=tolerance.schemas_optional)
        parameters = self._parameters()
        return Patch(
            resource_type=resource_type,
            id=id,
            message=message,
            shown=_projection(resource_type, parameters),
            answer_wanted="attributes" in parameters or "excludedattributes" in parameters,
            if_match=self._header("if-match"),
        )

    def _search(self, resource_types: tuple[ResourceType, ...]) -> Make:
        def make() -> Operation:
            parameters = self._parameters()
            return self._search_for(
                resource_types,
                attributes=_names(parameters.get("attributes")),
                excluded=_names(parameters.get("excludedattributes")),
                filter=parameters.get("filter"),
                sort_by=parameters.get("sortby"),
                sort_order=parameters.get("sortorder"),
                start_index=_integer(parameters, "startindex"),
                count=_integer(parameters, "count"),
            )

        return make

    def _posted_search(self, resource_types: tuple[ResourceType, ...]) -> Make:
        def make() -> Operation:
            optional = self._environment.dialect.tolerance.schemas_optional
            message = read_message(SearchRequest, self._body(), schemas_optional=optional)
            return self._search_for(
                resource_types,
                attributes=tuple(message.attributes),
                excluded=tuple(message.excluded_attributes),
                filter=message.filter,
                sort_by=message.sort_by,
                sort_order=message.sort_order,
                start_index=message.start_index,
                count=message.count,
            )

        return make

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

    def _discovered(self, operation: DiscoverConfig | DiscoverResourceTypes | DiscoverSchemas) -> Operation:
        if "filter" in self._parameters():
            raise ForbiddenError("discovery endpoints cannot be filtered")
        return operation

    # What they are made of

    def _parameters(self) -> Mapping[str, str]:
        return _parameters(self._request.query) if self._request.query else {}

    def _shown(self, resource_type: ResourceType) -> Projection:
        return _projection(resource_type, self._parameters())

    def _body(self) -> Json:
        content_type = self._header("content-type")
        if content_type is not None and not _is_json(content_type):
            raise UnsupportedMediaTypeError(content_type[:100])
        return parsed(self._request.body, self._environment.limits)


def _operation_count(payload: Json) -> int:
    """How many operations a message has, known before any of them is read."""
    if not isinstance(payload, dict):
        return 0
    return max(
        (len(part) for name, part in payload.items() if name.lower() == "operations" and isinstance(part, list)),
        default=0,
    )


def _decoded(segment: str) -> str:
    try:
        return unquote(segment, errors="strict")
    except UnicodeDecodeError:
        raise NotFoundError("endpoint") from None


def _parameters(query: str) -> Mapping[str, str]:
    """The query parameters, known or not; their names in lower case, because Entra sends `startindex`."""
    try:
        pairs = parse_qsl(query, keep_blank_values=True, errors="strict", max_num_fields=_MOST_PARAMETERS)
    except UnicodeDecodeError:
        raise InvalidSyntaxError("the query string is not UTF-8") from None
    except ValueError:
        raise InvalidSyntaxError(f"the query string has more than {_MOST_PARAMETERS} parameters") from None
    return {name.lower(): value for name, value in pairs}


def _projection(resource_type: ResourceType, parameters: Mapping[str, str]) -> Projection:
    return projection(resource_type, _names(parameters.get("attributes")), _names(parameters.get("excludedattributes")))


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
