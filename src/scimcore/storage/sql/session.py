"""A transaction of one tenant, written once for every driver.

Nothing is begun for reading: each statement sees what is committed. The first write begins the transaction, locks the
record it changes, and decides by what it then finds; so members that are added at once all land, and of two writes that
lean on one version the second clashes.
"""

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Any

import attrs
from sqlalchemy import CursorResult, Engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.sql import Executable

from scimcore.errors import UnavailableError, UniquenessError
from scimcore.rules.compare import normalized
from scimcore.rules.delta import elements_of, same
from scimcore.schema.catalogue import Place, ResourceType
from scimcore.schema.document import Document, Json
from scimcore.storage.keyed import KEYED
from scimcore.storage.protocol import (
    EVERYTHING,
    Change,
    Elements,
    Page,
    Query,
    Record,
    Session,
    Tenant,
    UniqueKey,
    Version,
    VersionClash,
)
from scimcore.storage.sql import statements
from scimcore.storage.sql.connection import Connection, Parameters, connected
from scimcore.storage.sql.dialect import Dialect, lost_a_race, will_pass
from scimcore.storage.sql.elements import by_key, changes, element_of, keys_touched, member_rows, stored
from scimcore.storage.sql.reading import Reading
from scimcore.storage.sql.rows import (
    bounded,
    content,
    index_entries,
    indexed_places,
    record_of,
    resource_row,
    unique_keys,
    unique_row,
    without,
)
from scimcore.storage.sql.tables import MEMBER, RESOURCE, UNIQUE_KEY, VALUE_INDEX

_MOST_KEYS = 10_000
"""In one statement; PostgreSQL and SQLite take some 32,000 parameters."""


@attrs.frozen
class SqlTransaction:
    """The block of a session: it connects on entering, commits on leaving, and undoes if an exception leaves it."""

    engine: Engine | AsyncEngine
    dialect: Dialect
    tenant: Tenant
    indexed: tuple[str, ...]
    _open: "list[SqlSession]" = attrs.field(factory=list)

    async def __aenter__(self) -> Session:
        try:
            connection = await connected(self.engine)
        except (DBAPIError, OSError, PoolTimeoutError) as error:
            raise UnavailableError("the database cannot be reached") from error
        session = SqlSession(connection, self.dialect, self.tenant, self.indexed)
        self._open.append(session)
        return session

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._open.pop().end(kind)


