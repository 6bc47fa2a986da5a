"""Responses: status, headers and body of what a flow found, and of every refusal (RFC 7644 §3.1, §3.12, §3.14)."""

from collections.abc import Mapping, Sequence
from functools import lru_cache

from scimcore.engine.http import Request, Response
from scimcore.engine.representation import location, represented
from scimcore.engine.wire import written
from scimcore.errors import MethodNotAllowedError, ScimError, UnauthorizedError, UnavailableError
from scimcore.rules.etag import tag
from scimcore.rules.project import Projection
from scimcore.schema.catalogue import Catalogue
from scimcore.schema.document import Json
from scimcore.storage.protocol import Record

LIST_URN = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
ERROR_URN = "urn:ietf:params:scim:api:messages:2.0:Error"


class Answering:
    """How the answers to one request are written: in which media type, with which URLs, under which request id.

    Every answer carries the id in X-Request-Id, which the reports of bugs and events name too.
    """

    def __init__(self, media_type: str, base_url: str, catalogue: Catalogue, request_id: str) -> None:
        self.media_type = media_type
        self.base_url = base_url
        self.catalogue = catalogue
        self.request_id = request_id

    def speaking(self, media_type: str) -> "Answering":
        """The same in another media type."""
        return Answering(media_type, self.base_url, self.catalogue, self.request_id)

    def resource(self, status: int, record: Record, shown: Projection, also: frozenset[str] = frozenset()) -> Response:
        """One resource, with its Location and ETag."""
        where = location(record, self.base_url)
        body = written(represented(record, shown, where, self.base_url, self.catalogue, also))
        return Response(
            status,
            {
                "content-type": self.media_type,
                "x-request-id": self.request_id,
                # RFC 7643 §3.1 wants meta.location in Content-Location, RFC 7644 §3.3 in Location.
                "location": where,
                "content-location": where,
                "etag": tag(record.version),
            },
            body,
        )

    def no_content(self, record: Record, status: int = 204) -> Response:
        """No body: a change with nothing to show (204), or a resource the client has already (304)."""
        headers = {
            "x-request-id": self.request_id,
            "location": location(record, self.base_url),
            "etag": tag(record.version),
        }
        return Response(status, headers)

    def nothing(self, headers: Mapping[str, str]) -> Response:
        """No body, about no resource."""
        return Response(204, {"x-request-id": self.request_id, **headers})

    def document(self, value: Json) -> Response:
        """One JSON document that is no resource of a storage."""
        return Response(200, {"content-type": self.media_type, "x-request-id": self.request_id}, written(value))

    def list(self, resources: Sequence[Json], total: int, start_index: int) -> Response:
        """A ListResponse; an empty page has an empty `Resources` (RFC 7644 §3.4.2)."""
        return self.document(
            {
                "schemas": [LIST_URN],
                "totalResults": total,
                "startIndex": start_index,
                "itemsPerPage": len(resources),
                "Resources": resources,
            }
        )

    def refusal(self, error: ScimError) -> Response:
        """A SCIM Error; `status` is a string (RFC 7644 §3.12)."""
        body: dict[str, Json] = {"schemas": [ERROR_URN], "status": str(error.status)}
        if error.scim_type is not None:
            body["scimType"] = error.scim_type
        body["detail"] = error.detail
        headers = {"content-type": self.media_type, "x-request-id": self.request_id}
        match error:
            case UnauthorizedError():
                headers["www-authenticate"] = error.challenge
            case MethodNotAllowedError():
                headers["allow"] = ", ".join(error.allowed)
            case UnavailableError():
                # Okta understands whole seconds and nothing else.
                headers["retry-after"] = str(error.retry_after)
            case _:
                pass
        return Response(error.status, headers, written(body))


def media_type_for(request: Request) -> str:
    """The media type to answer in (RFC 7644 §3.8): application/json where the client prefers it, as OneLogin does.

    A client that accepts neither is answered in application/scim+json rather than refused.
    """
    return _negotiated(request.headers.get("accept", ""))


@lru_cache(maxsize=256)
def _negotiated(accept: str) -> str:
    weights: dict[str, float] = {}
    for part in accept.lower().split(","):
        name, *parameters = (piece.strip() for piece in part.split(";"))
        weight = next((one[2:] for one in parameters if one.startswith("q=")), "1")
        try:
            weights[name] = float(weight)
        except ValueError:
            weights[name] = 0.0
    plain = weights.get("application/json", 0.0)
    scim = max(weights.get(name, 0.0) for name in ("application/scim+json", "application/*", "*/*"))
    named = weights.get("application/scim+json", 0.0)
    return "application/json" if plain > named and (named or plain >= scim) else "application/scim+json"
