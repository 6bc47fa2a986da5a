"""Under which identifier an application knows a group."""

from collections.abc import Mapping
from typing import Final, Literal

import attrs
import pytest
from tests.engine.conftest import Answer, Maker
from tests.provisioning.connections import (
    NOW,
    SHARED_NAMES,
    Client,
    client_of,
    connected,
    keep,
    record_of,
)

from scimcore.provisioning import Intent, Note
from scimcore.provisioning.identifiers import GroupIdentifiers
from scimcore.provisioning.leaving import Leaving
from scimcore.provisioning.provenance import (
    PROVISIONED_GROUP,
    PROVISIONED_USER,
    PROVISIONING_URN,
    Link,
    Provenance,
    provenance_of,
    with_provenance,
)
from scimcore.provisioning.scopes import SCOPED_GROUP, Scope
from scimcore.rules.identifier import RESERVED_IDENTIFIERS, unique_values
from scimcore.schema.document import Document, Json
from scimcore.storage import MemoryStorage
from scimcore.storage.protocol import Record, Session, UniqueKey

IDENTIFIER: Final = f"{PROVISIONING_URN}:identifier"
DEFAULT: Final = GroupIdentifiers()
SUFFIX: Final = GroupIdentifiers(collision="suffix")
LINK: Final = GroupIdentifiers(collision="link")
HARNESS: Final = GroupIdentifiers(collision="link", as_id=True)


def client(make_face: Maker, policy: GroupIdentifiers) -> Client:
    return client_of(make_face, policy, dialect=SHARED_NAMES)


def scoped_client(make_face: Maker, policy: GroupIdentifiers) -> Client:
    return Client(connected(make_face, {"okta": (policy,)}, group_type=SCOPED_GROUP, dialect=SHARED_NAMES))


def post(okta: Client, name: str, **values: object) -> Answer:
    return okta.send("POST", "/Groups", {"displayName": name, **values})


def identifier_in(body: Mapping[str, Json]) -> Json:
    provenance = body.get(PROVISIONING_URN)
    return provenance.get("identifier") if isinstance(provenance, dict) else None


def manual(id: str, name: str, **values: object) -> Record:
    return record_of(PROVISIONED_GROUP, id, displayName=name, **values)


def unique_of(record: Record) -> tuple[UniqueKey, ...]:
    found = unique_values(record.document, record.resource_type, SHARED_NAMES.tolerance)
    return tuple(UniqueKey(attribute, value) for attribute, value in found)


def identified(id: str, name: str, provenance: Provenance, scope: str = "acme") -> Record:
    named = attrs.evolve(provenance, scope=scope, scoped_identifier=f"{scope}:{provenance.identifier}")
    document: Document = {"displayName": name}
    return record_of(PROVISIONED_GROUP, id, **with_provenance(document, named))


# Making and keeping


@pytest.mark.parametrize(
    ("name", "newer", "legacy"),
    [
        ("example-group", "example_group", "example_group"),
        ("test.display-name", "test_display_name", "test_display_name"),
        ("display?INVALID#name!", "displayINVALIDname", "displayINVALIDname"),
        ("123_displayname", "_displayname_60273ebf", "_displayname"),
        ("  Sales EMEA  ", "Sales_EMEA", "Sales_EMEA"),
        ("Équipe Réseau", "Equipe_Reseau", "Equipe_Reseau"),
        ("100", "_ad573668", None),
        ("x" * 64, "x" * 64, "x" * 64),
        ("x" * 65, "x" * 65, None),
        ("x" * 129, None, None),
        ("1" + "x" * 500, "x" * 119 + "_5d095503", None),
    ],
)
@pytest.mark.parametrize("generation", ["newer", "legacy"])
def test_a_group_gets_an_identifier_made_of_its_name(
    make_face: Maker, generation: Literal["newer", "legacy"], name: str, newer: str | None, legacy: str | None
) -> None:
    okta = client(make_face, GroupIdentifiers(generation=generation))
    expected = newer if generation == "newer" else legacy
    answer = post(okta, name)
    if expected is None:
        assert "displayName: the identifier" in okta.face.refused(answer, 400, "invalidValue")
        return
    assert (answer.status, identifier_in(answer.body), answer.body["displayName"]) == (201, expected, name)
    assert okta.ids("/Groups", f'{IDENTIFIER} eq "{expected}"') == [answer.body["id"]]