class SqlSession:
    """A `Session` on one connection."""

    def __init__(self, connection: Connection, dialect: Dialect, tenant: Tenant, indexed: tuple[str, ...]) -> None:
        self._connection = connection
        self._dialect = dialect
        self._tenant = tenant
        self._indexed = indexed
        self._has_begun = False
        self._may_clash = False
        self._has_written = False
        self._is_lost = False
        self._savepoints = 0
        self._reading = Reading(tenant, self._places, self._run)

    # Reading

    async def get(self, resource_type: ResourceType, id: str, elements: Elements = EVERYTHING) -> Record | None:
        record = await self._one(statements.ONE, resource_type, id)
        return None if record is None else (await self._reading.shown([record], elements))[0]

    async def locate(self, ids: Collection[str]) -> Mapping[str, str]:
        found: dict[str, str] = {}
        for some in _portions(list(ids)):
            rows = (await self._run(statements.LOCATED, {"b_tenant": self._tenant, "b_ids": some})).all()
            found.update((row.id, row.type) for row in rows)
        return found

    async def count(self, resource_type: ResourceType, id: str, attribute: str, most: int) -> int:
        if attribute not in KEYED.get(resource_type.name, {}):
            return 0
        if attribute == "members":
            result = await self._run(statements.MEMBERS_COUNTED, {"b_tenant": self._tenant, "b_id": id, "b_most": most})
        else:
            result = await self._run(statements.HOLDERS_COUNTED, {**self._member(id), "b_most": most})
        return _number(result)

    async def search(self, query: Query) -> Page:
        return await self._reading.page(query)

    # Writing

    async def insert(self, record: Record) -> None:
        await self._insert(record)
        self._has_written = True

    async def update(self, change: Change) -> Record:
        self._may_clash = True
        try:
            updated = await self._update(change)
        finally:
            self._may_clash = False
        self._has_written = True
        return updated

    async def delete(self, record: Record) -> None:
        self._may_clash = True
        try:
            await self._delete(record)
        finally:
            self._may_clash = False
        self._has_written = True

    def savepoint(self) -> AbstractAsyncContextManager[None]:
        return _Savepoint(self)

    async def _insert(self, record: Record) -> None:
        await self._begin()
        await self._take(record, record.unique)
        members = _members_in(record)
        document = without(KEYED.get(record.resource_type.name, {}), record.document)
        row = resource_row(self._tenant, record, document)
        if (await self._run(self._dialect.insert_if_free(RESOURCE), row)).first() is None:
            await self._release(record, record.unique)
            raise UniquenessError("id")
        await self._index(record, index_entries(self._places(record.resource_type), document))
        await self._add_members(record, members)

    async def _update(self, change: Change) -> Record:
        after = change.after
        await self._begin()
        current = await self._one(statements.ONE_LOCKED, after.resource_type, after.id)
        if current is None or change.expected not in (None, current.version):
            raise VersionClash(after.id)
        names = change.delta.attributes - KEYED.get(after.resource_type.name, {}).keys()
        document = _document_after(current, change, names)
        before, members = await self._member_changes(current, change)
        unique = current.unique if after.unique == change.before.unique else after.unique
        differs = unique != current.unique or _differ(document, current.document, names)
        if members or differs:
            updated = current.changed(
                document,
                unique=unique,
                last_modified=after.last_modified,
                version=Version(current.version + 1),
            )
            await self._replace(current, updated, whole=differs)
            await self._change_members(updated, before, members)
            current = updated
        return _shown_as_in(after, current)

    async def _replace(self, current: Record, updated: Record, *, whole: bool) -> None:
        """Write *updated* over *current*; its document and names only if *whole*."""
        if whole:
            await self._take(updated, [key for key in updated.unique if key not in current.unique])
        parameters: dict[str, object] = {
            **self._this(current),
            "b_expected": current.version,
            "b_last_modified": updated.last_modified,
        }
        if not whole:
            await self._run(statements.TOUCHED, parameters)
            return
        columns = content(updated.document, updated.unique)
        parameters.update((f"b_{name}", value) for name, value in columns.items())
        await self._run(statements.UPDATED, parameters)
        await self._release(current, [key for key in current.unique if key not in updated.unique])
        places = self._places(current.resource_type)
        old, new = index_entries(places, current.document), index_entries(places, updated.document)
        gone = [{**self._this(current), "b_place": place, "b_value": value} for place, value in sorted(old - new)]
        if gone:
            await self._run(statements.UNINDEXED_ENTRY, gone)
        await self._index(updated, new - old)

    async def _delete(self, record: Record) -> None:
        await self._begin()
        this = self._this(record)
        row = (await self._run(statements.DELETED, {**this, "b_expected": record.version})).first()
        if row is None:
            raise VersionClash(record.id)
        await self._release(record, unique_keys(row.names))
        await self._run(statements.UNINDEXED, this)
        if "members" in KEYED.get(record.resource_type.name, {}):
            await self._run(statements.MEMBERS_GONE, {"b_tenant": self._tenant, "b_id": record.id})
        await self._run(statements.LEFT_BY, self._member(record.id))
        await self._run(statements.LEFT, self._member(record.id))

    # Names

    async def _take(self, record: Record, keys: Sequence[UniqueKey]) -> None:
        """Give *record* the *keys*, all or none of them.

        The insert waits for whoever holds or frees a key and has not yet committed. It does not fail where the key is
        taken, because on PostgreSQL a statement that failed ends the transaction.
        """
        for number, key in enumerate(keys):
            row = unique_row(self._tenant, record, key)
            if (await self._run(self._dialect.insert_if_free(UNIQUE_KEY), row)).first() is None:
                await self._release(record, keys[:number])
                raise UniquenessError(key.attribute)

    async def _release(self, record: Record, keys: Sequence[UniqueKey]) -> None:
        rows = [{**self._this(record), "b_attribute": key.attribute, "b_value": bounded(key.value)} for key in keys]
        if rows:
            await self._run(statements.RELEASED, rows)

    async def _index(self, record: Record, entries: Collection[tuple[str, str]]) -> None:
        rows = [
            {
                "tenant": self._tenant,
                "type": record.resource_type.name,
                "place": place,
                "value": value,
                "id": record.id,
            }
            for place, value in sorted(entries)
        ]
        if rows:
            await self._run(VALUE_INDEX.insert(), rows)

    # Members

    async def _member_changes(self, current: Record, change: Change) -> tuple[dict[str, Json], dict[str, Json]]:
        """The members that *change* may concern, as they are, and what it really does to them."""
        if "members" not in KEYED.get(current.resource_type.name, {}) or "members" not in change.delta.attributes:
            return {}, {}
        group = {"b_tenant": self._tenant, "b_id": current.id}
        keys = keys_touched(change.delta)
        if keys is None:
            rows = list((await self._run(statements.MEMBERS, group)).all())
        else:
            rows = []
            for some in _portions(sorted(keys)):
                rows += (await self._run(statements.MEMBERS_NAMED, {**group, "b_keys": some})).all()
        before = {row.key: element_of(row.key, row.element) for row in rows}
        return before, changes(before, change.delta)

    async def _change_members(self, group: Record, before: Mapping[str, Json], members: Mapping[str, Json]) -> None:
        gone = [key for key, element in members.items() if element is None]
        for some in _portions(gone):
            parameters = {"b_tenant": self._tenant, "b_id": group.id, "b_keys": some}
            await self._run(statements.MEMBERS_GONE_NAMED, parameters)
        altered = [
            {"b_tenant": self._tenant, "b_id": group.id, "b_key": key, "b_element": stored(key, element)}
            for key, element in members.items()
            if element is not None and key in before
        ]
        if altered:
            await self._run(statements.MEMBER_CHANGED, altered)
        new = {key: element for key, element in members.items() if element is not None and key not in before}
        await self._add_members(group, new)

    async def _add_members(self, group: Record, members: Mapping[str, Json]) -> None:
        if members:
            await self._run(MEMBER.insert(), member_rows(self._tenant, group.id, group.version, members))

    # The transaction

    async def end(self, kind: type[BaseException] | None) -> None:
        """Commit, or undo if the session ends with an exception of that *kind*; give the connection back."""
        try:
            if self._is_lost or (kind is not None and not issubclass(kind, Exception)):
                # Cancelled in the middle of a statement, or lost: whatever the connection is in, it is not reused.
                await self._connection.invalidate()
            elif kind is not None:
                await self._connection.rollback()
            else:
                await self._connection.commit()
        except DBAPIError as error:
            if kind is None:
                raise UnavailableError("the database did not confirm the change") from error
        finally:
            await self._connection.close()
        if self._is_lost and kind is None:
            raise UnavailableError("the connection to the database was lost")

    async def enter_savepoint(self) -> str:
        """The name of a new savepoint."""
        await self._begin()
        self._savepoints += 1
        name = f"scim_{self._savepoints}"
        await self._run(text(f"SAVEPOINT {name}"), {})
        return name

    async def leave_savepoint(self, name: str, *, undone: bool) -> None:
        """Release the savepoint *name*; with what was done since *undone* or kept."""
        self._savepoints -= 1
        if self._is_lost:
            return
        if undone:
            await self._run(text(f"ROLLBACK TO SAVEPOINT {name}"), {})
        await self._run(text(f"RELEASE SAVEPOINT {name}"), {})

    async def _begin(self) -> None:
        if not self._has_begun:
            if self._dialect.begin_write is not None:
                await self._run(self._dialect.begin_write, {})
            self._has_begun = True

    async def _run(self, statement: Executable, parameters: Parameters) -> CursorResult[Any]:
        if self._is_lost:
            raise UnavailableError("the connection to the database was lost")
        try:
            return await self._connection.execute(statement, parameters)
        except DBAPIError as error:
            if not will_pass(error):
                raise
            if not lost_a_race(error) or not self._may_clash or self._has_written or self._savepoints:
                self._is_lost = True
                raise UnavailableError("the database is busy or cannot be reached; try again") from error
            # Nothing is lost by another attempt: the engine makes one after a clash.
            await self._connection.rollback()
            self._has_begun = False
            raise VersionClash("the database gave the transaction up for another") from error

    async def _one(self, statement: Executable, resource_type: ResourceType, id: str) -> Record | None:
        parameters = {"b_tenant": self._tenant, "b_type": resource_type.name, "b_id": id}
        row = (await self._run(statement, parameters)).first()
        return None if row is None else record_of(row, resource_type)

    def _places(self, resource_type: ResourceType) -> Mapping[str, Place]:
        return indexed_places(self._indexed, resource_type)

    def _this(self, record: Record) -> dict[str, object]:
        return {"b_tenant": self._tenant, "b_type": record.resource_type.name, "b_id": record.id}

    def _member(self, id: str) -> dict[str, object]:
        return {"b_tenant": self._tenant, "b_normal": normalized(id), "b_key": id}


