"""What a connection writes to a resource that was there before it came: all that it sends, but for a few attributes.

Who could write the e-mail or the userName of an account on first contact could make it his own.
"""

from collections.abc import Collection
from typing import Final

from scimcore.provisioning.intent import Intent
from scimcore.provisioning.provenance import PROVISIONING_URN, Link, Provenance
from scimcore.rules.compare import folded
from scimcore.rules.delta import same
from scimcore.schema.document import Document, Json
from scimcore.storage.protocol import Instant

NEVER_ON_FIRST_CONTACT: Final = frozenset({"id", "userName", "emails"})
"""What first contact never writes, whoever is told to take over."""


def connection_of(intent: Intent) -> str:
    """The connection that asks, by whose name its resources are known.

    Raises:
        ValueError: It has none, so that nothing could be told of what it provisions.
    """
    if not intent.caller.connection:
        raise ValueError("policies of adoption and ownership need a connection with a name")
    return intent.caller.connection


def merged(current: Document, sent: Document) -> Document:
    """*current* with what *sent* says: nothing is cleared that was not sent, not even inside a complex attribute.

    >>> merged({"title": "Clerk", "name": {"givenName": "B"}}, {"name": {"familyName": "J"}})
    {'title': 'Clerk', 'name': {'givenName': 'B', 'familyName': 'J'}}
    """
    result = dict(current)
    for name, new in sent.items():
        old = current.get(name)
        result[name] = merged(old, new) if isinstance(old, dict) and isinstance(new, dict) else new
    return result


def keeping(current: Document, after: Document, names: Collection[str]) -> Document:
    """*after*, where the attributes of those *names* are as in *current*; the same object if they are already.

    >>> keeping({"userName": "a"}, {"userName": "b", "title": "T", "emails": []}, {"userName", "emails"})
    {'title': 'T', 'userName': 'a'}
    """
    if all(same(current.get(name), after.get(name)) for name in names):
        return after
    kept: dict[str, Json] = {name: current[name] for name in current if name in names}
    return {**{name: value for name, value in after.items() if name not in names}, **kept}


def changed_names(before: Document, after: Document) -> list[str]:
    """The attributes, in order, that *after* has otherwise than *before*; where it comes from is not among them.

    >>> changed_names({"userName": "a", "title": "T"}, {"userName": "b", "nickName": "N"})
    ['nickName', 'title', 'userName']
    """
    names = {**before, **after}
    return sorted(one for one in names if one != PROVISIONING_URN and not same(before.get(one), after.get(one)))


def linking(link: Link | None, connection: str, at: Instant, sent: Document, kept: Document | None = None) -> Link:
    """The link of *connection* after it sent the whole of a resource, new or as it was before.

    The resource gets the userName that was sent, unless it keeps the one in *kept*.

    >>> at = Instant("2026-11-22T09:30:00.000000Z")
    >>> linking(None, "okta", at, {"externalId": "00u1"}).is_live
    True
    >>> linking(None, "okta", at, {"userName": "b.smith"}, kept={"userName": "bob"}).user_name
    'b.smith'
    """
    external_id = sent.get("externalId")
    return Link(
        connection=connection,
        since=link.since if link else at,
        external_id=external_id if isinstance(external_id, str) else link.external_id if link else None,
        user_name=None if kept is None else called(sent, kept),
        active=sent.get("active") is not False,
    )


def called(sent: Document, kept: Document) -> str | None:
    """The userName that was *sent*, if it is not the one that an account has in *kept*.

    >>> called({"userName": "b.smith"}, {"userName": "bob"}), called({"userName": "BOB"}, {"userName": "bob"})
    ('b.smith', None)
    """
    name, own = sent.get("userName"), kept.get("userName")
    if not isinstance(name, str) or (isinstance(own, str) and folded(own) == folded(name)):
        return None
    return name


def is_abandoned(provenance: Provenance) -> bool:
    """Whether the connection that manages a resource has suspended or deleted it, so that another may follow.

    >>> is_abandoned(Provenance(managed_by="okta")), is_abandoned(Provenance())
    (False, False)
    """
    link = provenance.link(provenance.managed_by) if provenance.managed_by is not None else None
    return link is not None and not link.is_live


def provisions(provenance: Provenance, connection: str) -> bool:
    """Whether *connection* knows the resource and has not deleted it, so that to create it again is a mistake.

    >>> provisions(Provenance(managed_by="okta"), "okta"), provisions(Provenance(managed_by="okta"), "entra")
    (True, False)
    """
    link = provenance.link(connection)
    return provenance.managed_by == connection if link is None else link.removed is None


def has_removed(provenance: Provenance, connection: str) -> bool:
    """Whether *connection* has deleted the resource, as far as it knows.

    >>> has_removed(Provenance(), "okta")
    False
    """
    link = provenance.link(connection)
    return link is not None and link.removed is not None
