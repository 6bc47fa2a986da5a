"""Groups that exist already when a connection creates them."""

from pathlib import Path
from typing import Final

import attrs
import pytest
from tests.engine.conftest import Maker
from tests.provisioning.connections import ACME, SHARED_NAMES, Client, connected, keep, record_of, storage_of

from scimcore.access import Caller
from scimcore.dialects import Dialect
from scimcore.engine.http import Request
from scimcore.engine.provider import ScimProvider
from scimcore.provisioning import Connection
from scimcore.provisioning.group_adoption import GroupAdoption, OnExistingGroup
from scimcore.provisioning.matching import OnForeign
from scimcore.provisioning.ownership import Ownership
from scimcore.provisioning.provenance import (
    PROVISIONED_GROUP,
    PROVISIONED_USER,
    Link,
    Provenance,
    provenance_of,
    with_provenance,
)
from scimcore.rules.delta import elements_of
from scimcore.rules.identifier import unique_values
from scimcore.schema.document import Document
from scimcore.storage.protocol import Instant, Record, Tenant, UniqueKey

EARLIER: Final = Instant("2026-01-01T00:00:00.000000Z")
PEOPLE: Final = ("a", "b", "c")


def group(
    id: str, name: str, *members: str, provenance: Provenance | None = None, external_id: str | None = None
) -> Record:
    """A group as the engine would have stored it."""
    document: Document = {"id": id, "displayName": name, "members": [{"value": one, "type": "User"} for one in members]}
    if external_id is not None:
        document = {**document, "externalId": external_id}
    if provenance is not None:
        document = with_provenance(document, provenance)
    unique = tuple(UniqueKey(*one) for one in unique_values(document, PROVISIONED_GROUP))
    return attrs.evolve(record_of(PROVISIONED_GROUP, id), document=document, unique=unique)


def managed(by: str, *, removed: bool = False) -> Provenance:
    link = Link(connection=by, since=EARLIER, active=not removed, removed=EARLIER if removed else None)
    return Provenance(managed_by=by, links=(link,))


def provider_with(
    make_face: Maker, policy: GroupAdoption, *records: Record, dialect: Dialect = Dialect.DEFAULT
) -> Client:
    """A client in front of a provider with three people and *records*."""
    face = connected(make_face, {"okta": (policy, Ownership(on_foreign=policy.on_foreign))}, dialect=dialect)
    if not dialect.tolerance.unique_group_names:
        records = tuple(attrs.evolve(record, unique=()) for record in records)
    keep(face.storage, *(record_of(PROVISIONED_USER, id, userName=id) for id in PEOPLE), *records)
    return Client(face)


def posted(client: Client, name: str, *members: str, **values: object) -> tuple[int, str]:
    """The status and the id of what the answer shows."""
    sent = {"displayName": name, "members": [{"value": one} for one in members], **values}
    answer = client.send("POST", "/Groups", sent)
    return answer.status, answer.body.get("id", "")


def members(client: Client, id: str) -> list[str]:
    elements = client.face.stored()
    (document,) = [one.document for one in elements if one.id == id]
    return [str(one["value"]) for one in elements_of(document.get("members")) if isinstance(one, dict)]


def facts_of(client: Client, id: str) -> Provenance:
    (document,) = [one.document for one in client.face.stored() if one.id == id]
    return provenance_of(document)


@pytest.mark.parametrize("dialect", [Dialect.DEFAULT, SHARED_NAMES])
def test_by_default_a_name_that_exists_is_refused(make_face: Maker, dialect: Dialect) -> None:
    okta = provider_with(make_face, GroupAdoption(), group("g", "Guides", "a"), dialect=dialect)
    answer = okta.send("POST", "/Groups", {"displayName": "Guides"})
    assert okta.face.refused(answer, 409, "uniqueness") == "displayName: the value is taken by another resource"
    assert members(okta, "g") == ["a"]


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (("b", "c"), ["b", "c"]),
        (("b", "a"), ["a", "b"]),
        (("a", "nobody"), ["a"]),
        ((), ["a"]),  # a push may begin with an empty group: nothing is said of members yet
    ],
)
def test_a_linked_group_gets_the_members_of_the_request(
    make_face: Maker, sent: tuple[str, ...], expected: list[str]
) -> None:
    okta = provider_with(make_face, GroupAdoption(on_existing="link"), group("g", "Guides", "a"))
    answer = okta.send("POST", "/Groups", {"displayName": "Guides", "members": [{"value": one} for one in sent]})
    assert (answer.status, answer.body["id"], answer.body["displayName"]) == (201, "g", "Guides")
    assert sorted(one["value"] for one in answer.body["members"]) == expected
    assert sorted(members(okta, "g")) == expected
    assert facts_of(okta, "g").managed_by == "okta"
    assert "taken_over" in okta.noted