class _Savepoint:
    """The part of a session that is undone when its block ends with an exception."""

    __slots__ = ("_name", "_session")

    def __init__(self, session: SqlSession) -> None:
        self._session = session
        self._name = ""

    async def __aenter__(self) -> None:
        self._name = await self._session.enter_savepoint()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.leave_savepoint(self._name, undone=kind is not None)


def _number(result: CursorResult[Any]) -> int:
    number: int = result.scalar_one()
    return number


def _portions(keys: Sequence[str]) -> list[Sequence[str]]:
    return [keys[start : start + _MOST_KEYS] for start in range(0, len(keys), _MOST_KEYS)]


def _members_in(record: Record) -> dict[str, Json]:
    if "members" not in KEYED.get(record.resource_type.name, {}):
        return {}
    return by_key(elements_of(record.document.get("members")))


def _document_after(current: Record, change: Change, names: Collection[str]) -> Document:
    """The document after *change*, whose delta touches *names* besides keyed attributes."""
    if not names:
        return current.document
    keyed = KEYED.get(current.resource_type.name, {})
    if change.expected is None:
        return without(keyed, change.delta.applied_to(current.document))
    return without(keyed, change.after.document)


def _differ(one: Document, other: Document, names: Collection[str]) -> bool:
    return one is not other and not all(same(one.get(name), other.get(name)) for name in names)


def _shown_as_in(after: Record, current: Record) -> Record:
    """*current* with the keyed attributes as *after* has them."""
    shown = {name: after.document[name] for name in KEYED.get(after.resource_type.name, {}) if name in after.document}
    return current.changed({**current.document, **shown}) if shown else current
