"""Versions as entity tags, and what preconditions say about them (RFC 7644 §3.14, RFC 7643 §3.1)."""

import pytest

from scimcore.errors import InvalidSyntaxError
from scimcore.rules.envelope import with_envelope
from scimcore.rules.etag import names_version, tag
from scimcore.schema.document import Document
from scimcore.schema.standard import ENTERPRISE_USER, USER


@pytest.mark.rfc("S-3.1-21", "P-3.14-07")
def test_a_version_is_a_weak_tag_of_its_own() -> None:
    assert tag(1) == 'W/"1"'
    assert len({tag(version) for version in range(1000)}) == 1000


@pytest.mark.rfc("P-3.14-05", "P-3.14-03")
@pytest.mark.parametrize(
    "header",
    [
        'W/"3"',
        '"3"',
        "*",
        " * ",
        '"2", W/"3"',
        'W/"3","4"',
        '  W/"3"  ',
        '"a,b", W/"3"',
        '"", "3"',
        "3",
        "2, 3",
        'W/"3",',
    ],
)
def test_a_header_names_the_version(header: str) -> None:
    assert names_version(header, 3)


@pytest.mark.rfc("P-3.14-04")
@pytest.mark.parametrize("header", ['W/"4"', '"33"', '"03"', '"3 "', '"*"', '""', '"1", "2"', 'W/"W/3"', "4", ""])
def test_a_header_names_other_versions(header: str) -> None:
    assert not names_version(header, 3)


@pytest.mark.parametrize("header", ['"3', '3"', '"3" "4"', 'W/ "3"', '"3" x', "3 4", ",", '"2",,"3"'])
def test_what_is_no_list_of_tags_is_refused(header: str) -> None:
    with pytest.raises(InvalidSyntaxError):
        names_version(header, 3)


@pytest.mark.rfc("P-3.14-05")
@pytest.mark.parametrize("version", [0, 1, 10**12])
def test_every_tag_names_its_version_and_no_other(version: int) -> None:
    assert names_version(tag(version), version)
    assert not names_version(tag(version), version + 1)


@pytest.mark.rfc("S-3.1-20", "P-3.14-02", "S-3.1-16", "S-3.3-03", "S-3-03")
def test_a_resource_says_what_it_is_and_which_version() -> None:
    document: Document = {"id": "1", "userName": "bj", ENTERPRISE_USER.id: {"department": "D"}}
    before = dict(document)
    resource = with_envelope(USER, document, "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z", 7)
    assert resource == {
        "schemas": [USER.schema.id, ENTERPRISE_USER.id],
        **document,
        "meta": {
            "resourceType": "User",
            "created": "2026-01-01T00:00:00Z",
            "lastModified": "2026-01-02T00:00:00Z",
            "version": tag(7),
        },
    }
    assert document == before


@pytest.mark.rfc("S-3.3-03")
def test_an_extension_without_values_is_not_among_the_schemas() -> None:
    resource = with_envelope(USER, {"id": "1"}, "2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z", 1)
    assert resource["schemas"] == [USER.schema.id]
