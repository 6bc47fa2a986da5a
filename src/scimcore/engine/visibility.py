"""What a connection sees: of some resource types not everything (`Connection.sees`)."""

from collections.abc import Iterable

from scimcore.errors import NotFoundError
from scimcore.provisioning import Connection
from scimcore.rules.filter import Filter, parse_filter
from scimcore.rules.limits import Limits
from scimcore.schema.catalogue import ResourceType
from scimcore.storage.protocol import Record

# What the client and the connection ask for together may be longer than what a client may ask for.
_UNBOUNDED = Limits(max_filter_length=1_000_000, max_filter_depth=200, max_filter_terms=10_000)


def check_visible(record: Record, connection: Connection) -> None:
    """Let *record* pass if *connection* sees it.

    Raises:
        NotFoundError: It does not; for the connection there is no such resource.
    """
    visible = connection.sees(record.resource_type)
    if visible is not None:
        bound = visible.bound(record.resource_type, tolerance=connection.dialect.tolerance)
        if not bound.matches(record.document):
            raise NotFoundError(record.resource_type.name)


def visible_part(asked: Filter | None, resource_types: Iterable[ResourceType], connection: Connection) -> Filter | None:
    """The filter for those of the resources *asked* for that *connection* sees; None for all there are."""
    if not connection.visible and not connection.policies:
        return asked
    seen = {one.name: connection.sees(one) for one in resource_types}
    distinct = set(map(str, seen.values()))
    if distinct == {"None"}:
        return asked
    if len(distinct) == 1:
        visible = distinct.pop()
    else:
        visible = " or ".join(
            f'meta.resourceType eq "{name}"' + ("" if one is None else f" and ({one})") for name, one in seen.items()
        )
    return parse_filter(visible if asked is None else f"({asked}) and ({visible})", _UNBOUNDED)
