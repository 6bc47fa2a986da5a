"""Where an account or a group comes from: which connections provision it, and which one manages it.

It is kept in the resource itself, in an extension that no client can write, so that every storage keeps it, a filter
finds it, and it changes in the transaction of what it tells about. A resource without it is managed manually.
"""

import json
from typing import Final

import attrs

from scimcore.schema.attribute import Attribute, Mutability, Returned, Type, Uniqueness
from scimcore.schema.catalogue import Extension, ResourceType, Schema
from scimcore.schema.document import Document, Json
from scimcore.schema.standard import GROUP, USER
from scimcore.storage.protocol import Instant

PROVISIONING_URN: Final = "urn:scimcore:params:scim:schemas:extension:provisioning:1.0"


def _fact(
    name: str,
    description: str,
    *,
    type: Type = Type.STRING,
    multi_valued: bool = False,
    uniqueness: Uniqueness = Uniqueness.NONE,
    returned: Returned = Returned.REQUEST,
    sub_attributes: tuple[Attribute, ...] = (),
) -> Attribute:
    """An attribute that only policies write; shown on request, for what one provider does is not another's business."""
    return Attribute(
        name=name,
        type=type,
        multi_valued=multi_valued,
        description=description,
        case_exact=type is Type.STRING,
        mutability=Mutability.READ_ONLY,
        returned=returned,
        uniqueness=uniqueness,
        sub_attributes=sub_attributes,
    )


PROVISIONING: Final = Schema(
    id=PROVISIONING_URN,
    name="Provisioning",
    description="Where an account or a group comes from",
    attributes=(
        _fact("managedBy", "The connection that manages the resource; without one it is managed manually."),
        _fact("signsInThrough", "The connection through which the account signs in."),
        _fact(
            "connections",
            "The connections that provision the resource, or did.",
            type=Type.COMPLEX,
            multi_valued=True,
            sub_attributes=(
                _fact("value", "The name of the connection."),
                _fact("externalId", "The resource's identifier at the connection's identity provider."),
                _fact("userName", "What the connection calls the account, where that is not its userName."),
                _fact("since", "When the connection began to provision it.", type=Type.DATE_TIME),
                _fact("active", "Whether the connection wants the account to be active.", type=Type.BOOLEAN),
                _fact("removed", "When the connection deleted it, as far as it knows.", type=Type.DATE_TIME),
            ),
        ),
        _fact("purgeAfter", "When a removed resource may be forgotten.", type=Type.DATE_TIME),
        _fact("formerGroups", "The groups that a suspended or removed account was in.", multi_valued=True),
        _fact("identifier", "The identifier made of a group's name.", returned=Returned.DEFAULT),
        _fact("scope", "The account, organisation and project that a group belongs to.", returned=Returned.DEFAULT),
        _fact(
            "scopedIdentifier",
            "Scope and identifier, which no two groups share.",
            uniqueness=Uniqueness.SERVER,
        ),
    ),
)


def provisioned(resource_type: ResourceType) -> ResourceType:
    """*resource_type* with the extension that tells of provenance.

    >>> str(provisioned(USER).place(f"{PROVISIONING_URN}:managedBy"))
    'urn:scimcore:params:scim:schemas:extension:provisioning:1.0:managedBy'
    """
    return attrs.evolve(resource_type, extensions=(*resource_type.extensions, Extension(PROVISIONING)))


PROVISIONED_USER: Final = provisioned(USER)
PROVISIONED_GROUP: Final = provisioned(GROUP)


@attrs.frozen(kw_only=True)
class Link:
    """What one connection has to do with a resource."""

    connection: str
    since: Instant
    external_id: str | None = None
    user_name: str | None = None
    """What the connection calls the account, if that is not its userName: one found by its address keeps its own."""
    active: bool = True
    """Whether the connection wants the account to be active."""
    removed: Instant | None = None
    """When the connection deleted it; from then on it does not exist for that connection."""

    @property
    def is_live(self) -> bool:
        """Whether the connection still provisions the resource."""
        return self.active and self.removed is None


@attrs.frozen(kw_only=True)
class Provenance:
    """Where a resource comes from, and what policies remember about it."""

    managed_by: str | None = None
    signs_in_through: str | None = None
    links: tuple[Link, ...] = ()
    """In the order in which the connections came."""
    purge_after: Instant | None = None
    former_groups: tuple[str, ...] = ()
    identifier: str | None = None
    scope: str | None = None
    scoped_identifier: str | None = None

    def link(self, connection: str) -> Link | None:
        """What *connection* has to do with it; None if nothing."""
        return next((link for link in self.links if link.connection == connection), None)

    def linked(self, link: Link) -> "Provenance":
        """The same with *link* in the place of the one of its connection, or at the end.

        >>> first = Link(connection="okta", since=Instant("2026-11-22T09:30:00.000000Z"))
        >>> [link.active for link in Provenance().linked(first).linked(attrs.evolve(first, active=False)).links]
        [False]
        """
        if self.link(link.connection) is None:
            return attrs.evolve(self, links=(*self.links, link))
        links = tuple(link if one.connection == link.connection else one for one in self.links)
        return attrs.evolve(self, links=links)

    def others(self, connection: str) -> tuple[Link, ...]:
        """The other connections that still provision it."""
        return tuple(link for link in self.links if link.connection != connection and link.is_live)