def test_the_members_of_a_linked_group_come_and_go_one_by_one(make_face: Maker) -> None:
    there = group("g", "Guides", "a")
    kept: Document = {"value": "b", "type": "User", "display": "B."}
    there = there.changed({**there.document, "members": [*elements_of(there.document["members"]), kept]})
    okta = provider_with(make_face, GroupAdoption(on_existing="link"), there)
    posted(okta, "Guides", "b", "c")
    assert okta.last.delta.removed["members"] == ({"value": "a", "type": "User"},)
    assert okta.last.delta.added["members"] == ({"value": "c", "type": "User"},)


@pytest.mark.parametrize("dialect", [Dialect.DEFAULT, SHARED_NAMES])
@pytest.mark.parametrize("name", ["guides", "GUIDES", "Ｇuides", "Guіdes", "Guides "])
def test_only_the_exact_name_is_linked(make_face: Maker, name: str, dialect: Dialect) -> None:
    okta = provider_with(make_face, GroupAdoption(on_existing="link"), group("g", "Guides", "a"), dialect=dialect)
    status, id = posted(okta, name, "b")
    is_same_value = name in ("guides", "GUIDES", "Ｇuides")
    assert status == (409 if is_same_value and dialect is Dialect.DEFAULT else 201)
    assert id != "g"
    assert members(okta, "g") == ["a"]


@pytest.mark.parametrize(
    ("on_foreign", "status", "manager", "expected", "notes"),
    [
        ("share", 201, "entra", ["a"], ["linked", "ignored"]),
        ("refuse", 409, "entra", ["a"], []),
        ("take", 201, "okta", ["b"], ["taken_over"]),
    ],
)
def test_a_group_of_another_connection_is_returned_unchanged_unless_told_otherwise(
    make_face: Maker, on_foreign: OnForeign, status: int, manager: str, expected: list[str], notes: list[str]
) -> None:
    there = group("g", "Guides", "a", provenance=managed("entra"), external_id="E")
    okta = provider_with(make_face, GroupAdoption(on_existing="link", on_foreign=on_foreign), there)
    answer = okta.send("POST", "/Groups", {"displayName": "Guides", "externalId": "O", "members": [{"value": "b"}]})
    assert answer.status == status
    assert members(okta, "g") == expected
    facts = facts_of(okta, "g")
    assert facts.managed_by == manager
    assert okta.noted == notes
    if status == 201:
        assert answer.body["id"] == "g"
        assert [one["value"] for one in answer.body["members"]] == expected
        assert answer.body["externalId"] == ("E" if manager == "entra" else "O")
        assert [(link.connection, link.external_id) for link in facts.links] == [("entra", None), ("okta", "O")]


def test_a_group_that_its_connection_has_removed_is_taken_over(make_face: Maker) -> None:
    there = group("g", "Guides", "a", provenance=managed("entra", removed=True))
    okta = provider_with(make_face, GroupAdoption(on_existing="link"), there)
    assert posted(okta, "Guides", "b") == (201, "g")
    assert (members(okta, "g"), facts_of(okta, "g").managed_by) == (["b"], "okta")


def test_a_group_that_gives_much_is_never_filled(make_face: Maker) -> None:
    policy = GroupAdoption(
        on_existing="link", is_privileged=lambda record: record.document["displayName"] == "Administrators"
    )
    okta = provider_with(make_face, policy, group("g", "Administrators", "a"), group("h", "Guides", "a"))
    answer = okta.send("POST", "/Groups", {"displayName": "Administrators", "members": [{"value": "b"}]})
    okta.face.refused(answer, 409, "uniqueness")
    assert (members(okta, "g"), facts_of(okta, "g")) == (["a"], Provenance())
    assert posted(okta, "Guides", "b") == (201, "h")


@pytest.mark.parametrize("on_existing", ["refuse", "link"])
def test_a_connection_that_creates_its_own_group_again_is_refused(
    make_face: Maker, on_existing: OnExistingGroup
) -> None:
    okta = provider_with(make_face, GroupAdoption(on_existing=on_existing))
    id = okta.created("/Groups", displayName="Guides", members=[{"value": "a"}])
    okta.face.refused(okta.send("POST", "/Groups", {"displayName": "Guides"}), 409, "uniqueness")
    assert members(okta, id) == ["a"]


@pytest.mark.parametrize("on_existing", ["refuse", "link", "keep_both"])
def test_a_group_that_the_connection_had_removed_comes_back(make_face: Maker, on_existing: OnExistingGroup) -> None:
    there = group("g", "Guides", "a", provenance=managed("okta", removed=True))
    okta = provider_with(make_face, GroupAdoption(on_existing=on_existing), there, dialect=SHARED_NAMES)
    assert okta.send("GET", "/Groups/g").status == 404
    assert posted(okta, "Guides", "b") == (201, "g")
    assert okta.noted == ["revived"]
    assert members(okta, "g") == ["b"]
    assert okta.send("GET", "/Groups/g").status == 200
    assert [link.is_live for link in facts_of(okta, "g").links] == [True]


