"""Where a resource comes from, as the resource itself tells it."""

import pytest

from scimcore.provisioning.provenance import PROVISIONED_USER, PROVISIONING_URN, exists_for, unseen_by
from scimcore.rules.filter import parse_filter
from scimcore.schema.document import Document, Json

AT = "2026-11-22T09:30:00.000000Z"


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
