"""The storage contract as tests: what `scimcore.storage.protocol` promises, for every storage to inherit.

    class TestMyStorage(StorageContract):
        @pytest.fixture
        def storage(self) -> MyStorage:
            return MyStorage()

The fixture `storage` gives an empty storage, for an event loop or without one. What is said about keyed attributes is
tested if the storage declares the members of groups, and the groups of users, as keyed.
"""

import asyncio
from collections.abc import Iterator, Sequence

import attrs
import pytest

from scimcore.errors import UniquenessError
from scimcore.rules.delta import Delta
from scimcore.schema.document import Json
from scimcore.schema.standard import GROUP, USER
from scimcore.storage.protocol import FIRST_VERSION, Change, Session, Storage, SyncStorage, VersionClash
from scimcore.testing.company import (
    ALICE,
    BOB,
    CAROL,
    EMPTY,
    NESTED,
    TEAM,
)
from scimcore.testing.searches import SearchContract
from scimcore.testing.sessions import LATER, Sessions, changed, group, ids, joining, leaving, query, user
from scimcore.testing.transactions import TransactionContract


class StorageContract(SearchContract, TransactionContract):
    """What every storage does. Inherit it and give it the fixture `storage`."""

    @pytest.fixture
    def storage(self) -> Storage | SyncStorage:
        """The storage to be tested, empty."""
        raise NotImplementedError("a test of the storage contract has a fixture named storage")

    @pytest.fixture
    def runner(self) -> Iterator[asyncio.Runner]:
        """The one event loop of a test."""
        with asyncio.Runner() as runner:
            yield runner

    @pytest.fixture
    def acme(self, storage: Storage | SyncStorage, runner: asyncio.Runner) -> Sessions:
        return Sessions(storage, "acme", runner)

    @pytest.fixture
    def globex(self, storage: Storage | SyncStorage, runner: asyncio.Runner) -> Sessions:
        return Sessions(storage, "globex", runner)

    @pytest.fixture
    def keyed(self, storage: Storage | SyncStorage) -> None:
        if storage.keyed.get("Group", {}).get("members") != "value":
            pytest.skip("the members of groups are not keyed")

    @pytest.fixture
    def derived(self, storage: Storage | SyncStorage) -> None:
        if not {"User", "Group"} <= storage.keyed.keys():
            pytest.skip("the groups of users are not derived")

    @pytest.fixture
    def company(self, acme: Sessions) -> Sessions:
        """Three users and three groups, one of them in another."""
        acme.insert(ALICE, BOB, CAROL, TEAM, NESTED, EMPTY)
        return acme

    # Reading back

    def test_a_record_is_read_as_it_was_inserted(self, acme: Sessions) -> None:
        acme.insert(ALICE)
        assert acme.get(USER, "u1") == ALICE

    def test_what_was_never_inserted_is_none(self, acme: Sessions) -> None:
        assert acme.get(USER, "u1") is None

    def test_an_id_belongs_to_one_resource_type(self, acme: Sessions) -> None:
        acme.insert(ALICE)
        assert acme.get(GROUP, "u1") is None

    def test_a_session_sees_what_it_wrote(self, acme: Sessions) -> None:
        async def flow(session: Session) -> list[str]:
            await session.insert(ALICE)
            return ids(await session.search(query('userName eq "alice"')))

        assert acme.run(flow) == ["u1"]

    def test_ids_are_located_whatever_their_type(self, company: Sessions) -> None:
        assert company.locate("u1", "g1", "nobody") == {"u1": "User", "g1": "Group"}

    # Tenants

    def test_a_record_of_another_tenant_does_not_exist(self, acme: Sessions, globex: Sessions) -> None:
        acme.insert(ALICE)
        assert globex.get(USER, "u1") is None
        assert globex.locate("u1") == {}
        assert globex.search(query()).total == 0
        with pytest.raises(VersionClash):
            globex.delete(ALICE)
        with pytest.raises(VersionClash):
            globex.update(changed(ALICE, {**ALICE.document, "title": "Stolen"}))
        assert acme.get(USER, "u1") == ALICE

    def test_two_tenants_may_use_one_name(self, acme: Sessions, globex: Sessions) -> None:
        acme.insert(ALICE)
        globex.insert(ALICE)
        acme.delete(ALICE)
        assert globex.get(USER, "u1") == ALICE

    # Updates

    def test_an_update_writes_the_document_and_makes_the_next_version(self, acme: Sessions) -> None:
        acme.insert(ALICE)
        updated = acme.update(changed(ALICE, {**ALICE.document, "title": "Chief"}))
        assert updated == acme.get(USER, "u1")
        assert updated.document == {**ALICE.document, "title": "Chief"}
        assert updated.version > FIRST_VERSION
        assert (updated.created, updated.last_modified) == (ALICE.created, LATER)

    def test_an_update_unassigns(self, acme: Sessions) -> None:
        acme.insert(ALICE)
        acme.update(changed(ALICE, {"id": "u1", "userName": "Alice"}))
        assert acme.found(USER, "u1").document == {"id": "u1", "userName": "Alice"}

    def test_an_update_moves_the_record_in_every_search(self, acme: Sessions) -> None:
        acme.insert(ALICE)
        after = {**ALICE.document, "userName": "eve", "externalId": "EXT-9", "emails": [{"value": "eve@x.example"}]}
        acme.update(changed(ALICE, after))
        for text, expected in [
            ('userName eq "alice"', []),
            ('externalId eq "EXT-1"', []),
            ('emails.value eq "alice@work.example"', []),
            ('userName eq "eve"', ["u1"]),
            ('externalId eq "EXT-9"', ["u1"]),
            ('emails.value eq "eve@x.example"', ["u1"]),
        ]:
            assert ids(acme.search(query(text))) == expected, text

    def test_a_change_that_changes_nothing_keeps_the_version(self, acme: Sessions) -> None:
        acme.insert(ALICE)
        assert acme.update(changed(ALICE, dict(ALICE.document))) == ALICE
        assert acme.get(USER, "u1") == ALICE

    def test_an_update_of_an_older_version_clashes(self, acme: Sessions) -> None:
        acme.insert(ALICE)
        first = acme.update(changed(ALICE, {**ALICE.document, "title": "Chief"}))
        with pytest.raises(VersionClash):
            acme.update(changed(ALICE, {**ALICE.document, "title": "Intern"}))
        assert acme.get(USER, "u1") == first

    def test_an_update_of_nothing_clashes(self, acme: Sessions) -> None:
        with pytest.raises(VersionClash):
            acme.update(changed(ALICE, {**ALICE.document, "title": "Chief"}))
        with pytest.raises(VersionClash):
            acme.update(joining(EMPTY, "u1"))

    # Deletes

    def test_a_deleted_record_is_gone(self, company: Sessions) -> None:
        company.delete(BOB)
        assert company.get(USER, "u2") is None
        assert company.locate("u2") == {}
        assert ids(company.search(query())) == ["u1", "u3"]
        assert company.search(query('emails.value eq "bob@work.example"')).total == 0

    def test_a_delete_of_an_older_version_clashes(self, acme: Sessions) -> None:
        acme.insert(ALICE)
        updated = acme.update(changed(ALICE, {**ALICE.document, "title": "Chief"}))
        with pytest.raises(VersionClash):
            acme.delete(ALICE)
        assert acme.get(USER, "u1") == updated

    def test_a_second_delete_clashes(self, acme: Sessions) -> None:
        acme.insert(ALICE)
        acme.delete(ALICE)
        with pytest.raises(VersionClash):
            acme.delete(ALICE)

    # Uniqueness

    @pytest.mark.rfc("P-3.3-04")
    def test_a_unique_key_is_given_once(self, acme: Sessions) -> None:
        acme.insert(ALICE)
        with pytest.raises(UniquenessError) as refused:
            acme.insert(user("u9", "ALICE"))
        assert refused.value.attribute == "userName"
        assert acme.get(USER, "u9") is None
        assert ids(acme.search(query())) == ["u1"]

    def test_a_rename_to_a_taken_name_changes_nothing(self, acme: Sessions) -> None:
        acme.insert(ALICE, BOB)
        with pytest.raises(UniquenessError):
            acme.update(changed(BOB, {**BOB.document, "userName": "alice"}))
        assert acme.get(USER, "u2") == BOB

    def test_a_rename_frees_the_old_name_and_takes_the_new_one(self, acme: Sessions) -> None:
        acme.insert(ALICE)
        acme.update(changed(ALICE, {**ALICE.document, "userName": "eve"}))
        acme.insert(user("u9", "alice"))
        with pytest.raises(UniquenessError):
            acme.insert(user("u8", "eve"))

    def test_a_delete_frees_the_name(self, acme: Sessions) -> None:
        acme.insert(ALICE)
        acme.delete(ALICE)
        acme.insert(user("u9", "alice"))
        assert ids(acme.search(query('userName eq "alice"'))) == ["u9"]

    def test_a_name_may_change_hands_in_one_session(self, acme: Sessions) -> None:
        async def flow(session: Session) -> None:
            await session.insert(ALICE)
            await session.delete(ALICE)
            await session.insert(user("u9", "alice"))

        acme.run(flow)
        assert ids(acme.search(query())) == ["u9"]

    def test_resource_types_have_names_of_their_own(self, acme: Sessions) -> None:
        acme.insert(attrs.evolve(ALICE, unique=TEAM.unique), TEAM)
        assert acme.locate("u1", "g1") == {"u1": "User", "g1": "Group"}

    # Keyed attributes

    @pytest.mark.usefixtures("keyed")
    def test_members_come_and_go_one_by_one(self, company: Sessions) -> None:
        company.update(joining(TEAM, "u3"))
        company.update(leaving(TEAM, "u1"))
        assert company.members("g1") == ["u2", "u3"]
        assert ids(company.search(query('members.value eq "u3"', (GROUP,)))) == ["g1"]
        assert company.search(query('members.value eq "u1"', (GROUP,))).total == 0

    @pytest.mark.usefixtures("keyed")
    def test_a_change_of_members_makes_a_version_whatever_came_between(self, company: Sessions) -> None:
        first = company.update(joining(TEAM, "u3"))
        second = company.update(joining(TEAM, "g3"))
        assert FIRST_VERSION < first.version < second.version
        assert second.last_modified == LATER
        assert company.found(GROUP, "g1").version == second.version

    @pytest.mark.usefixtures("keyed")
    def test_a_change_of_members_keeps_a_rename_it_has_not_seen(self, company: Sessions) -> None:
        company.update(changed(TEAM, {**TEAM.document, "displayName": "Crew"}))
        company.update(joining(TEAM, "u3"))
        assert company.found(GROUP, "g1", {"members": ()}).document == {"id": "g1", "displayName": "Crew"}
        with pytest.raises(UniquenessError):
            company.insert(group("g9", "crew"))

    @pytest.mark.parametrize(
        "repeat",
        [
            pytest.param(joining(TEAM, "u1"), id="member is there"),
            pytest.param(leaving(TEAM, "u3"), id="member is not there"),
            pytest.param(joining(TEAM), id="no member"),
        ],
    )
    @pytest.mark.usefixtures("keyed")
    def test_repeats_change_nothing_not_even_the_version(self, company: Sessions, repeat: Change) -> None:
        assert company.update(repeat).version == FIRST_VERSION
        assert company.get(GROUP, "g1") == TEAM

    @pytest.mark.usefixtures("keyed")
    def test_what_is_new_in_a_repeat_counts_once(self, company: Sessions) -> None:
        updated = company.update(joining(TEAM, "u1", "u3", "u3"))
        assert updated.version > FIRST_VERSION
        assert company.members("g1") == ["u1", "u2", "u3"]

    @pytest.mark.usefixtures("keyed")
    def test_a_member_whose_element_changes_is_replaced(self, company: Sessions) -> None:
        members: Json = [{"value": "u1", "display": "A"}, {"value": "u2"}]
        company.update(changed(TEAM, {**TEAM.document, "members": members}))
        loaded = company.found(GROUP, "g1", {"members": ["u1"]})
        assert loaded.document["members"] == [{"value": "u1", "display": "A"}]
        assert company.members("g1") == ["u1", "u2"]

    @pytest.mark.usefixtures("keyed")
    def test_members_are_assigned_whole(self, company: Sessions) -> None:
        whole = Delta(assigned={"members": [{"value": "u2"}, {"value": "u3"}]})
        company.update(attrs.evolve(joining(TEAM), delta=whole))
        assert company.members("g1") == ["u2", "u3"]

    @pytest.mark.usefixtures("keyed")
    def test_members_are_unassigned_whole(self, company: Sessions) -> None:
        company.update(attrs.evolve(joining(TEAM), delta=Delta(unassigned=frozenset({"members"}))))
        assert company.found(GROUP, "g1").document == {"id": "g1", "displayName": "Team"}

    @pytest.mark.usefixtures("keyed")
    def test_a_rename_and_a_new_member_are_one_change(self, company: Sessions) -> None:
        members: Json = [{"value": "u1"}, {"value": "u2"}, {"value": "u3"}]
        after = {**TEAM.document, "displayName": "Crew", "members": members}
        updated = company.update(changed(TEAM, after))
        assert updated.document == after
        assert company.found(GROUP, "g1") == updated

    @pytest.mark.parametrize(
        ("named", "loaded"),
        [
            ((), []),
            (("u2",), [{"value": "u2"}]),
            (("u2", "nobody"), [{"value": "u2"}]),
            (("nobody",), []),
        ],
    )
    @pytest.mark.usefixtures("keyed")
    def test_only_named_elements_are_read(
        self, company: Sessions, named: Sequence[str], loaded: list[dict[str, str]]
    ) -> None:
        expected = {"id": "g1", "displayName": "Team", **({"members": loaded} if loaded else {})}
        assert company.found(GROUP, "g1", {"members": named}).document == expected
        page = company.search(query('members.value eq "u1"', (GROUP,), elements={"members": named}))
        assert [found.document for found in page.records] == [expected]

    @pytest.mark.usefixtures("keyed")
    def test_members_are_counted_no_further_than_asked(self, company: Sessions) -> None:
        async def flow(session: Session) -> list[int]:
            return [await session.count(GROUP, id, "members", 2) for id in ("g1", "g2", "g3", "nobody")]

        company.update(joining(TEAM, "u3"))
        assert company.run(flow) == [2, 1, 0, 0]

    # Memberships

    @pytest.mark.usefixtures("derived")
    def test_groups_of_a_user_are_its_direct_memberships(self, company: Sessions) -> None:
        assert company.found(USER, "u1").document["groups"] == [{"value": "g1", "display": "Team", "type": "direct"}]
        assert "groups" not in company.found(USER, "u3").document
        assert company.found(GROUP, "g1") == TEAM

    @pytest.mark.usefixtures("derived")
    def test_groups_of_a_user_follow_the_groups(self, company: Sessions) -> None:
        company.update(joining(EMPTY, "u1"))
        company.update(changed(company.found(GROUP, "g1"), {**TEAM.document, "displayName": "Crew"}))
        assert company.found(USER, "u1").document["groups"] == [
            {"value": "g1", "display": "Crew", "type": "direct"},
            {"value": "g3", "display": "Empty", "type": "direct"},
        ]
        company.update(leaving(EMPTY, "u1"))
        assert company.groups("u1") == ["g1"]

    @pytest.mark.usefixtures("derived")
    def test_only_named_groups_are_read(self, company: Sessions) -> None:
        company.update(joining(EMPTY, "u1"))
        assert company.get(USER, "u1", {"groups": ()}) == ALICE
        shown = company.found(USER, "u1", {"groups": ("g3",)}).document["groups"]
        assert shown == [{"value": "g3", "display": "Empty", "type": "direct"}]

    @pytest.mark.usefixtures("derived")
    def test_a_user_keeps_its_version_when_its_groups_change(self, company: Sessions) -> None:
        company.update(joining(EMPTY, "u1"))
        assert company.found(USER, "u1").version == FIRST_VERSION

    @pytest.mark.usefixtures("derived")
    def test_groups_are_not_written_through_the_user(self, company: Sessions) -> None:
        before = company.found(USER, "u1")
        company.update(changed(before, {**before.document, "title": "Chief", "groups": [{"value": "g3"}]}))
        assert company.groups("u1") == ["g1"]
        assert company.members("g3") == []

    @pytest.mark.usefixtures("keyed")
    def test_a_deleted_user_leaves_its_groups(self, company: Sessions) -> None:
        company.delete(BOB)
        left = company.found(GROUP, "g1")
        assert left.document["members"] == [{"value": "u1"}]
        assert left.version > FIRST_VERSION
        assert company.found(GROUP, "g2").version == FIRST_VERSION
        assert company.search(query('members.value eq "u2"', (GROUP,))).total == 0

    @pytest.mark.usefixtures("derived")
    def test_a_deleted_group_leaves_users_and_groups(self, company: Sessions) -> None:
        company.delete(TEAM)
        assert company.get(USER, "u1") == ALICE
        assert company.members("g2") == []
        assert company.search(query('groups.value eq "g1"')).total == 0