@pytest.mark.parametrize("on_existing", ["refuse", "link"])
def test_a_removed_group_beside_another_of_its_name_stays_removed(
    make_face: Maker, on_existing: OnExistingGroup
) -> None:
    there = [group("g", "Guides", "a", provenance=managed("okta", removed=True)), group("h", "Guides", "b")]
    okta = provider_with(make_face, GroupAdoption(on_existing=on_existing), *there, dialect=SHARED_NAMES)
    okta.face.refused(okta.send("POST", "/Groups", {"displayName": "Guides"}), 409, "uniqueness")
    assert facts_of(okta, "g") == managed("okta", removed=True)


def test_a_group_that_gives_much_comes_back_to_the_connection_that_manages_it(make_face: Maker) -> None:
    there = group("g", "Administrators", "a", provenance=managed("okta", removed=True))
    okta = provider_with(make_face, GroupAdoption(is_privileged=lambda _: True), there)
    assert posted(okta, "Administrators", "b") == (201, "g")


@pytest.mark.parametrize(("dialect", "status"), [(SHARED_NAMES, 201), (Dialect.DEFAULT, 409)])
def test_two_groups_may_keep_one_name_where_names_may_be_shared(
    make_face: Maker, dialect: Dialect, status: int
) -> None:
    okta = provider_with(make_face, GroupAdoption(on_existing="keep_both"), group("g", "Guides", "a"), dialect=dialect)
    found, id = posted(okta, "Guides", "b")
    assert found == status
    assert id != "g"
    assert (members(okta, "g"), facts_of(okta, "g")) == (["a"], Provenance())


def test_of_two_groups_with_one_name_neither_is_linked(make_face: Maker) -> None:
    there = [group("g", "Guides", "a"), group("h", "Guides", "b")]
    okta = provider_with(make_face, GroupAdoption(on_existing="link"), *there, dialect=SHARED_NAMES)
    okta.face.refused(okta.send("POST", "/Groups", {"displayName": "Guides"}), 409, "uniqueness")


def test_a_name_in_another_case_makes_nothing_ambiguous(make_face: Maker) -> None:
    there = [group("g", "Guides", "a"), group("h", "guides", "b")]
    okta = provider_with(make_face, GroupAdoption(on_existing="link"), *there, dialect=SHARED_NAMES)
    assert posted(okta, "guides", "c") == (201, "h")


def test_a_name_never_becomes_syntax_of_the_search(make_face: Maker) -> None:
    okta = provider_with(make_face, GroupAdoption(on_existing="link"), group("g", "Guides", "a"))
    assert posted(okta, 'x" or displayName pr or displayName eq "', "b")[1] != "g"


def test_a_group_of_another_tenant_does_not_exist(make_face: Maker) -> None:
    okta = provider_with(make_face, GroupAdoption(on_existing="link"))
    with okta.face.storage.session(Tenant("globex")) as session:
        session.insert(group("g", "Guides"))
    assert posted(okta, "Guides")[1] != "g"


@pytest.mark.parametrize("settings", [{"on_existing": "take_over"}, {"on_foreign": "keep"}])
def test_an_unknown_setting_is_refused(settings: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="must be in"):
        GroupAdoption(**settings)  # type: ignore[arg-type]  # as a configuration file may have it


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
def test_every_storage_replaces_the_members_of_a_linked_group(kind: str, tmp_path: Path) -> None:
    with storage_of(kind, tmp_path) as storage:
        keep(storage, *(record_of(PROVISIONED_USER, id, userName=id) for id in PEOPLE), group("g", "Guides", "a", "b"))
        provider = ScimProvider(
            storage,
            authenticate=lambda _: Caller(tenant=ACME, connection="okta"),
            resource_types=(PROVISIONED_USER, PROVISIONED_GROUP),
            connections=[
                Connection(name="okta", tenant=ACME, policies=(GroupAdoption(on_existing="link"), Ownership()))
            ],
        )
        body = b'{"displayName": "Guides", "members": [{"value": "b"}, {"value": "c"}]}'
        response = provider.handle_sync(Request("POST", "/Groups", body=body))
        assert (response.status, b'"id":"g"' in response.body) == (201, True)
        for id, is_in in (("a", False), ("b", True), ("c", True)):
            shown = provider.handle_sync(Request("GET", f"/Users/{id}")).body
            assert (b'"display":"Guides"' in shown) is is_in