@pytest.mark.parametrize("policy", [DEFAULT, SUFFIX, LINK, HARNESS])
@pytest.mark.parametrize("name", ["開発", "!!!", "x" * 129, "#9lives"])
def test_a_name_that_becomes_no_identifier_is_refused(make_face: Maker, policy: GroupIdentifiers, name: str) -> None:
    okta = client(make_face, policy)
    okta.face.refused(post(okta, name), 400, "invalidValue")
    assert okta.face.stored() == []


@pytest.mark.parametrize("word", sorted(RESERVED_IDENTIFIERS))
def test_a_reserved_word_is_refused_unless_it_may_get_a_suffix(make_face: Maker, word: str) -> None:
    okta = client(make_face, DEFAULT)
    assert "reserved" in okta.face.refused(post(okta, word), 400, "invalidValue")
    okta = client(make_face, SUFFIX)
    assert identifier_in(post(okta, word).body) == f"{word}_2"
    assert okta.noted == ["suffixed"]
    assert identifier_in(post(okta, word.upper()).body) == word.upper()


@pytest.mark.parametrize("policy", [DEFAULT, HARNESS])
def test_the_identifier_is_kept_on_rename(make_face: Maker, policy: GroupIdentifiers) -> None:
    okta = client(make_face, policy)
    body = post(okta, "team-a").body
    renamed = okta.set(f"/Groups/{body['id']}", displayName="team-b").body
    put = okta.send("PUT", f"/Groups/{body['id']}", {"displayName": "team-c"}).body
    assert [(one["displayName"], identifier_in(one)) for one in (renamed, put)] == [
        ("team-b", "team_a"),
        ("team-c", "team_a"),
    ]
    assert post(okta, "team-b").status == 201


def test_users_get_none(make_face: Maker) -> None:
    okta = client(make_face, HARNESS)
    id = okta.created("/Users", userName="team-a", displayName="team-a")
    assert id != "team_a"


# Collisions

ALIKE: Final = ["team-a", "team.a", "team a", "team_a"]


@pytest.mark.parametrize("name", ALIKE)
def test_a_second_group_of_one_identifier_is_refused_by_default(make_face: Maker, name: str) -> None:
    okta = client(make_face, DEFAULT)
    assert post(okta, "team-a").status == 201
    assert "team_a" in okta.face.refused(post(okta, name), 409, "uniqueness")
    assert post(okta, "Team A").status == 201


def test_suffixes_are_given_in_order(make_face: Maker) -> None:
    okta = client(make_face, SUFFIX)
    made = [identifier_in(post(okta, name).body) for name in [*ALIKE, "team-a"]]
    assert made == ["team_a", "team_a_2", "team_a_3", "team_a_4", "team_a_5"]
    (third,) = okta.ids("/Groups", f'{IDENTIFIER} eq "team_a_3"')
    okta.send("DELETE", f"/Groups/{third}")
    assert identifier_in(post(okta, "team.a").body) == "team_a_3"
    assert identifier_in(post(okta, "team.a 3").body) == "team_a_3_2"


def test_suffixes_do_not_end_early(make_face: Maker) -> None:
    okta = client(make_face, SUFFIX)
    made = [identifier_in(post(okta, "a").body) for _ in range(60)]
    assert made == ["a", *(f"a_{number}" for number in range(2, 61))]


def test_a_long_identifier_makes_room_for_its_suffix(make_face: Maker) -> None:
    okta = client(make_face, SUFFIX)
    post(okta, "x" * 128)
    assert identifier_in(post(okta, "x" * 128).body) == "x" * 126 + "_2"