MANUAL: Final = Provenance()


def provenance_of(document: Document) -> Provenance:
    """Where the resource comes from that *document* describes.

    >>> provenance_of({"userName": "bjensen"}) == MANUAL
    True
    """
    facts = document.get(PROVISIONING_URN)
    if not isinstance(facts, dict):
        return MANUAL
    links, former = facts.get("connections"), facts.get("formerGroups")
    return Provenance(
        managed_by=_text(facts.get("managedBy")),
        signs_in_through=_text(facts.get("signsInThrough")),
        links=tuple(_link(one) for one in links if isinstance(one, dict)) if isinstance(links, list) else (),
        purge_after=_instant(facts.get("purgeAfter")),
        former_groups=tuple(str(one) for one in former) if isinstance(former, list) else (),
        identifier=_text(facts.get("identifier")),
        scope=_text(facts.get("scope")),
        scoped_identifier=_text(facts.get("scopedIdentifier")),
    )


def with_provenance(document: Document, provenance: Provenance) -> Document:
    """*document* with *provenance*; the same object if it says so already.

    >>> with_provenance({"userName": "bjensen"}, Provenance(managed_by="okta"))[PROVISIONING_URN]
    {'managedBy': 'okta'}
    """
    facts: dict[str, Json] = {
        "managedBy": provenance.managed_by,
        "signsInThrough": provenance.signs_in_through,
        "connections": [_written(link) for link in provenance.links],
        "purgeAfter": provenance.purge_after,
        "formerGroups": list(provenance.former_groups),
        "identifier": provenance.identifier,
        "scope": provenance.scope,
        "scopedIdentifier": provenance.scoped_identifier,
    }
    present = {name: value for name, value in facts.items() if value is not None and value != []}
    if present == document.get(PROVISIONING_URN, {}):
        return document
    if present:
        return {**document, PROVISIONING_URN: present}
    return {name: value for name, value in document.items() if name != PROVISIONING_URN}


def created_by(connection: str, document: Document, at: Instant, *, signs_in: bool) -> Document:
    """*document*, of which nothing is on record, as *connection* creates it, and manages it from then on.

    With *signs_in* it is an account, which signs in through the connection. Written as `with_provenance` writes it, and
    in half the time: every create of a connection comes here.

    >>> document = created_by("okta", {"externalId": "1"}, Instant("2026-11-22T09:30:00.000000Z"), signs_in=True)
    >>> provenance_of(document).links[0].external_id, with_provenance(document, provenance_of(document)) is document
    ('1', True)
    """
    link: dict[str, Json] = {"value": connection}
    external_id = document.get("externalId")
    if isinstance(external_id, str):
        link["externalId"] = external_id
    link["since"] = at
    link["active"] = document.get("active") is not False
    facts: dict[str, Json] = {"managedBy": connection}
    if signs_in:
        facts["signsInThrough"] = connection
    facts["connections"] = [link]
    return {**document, PROVISIONING_URN: facts}


def unseen_by(connection: str) -> str:
    """The filter for what does not exist for *connection*, because it deleted it.

    >>> unseen_by("okta").removeprefix(PROVISIONING_URN)
    ':connections[value eq "okta" and removed pr]'
    """
    return f"{PROVISIONING_URN}:connections[value eq {json.dumps(connection)} and removed pr]"


def exists_for(connection: str, document: Document) -> bool:
    """Whether the resource that *document* describes exists for *connection*; the answer of the filter `unseen_by`.

    What is read by its id is judged here, which takes a third of the time of asking the filter.

    >>> removed = {"value": "okta", "removed": "2026-11-22T09:30:00.000000Z"}
    >>> document = {"userName": "bjensen", PROVISIONING_URN: {"connections": [removed]}}
    >>> exists_for("okta", document), exists_for("entra", document)
    (False, True)
    """
    facts = document.get(PROVISIONING_URN)
    links = facts.get("connections") if isinstance(facts, dict) else None
    if not isinstance(links, list):
        return True
    for link in links:
        if isinstance(link, dict) and link.get("value") == connection and link.get("removed") is not None:
            return False
    return True


def _link(facts: Document) -> Link:
    return Link(
        connection=_text(facts.get("value")) or "",
        since=Instant(_text(facts.get("since")) or ""),
        external_id=_text(facts.get("externalId")),
        user_name=_text(facts.get("userName")),
        active=facts.get("active") is not False,
        removed=_instant(facts.get("removed")),
    )


def _written(link: Link) -> Json:
    facts: dict[str, Json] = {
        "value": link.connection,
        "externalId": link.external_id,
        "userName": link.user_name,
        "since": link.since,
        "active": link.active,
        "removed": link.removed,
    }
    return {name: value for name, value in facts.items() if value is not None}


def _text(value: Json) -> str | None:
    return value if isinstance(value, str) else None


def _instant(value: Json) -> Instant | None:
    return Instant(value) if isinstance(value, str) else None
