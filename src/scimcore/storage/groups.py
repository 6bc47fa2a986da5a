"""How a group appears among the `groups` of a member, in every storage."""

from scimcore.schema.document import Json


def group_element(id: str, display: Json, *, is_direct: bool) -> Json:
    """The element of `groups` (RFC 7643 §4.1.2); *display* is the name of the group, None without one.

    >>> group_element("g1", "Team", is_direct=True)
    {'value': 'g1', 'display': 'Team', 'type': 'direct'}
    """
    kind = "direct" if is_direct else "indirect"
    return {"value": id, "type": kind} if display is None else {"value": id, "display": display, "type": kind}