@pytest.mark.parametrize("provider", [None, "okta", "entra"])
def test_a_link_makes_the_existing_group_the_new_one(make_face: Maker, provider: str | None) -> None:
    okta = client(make_face, LINK)
    one, two = (okta.created("/Users", userName=name) for name in ("a", "b"))
    links = (Link(connection=provider, since=NOW, external_id="old"),) if provider else ()
    there = identified("g1", "team a", Provenance(managed_by=provider, identifier="team_a", links=links))
    members = [{"value": one, "type": "User", "display": "A"}]
    keep(okta.face.storage, attrs.evolve(there, document={**there.document, "members": members}))
    sent = [{"value": two}, {"value": one}]
    answer = post(okta, "team-a", members=sent, externalId="00g1")
    assert (answer.status, answer.body["id"], answer.body["displayName"]) == (201, "g1", "team a")
    (record,) = (record for record in okta.face.stored() if record.id == "g1")
    provenance = provenance_of(record.document)
    assert provenance.managed_by == (provider or "okta")
    link = provenance.link("okta")
    assert link is not None
    assert (link.external_id, link.is_live) == ("00g1", True)
    ids = [one["value"] for one in answer.body["members"]]
    if provider is None:
        assert ids == [one, two]
        assert answer.body["members"][0]["display"] == "A"
        assert (answer.body["externalId"], okta.noted) == ("00g1", ["taken_over"])
    else:
        assert ids == [one]
        assert "externalId" not in answer.body
        assert okta.noted == ["merged" if provider == "okta" else "linked"]


def test_a_link_without_members_takes_nobody_out(make_face: Maker) -> None:
    okta = client(make_face, LINK)
    user = okta.created("/Users", userName="a")
    keep(okta.face.storage, manual("g1", "team-a", members=[{"value": user, "type": "User"}]))
    body = post(okta, "team-a").body
    assert (body["id"], identifier_in(body), len(body["members"])) == ("g1", "team_a", 1)


def test_the_same_create_again_is_the_same_group(make_face: Maker) -> None:
    okta = client(make_face, LINK)
    first, second = post(okta, "team-a").body, post(okta, "team-a").body
    assert (first["id"], okta.noted) == (second["id"], ["taken_over"])
    post(okta, "team-a")
    assert okta.noted == ["linked"]


def test_a_group_that_the_connection_deleted_and_the_application_kept_comes_back(make_face: Maker) -> None:
    okta = client_of(make_face, LINK, Leaving(on_group_delete="unlink"), dialect=SHARED_NAMES)
    id = post(okta, "team-a").body["id"]
    okta.send("DELETE", f"/Groups/{id}")
    assert okta.send("GET", f"/Groups/{id}").status == 404
    assert post(okta, "team-a").body["id"] == id
    assert okta.send("GET", f"/Groups/{id}").status == 200


# Groups that were there before


@pytest.mark.parametrize(
    ("policy", "status", "identifier"),
    [(DEFAULT, 409, None), (SUFFIX, 201, "team_a_2"), (LINK, 201, "team_a")],
)
def test_a_group_of_the_same_name_without_an_identifier_counts(
    make_face: Maker, policy: GroupIdentifiers, status: int, identifier: str | None
) -> None:
    okta = client(make_face, policy)
    keep(okta.face.storage, manual("g1", "team-a"), manual("g2", "TEAM-A"))
    answer = post(okta, "team-a")
    assert (answer.status, identifier_in(answer.body)) == (status, identifier)


@pytest.mark.parametrize(
    ("policy", "status", "identifier"),
    [(DEFAULT, 409, None), (SUFFIX, 201, "_displayname_60273ebf"), (LINK, 201, "_displayname")],
)
def test_a_group_under_the_legacy_identifier_is_found(
    make_face: Maker, policy: GroupIdentifiers, status: int, identifier: str | None
) -> None:
    okta = client(make_face, policy)
    keep(okta.face.storage, identified("g1", "123_displayname", Provenance(identifier="_displayname")))
    answer = post(okta, "123_displayname")
    assert (answer.status, identifier_in(answer.body)) == (status, identifier)
    assert identifier_in(post(okta, "124_displayname").body) == "_displayname_4978129e"


