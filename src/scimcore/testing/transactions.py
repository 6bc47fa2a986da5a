"""The part of the storage contract about sessions that fail and sessions that run at once."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Final

import attrs
import pytest

from scimcore.errors import UniquenessError
from scimcore.schema.document import Document
from scimcore.schema.standard import GROUP, USER
from scimcore.storage.protocol import FIRST_VERSION, Session, VersionClash
from scimcore.testing.company import ALICE, BOB, CAROL, EMPTY, NESTED, TEAM
from scimcore.testing.sessions import Flow, Sessions, changed, group, ids, joining, leaving, query, user

WRITERS: Final = 8


class Abandoned(Exception):  # noqa: N818 - it stands for any exception that ends a session
    """What a test ends a session with."""


async def _insert(session: Session) -> None:
    await session.insert(user("u9", "eve"))
    await session.insert(group("g9", "New", ["u1", "u9"]))


async def _rename(session: Session) -> None:
    document = {**ALICE.document, "userName": "eve", "externalId": "EXT-9"}
    await session.update(changed(ALICE, document))


async def _unassign(session: Session) -> None:
    await session.update(changed(ALICE, {"id": "u1", "userName": "Alice"}))


async def _join_and_leave(session: Session) -> None:
    await session.update(joining(TEAM, "u3"))
    await session.update(leaving(TEAM, "u1"))


async def _delete_user(session: Session) -> None:
    await session.delete(ALICE)
    await session.insert(user("u9", "alice"))


async def _delete_group(session: Session) -> None:
    await session.delete(TEAM)
    await session.insert(group("g9", "team", ["u3"]))


async def _delete_and_return(session: Session) -> None:
    await session.delete(ALICE)
    await session.insert(ALICE)
    await session.update(changed(ALICE, {**ALICE.document, "title": "Chief"}))


_WRITES: Final[Sequence[Flow[None]]] = (
    _insert,
    _rename,
    _unassign,
    _join_and_leave,
    _delete_user,
    _delete_group,
    _delete_and_return,
)
_LOOK_UPS: Final = (
    *(f'userName eq "{name}"' for name in ("alice", "bob", "eve")),
    'externalId eq "EXT-1"',
    'externalId eq "EXT-9"',
    'emails.value eq "alice@work.example"',
    'groups.value eq "g1"',
    'groups.value eq "g9"',
    'members.value eq "u1"',
    'members.value eq "u3"',
    'displayName eq "team"',
    "id pr",
)


def _state(company: Sessions) -> object:
    """All that can be seen of a tenant; the order of members has no meaning (RFC 7643 §2.4)."""
    pages = [company.search(query(text, (USER, GROUP))) for text in _LOOK_UPS]
    return [[(attrs.evolve(found, document={}), _sorted(found.document)) for found in page.records] for page in pages]


def _sorted(document: Document) -> Document:
    return {name: sorted(value, key=str) if isinstance(value, list) else value for name, value in document.items()}


class TransactionContract:
    """What every storage does about failure and concurrency."""

    @pytest.mark.parametrize("write", _WRITES)
    def test_a_session_that_fails_leaves_no_trace(self, company: Sessions, write: Flow[None]) -> None:
        before = _state(company)

        async def flow(session: Session) -> None:
            await write(session)
            raise Abandoned

        with pytest.raises(Abandoned):
            company.run(flow)
        assert _state(company) == before

    def test_names_are_as_before_after_a_session_that_failed(self, company: Sessions) -> None:
        async def flow(session: Session) -> None:
            await _rename(session)
            raise Abandoned

        with pytest.raises(Abandoned):
            company.run(flow)
        with pytest.raises(UniquenessError):
            company.insert(user("u8", "alice"))
        company.insert(user("u9", "eve"))

    def test_a_refused_write_does_not_end_the_session(self, company: Sessions) -> None:
        async def flow(session: Session) -> None:
            with pytest.raises(UniquenessError):
                await session.insert(user("u9", "alice"))
            with pytest.raises(VersionClash):
                await session.delete(user("u9", "alice"))
            await session.insert(user("u9", "eve"))

        company.run(flow)
        assert company.locate("u9") == {"u9": "User"}

    @pytest.mark.parametrize("write", _WRITES)
    def test_a_savepoint_is_undone_alone(self, company: Sessions, globex: Sessions, write: Flow[None]) -> None:
        globex.insert(ALICE, BOB, CAROL, TEAM, NESTED, EMPTY)

        async def outside(session: Session) -> None:
            await session.update(changed(BOB, {**BOB.document, "title": "Chief"}))
            await session.insert(user("u7", "dave"))

        async def flow(session: Session) -> None:
            await outside(session)
            with suppress(Abandoned):
                async with session.savepoint():
                    await write(session)
                    raise Abandoned
            await session.delete(CAROL)

        company.run(flow)
        globex.run(outside)
        globex.delete(CAROL)
        assert _state(company) == _state(globex)

    def test_a_savepoint_that_ends_well_is_undone_with_its_session(self, company: Sessions) -> None:
        before = _state(company)

        async def flow(session: Session) -> None:
            async with session.savepoint():
                await _insert(session)
            raise Abandoned

        with pytest.raises(Abandoned):
            company.run(flow)
        assert _state(company) == before

    def test_savepoints_lie_inside_each_other(self, acme: Sessions) -> None:
        async def flow(session: Session) -> None:
            async with session.savepoint():
                await session.insert(ALICE)
                with suppress(Abandoned):
                    async with session.savepoint():
                        await session.insert(BOB)
                        raise Abandoned
                await session.insert(CAROL)

        acme.run(flow)
        assert ids(acme.search(query())) == ["u1", "u3"]

    @pytest.mark.usefixtures("keyed")
    def test_members_added_at_once_all_land(self, company: Sessions) -> None:
        newcomers = [f"n{number}" for number in range(WRITERS)]
        company.run_together([_joins(newcomer) for newcomer in newcomers])
        assert company.members("g3") == newcomers
        assert company.found(GROUP, "g3").version == FIRST_VERSION + WRITERS

    def test_of_many_who_create_one_name_one_succeeds(self, acme: Sessions) -> None:
        assert sum(acme.run_together([_creates(f"u{number}") for number in range(WRITERS)])) == 1
        assert acme.search(query('userName eq "alice"')).total == 1

    def test_of_many_who_update_one_version_one_succeeds(self, company: Sessions) -> None:
        assert sum(company.run_together([_retitles(f"Title {number}") for number in range(WRITERS)])) == 1
        assert company.found(USER, "u1").version == FIRST_VERSION + 1


def _joins(member: str) -> Flow[None]:
    async def flow(session: Session) -> None:
        await session.update(joining(EMPTY, member))

    return flow


def _creates(id: str) -> Flow[bool]:
    async def flow(session: Session) -> bool:
        try:
            await session.insert(user(id, "alice"))
        except UniquenessError:
            return False
        return True

    return flow


def _retitles(title: str) -> Flow[bool]:
    async def flow(session: Session) -> bool:
        try:
            await session.update(changed(ALICE, {**ALICE.document, "title": title}))
        except VersionClash:
            return False
        return True

    return flow
