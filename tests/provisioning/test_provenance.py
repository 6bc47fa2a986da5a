"""Where a resource comes from, as the resource itself tells it."""

import pytest

from scimcore.provisioning.provenance import (
    PROVISIONED_USER,
    PROVISIONING_URN,
    Provenance,
    created_by,
    exists_for,
    unseen_by,
    with_provenance,
)
from scimcore.provisioning.taking import linking
from scimcore.rules.filter import parse_filter
from scimcore.schema.document import Document, Json
from scimcore.storage.protocol import Instant

AT = Instant("2026-11-22T09:30:00.000000Z")


def provisioned(*links: Json) -> Document:
    return {"userName": "bjensen", PROVISIONING_URN: {"managedBy": "okta", "connections": list(links)}}


@pytest.mark.parametrize(
    ("document", "exists"),
    [
        ({"userName": "bjensen"}, True),
        ({"userName": "bjensen", PROVISIONING_URN: {"managedBy": "okta"}}, True),
        (provisioned({"value": "okta", "active": True}), True),
        (provisioned({"value": "okta", "active": False}), True),
        (provisioned({"value": "okta", "active": False, "removed": AT}), False),
        (provisioned({"value": "entra", "removed": AT}), True),
        (provisioned({"value": "OKTA", "removed": AT}), True),
        (provisioned({"value": "entra", "active": True}, {"value": "okta", "removed": AT}), False),
        (provisioned({"value": "okta", "active": True}, {"value": "entra", "removed": AT}), True),
    ],
)
def test_what_a_connection_has_deleted_is_the_same_by_a_look_and_by_the_filter(
    document: Document, exists: bool
) -> None:
    assert exists_for("okta", document) is exists
    assert parse_filter(unseen_by("okta")).bound(PROVISIONED_USER).matches(document) is not exists


@pytest.mark.parametrize("signs_in", [True, False])
@pytest.mark.parametrize(
    "document",
    [
        {"userName": "bjensen"},
        {"userName": "bjensen", "externalId": "00u1", "active": True},
        {"userName": "bjensen", "externalId": "", "active": False},
        {"userName": "bjensen", "externalId": None, "active": None},
        {"displayName": "Team", "externalId": 7, PROVISIONING_URN: None},
    ],
)
def test_what_a_connection_creates_is_written_as_any_provenance_is(document: Document, signs_in: bool) -> None:
    link = linking(None, "okta", AT, document)
    facts = Provenance(managed_by="okta", signs_in_through="okta" if signs_in else None, links=(link,))
    created = created_by("okta", document, AT, signs_in=signs_in)
    assert repr(created) == repr(with_provenance(document, facts))