def test_a_group_that_another_policy_adopts_gets_an_identifier_if_one_is_free(make_face: Maker) -> None:
    @attrs.frozen
    class Adopting:
        async def decided(self, intent: Intent, session: Session) -> Intent:
            record = await session.get(PROVISIONED_GROUP, "g1")
            if intent.asked != "create" or record is None:
                return intent
            return attrs.evolve(intent, id="g1", before=record, after=record.document).noting(Note("adopted"))

    okta = client_of(make_face, Adopting(), DEFAULT, dialect=SHARED_NAMES)
    keep(okta.face.storage, manual("g1", "team-a"))
    for _ in range(2):
        body = post(okta, "whatever").body
        assert (body["id"], identifier_in(body)) == ("g1", "team_a")
    okta = client_of(make_face, Adopting(), DEFAULT, dialect=SHARED_NAMES)
    taken = identified("g2", "team.a", Provenance(identifier="team_a"))
    keep(okta.face.storage, manual("g1", "team-a"), taken)
    body = post(okta, "whatever").body
    assert (body["id"], identifier_in(body)) == ("g1", None)


# The identifier as the id


def test_the_identifier_is_the_id(make_face: Maker) -> None:
    okta = client(make_face, HARNESS)
    answer = post(okta, "test.display-name")
    assert (answer.status, answer.body["id"]) == (201, "test_display_name")
    assert answer.headers["location"].endswith("/Groups/test_display_name")
    assert okta.send("GET", "/Groups/test_display_name").body["displayName"] == "test.display-name"


@pytest.mark.parametrize(
    ("policy", "status", "id"),
    [
        (GroupIdentifiers(as_id=True), 409, None),
        (GroupIdentifiers(as_id=True, collision="suffix"), 201, "team_a_2"),
        (HARNESS, 201, "team_a"),
    ],
)
def test_a_group_of_that_id_is_the_one_meant(
    make_face: Maker, policy: GroupIdentifiers, status: int, id: str | None
) -> None:
    okta = client(make_face, policy)
    keep(okta.face.storage, manual("team_a", "Made by hand"))
    answer = post(okta, "team-a")
    assert (answer.status, answer.body.get("id")) == (status, id)


@pytest.mark.parametrize(
    ("collision", "status", "id"), [("refuse", 409, None), ("suffix", 201, "team_a_2"), ("link", 409, None)]
)
def test_an_id_that_another_resource_has_is_not_given_again(
    make_face: Maker, collision: Literal["refuse", "suffix", "link"], status: int, id: str | None
) -> None:
    okta = client(make_face, GroupIdentifiers(as_id=True, collision=collision))
    keep(okta.face.storage, record_of(PROVISIONED_USER, "team_a", userName="a"))
    answer = post(okta, "team-a")
    assert (answer.status, answer.body.get("id")) == (status, id)


@pytest.mark.rfc("S-3.1-08")
def test_the_keyword_of_bulk_requests_is_in_no_id(make_face: Maker) -> None:
    okta = client(make_face, HARNESS)
    assert "bulkId" in okta.face.refused(post(okta, "my bulkId"), 400, "invalidValue")


# Scopes


def test_the_same_name_in_another_scope_is_another_group(make_face: Maker) -> None:
    okta = scoped_client(make_face, GroupIdentifiers(scope=Scope("acc"), as_id=True))
    ids = []
    for scopes in (None, "acc:emea", "acc:emea:web", "acc:apac,acc:amer"):
        answer = post(okta, "team-a", **({} if scopes is None else {"harnessScopes": scopes}))
        assert (answer.status, identifier_in(answer.body)) == (201, "team_a")
        ids.append(answer.body["id"])
    assert ids == ["team_a", "emea:team_a", "emea:web:team_a", "amer:team_a"]
    for scopes in ("acc", "acc:emea", "acc:apac", "acc:nowhere,acc:amer"):
        okta.face.refused(post(okta, "team.a", harnessScopes=scopes), 409, "uniqueness")
    assert okta.send("GET", "/Groups/emea:web:team_a").body["harnessScopes"] == "acc:emea:web"
    assert okta.ids("/Groups", f'{PROVISIONING_URN}:scope eq "acc:emea"') == ["emea:team_a"]


