"""What a connection sees: of some resource types not everything (`Connection.sees`)."""

from collections.abc import Iterable, Mapping

from scimcore.errors import NotFoundError
from scimcore.provisioning import Connection
from scimcore.rules.filter import Filter
from scimcore.schema.catalogue import ResourceType
from scimcore.storage.protocol import Elements, Record, Session


async def check_visible(record: Record, elements: Elements, connection: Connection, session: Session) -> None:
    """Let *record*, which was read with *elements* of its keyed attributes, pass if *connection* sees it.

    Where other elements may decide, it is read whole.

    Raises:
        NotFoundError: It does not; for the connection there is no such resource.
    """
    judged: Record | None = record
    if connection.visible and not connection.looks_at(record.resource_type).isdisjoint(elements):
        judged = await session.get(record.resource_type, record.id)
    if judged is None or not connection.shows(judged):
        raise NotFoundError(record.resource_type.name)


def seen_by(connection: Connection, resource_types: Iterable[ResourceType]) -> Mapping[str, Filter]:
    """Resource type name -> what *connection* sees of that type; without those of *resource_types* it sees all of."""
    return {one.name: visible for one in resource_types if (visible := connection.sees(one)) is not None}