@pytest.mark.parametrize(
    "scopes",
    ["other", "other:emea", "acc:", "acc::web", "acc:a:b:c", "acc,", "acc:a/b", "acc:é", ",".join(["acc"] * 101)],
)
def test_scopes_that_are_none_or_lie_elsewhere_are_refused(make_face: Maker, scopes: str) -> None:
    okta = scoped_client(make_face, GroupIdentifiers(scope=Scope("acc")))
    assert "harnessScopes" in okta.face.refused(post(okta, "team-a", harnessScopes=scopes), 400, "invalidValue")


def test_a_connection_of_an_organisation_makes_groups_in_it_only(make_face: Maker) -> None:
    okta = scoped_client(make_face, GroupIdentifiers(scope=Scope("acc", "emea")))
    okta.face.refused(post(okta, "a", harnessScopes="acc"), 400, "invalidValue")
    okta.face.refused(post(okta, "a", harnessScopes="acc:apac"), 400, "invalidValue")
    assert post(okta, "a", harnessScopes="acc:emea:web").status == 201
    body = post(okta, "b").body
    assert body[PROVISIONING_URN]["scope"] == "acc:emea"


def test_a_group_does_not_move_to_another_scope(make_face: Maker) -> None:
    okta = scoped_client(make_face, GroupIdentifiers(scope=Scope("acc")))
    id = post(okta, "team-a").body["id"]
    okta.face.refused(okta.set(f"/Groups/{id}", harnessScopes="acc:emea"), 400, "mutability")
    assert okta.set(f"/Groups/{id}", harnessScopes="acc").status == 200
    okta.face.refused(okta.set(f"/Groups/{id}", harnessScopes="acc:emea"), 400, "mutability")
    assert okta.set(f"/Groups/{id}", displayName="team-b").status == 200


def test_without_a_scope_the_account_is_the_tenant(make_face: Maker) -> None:
    okta = scoped_client(make_face, DEFAULT)
    assert post(okta, "a").body[PROVISIONING_URN]["scope"] == "acme"
    assert post(okta, "a", harnessScopes="acme:emea").status == 201


# Races


@pytest.mark.parametrize(
    ("policy", "status", "identifier"),
    [(DEFAULT, 409, None), (SUFFIX, 201, "team_a_2"), (LINK, 201, "team_a"), (HARNESS, 201, "team_a")],
)
def test_a_group_that_comes_into_being_in_between_is_a_collision_like_any_other(
    make_face: Maker, policy: GroupIdentifiers, status: int, identifier: str | None
) -> None:
    @attrs.define
    class Racing:
        """Another request that makes the same group just before this one writes."""

        storage: MemoryStorage | None = None

        async def decided(self, intent: Intent, session: Session) -> Intent:  # noqa: ARG002
            if self.storage is not None and intent.before is None:
                storage, self.storage = self.storage, None
                id = "team_a" if policy.as_id else "g1"
                other = identified(id, "team.a", Provenance(identifier="team_a", managed_by="entra"))
                keep(storage, attrs.evolve(other, unique=unique_of(other)))
            return intent

    racing = Racing()
    okta = client_of(make_face, policy, racing, dialect=SHARED_NAMES)
    racing.storage = okta.face.storage
    answer = post(okta, "team-a")
    assert (answer.status, identifier_in(answer.body)) == (status, identifier)
    assert racing.storage is None


@pytest.mark.parametrize("name", ["admins", "admins?", "ádmins", " admins "])
def test_a_privileged_group_is_never_linked_by_what_its_name_becomes(make_face: Maker, name: str) -> None:
    policy = GroupIdentifiers(collision="link", is_privileged=lambda record: record.id == "local")
    okta = client(make_face, policy)
    local = record_of(PROVISIONED_GROUP, "local", displayName="admins")
    named = with_provenance(local.document, Provenance(identifier="admins", scope="acme"))
    keep(okta.face.storage, attrs.evolve(local, document=named))
    okta.face.refused(post(okta, name), 409, "uniqueness")
    assert [record.document for record in okta.face.stored()] == [named]
