"""Writing: a record with its unique keys, the values it is found by, and its members, each as rows of their own."""

from collections.abc import Collection, Mapping, Sequence

import attrs

from scimcore.errors import UniquenessError
from scimcore.rules.compare import normalized
from scimcore.rules.delta import elements_of
from scimcore.schema.document import Json
from scimcore.storage.changes import (
    by_key,
    differ,
    document_after,
    keys_touched,
    member_changes,
    shown_as_in,
    without,
)
from scimcore.storage.keyed import KEYED
from scimcore.storage.protocol import Change, Record, UniqueKey, Version, VersionClash
from scimcore.storage.sql import statements
from scimcore.storage.sql.elements import element_of, member_rows, stored
from scimcore.storage.sql.rows import (
    Places,
    bounded,
    content,
    index_changes,
    index_entries,
    portions,
    record_of,
    resource_row,
    unique_row,
)
from scimcore.storage.sql.tables import RESOURCE, UNIQUE_KEY
from scimcore.storage.sql.transaction import Transaction


@attrs.frozen
class Writing:
    """What is written of one tenant, in one transaction."""

    tenant: str
    places: Places
    transaction: Transaction

    async def insert(self, record: Record) -> None:
        await self.transaction.begin()
        await self._take(record, record.unique)
        keyed = KEYED.get(record.resource_type.name, {})
        members = by_key(elements_of(record.document.get("members"))) if "members" in keyed else {}
        document = without(keyed, record.document)
        row = resource_row(self.tenant, record, document)
        if not await self.transaction.alter(self.transaction.dialect.insert_if_free(RESOURCE), row):
            await self._release(record, record.unique)
            raise UniquenessError("id")
        await self._index(record, index_entries(self.places(record.resource_type), document))
        await self._add_members(record, members)

    async def update(self, change: Change) -> Record:
        after = change.after
        await self.transaction.begin()
        keyed = KEYED.get(after.resource_type.name, {})
        names = change.delta.attributes.difference(keyed)
        current = await self._current(change, names)
        document = without(keyed, document_after(current, change)) if names else current.document
        before, members = await self._member_changes(current, change)
        unique = current.unique if after.unique == change.before.unique else after.unique
        differs = unique != current.unique or differ(document, current.document, names)
        if members or differs:
            updated = current.changed(
                document,
                unique=unique,
                last_modified=after.last_modified,
                version=Version(current.version + 1),
            )
            await (self._replace(current, updated, names) if differs else self._touch(current, updated))
            await self._change_members(updated, before, members)
            current = updated
        return shown_as_in(after, current, keyed)

    async def _current(self, change: Change, names: Collection[str]) -> Record:
        """The record that *change* finds, without keyed attributes; *names* are the others that it changes.

        It is read again and locked, unless writing it tells whether it still is as it was read: then, there is
        something to write, and nothing is written but the record and what it is found by.

        Raises:
            VersionClash: It is gone, or `change.expected` is not its version.
        """
        before, after = change.before, change.after
        if (
            change.expected == before.version
            and after.unique == before.unique
            and len(names) == len(change.delta.attributes)
            and differ(after.document, before.document, names)
        ):
            bare = without(KEYED.get(before.resource_type.name, {}), before.document)
            return before if bare is before.document else before.changed(bare)
        rows = await self.transaction.ask(statements.ONE_LOCKED, self._this(after))
        current = record_of(rows[0], after.resource_type) if rows else None
        if current is None or change.expected not in (None, current.version):
            raise VersionClash(after.id)
        return current

    async def _replace(self, current: Record, updated: Record, names: Collection[str]) -> None:
        """Write *updated* over *current*, from which it differs in *names* and perhaps in its unique keys.

        Raises:
            VersionClash: The record is gone, or in another version.
            UniquenessError: Another record has one of the new unique keys.
        """
        await self._take(updated, [key for key in updated.unique if key not in current.unique])
        columns = content(updated.resource_type, updated.document, updated.unique)
        parameters = {**self._written(current, updated), **{f"b_{name}": value for name, value in columns.items()}}
        if not await self.transaction.alter(statements.UPDATED, parameters):
            raise VersionClash(current.id)
        await self._release(current, [key for key in current.unique if key not in updated.unique])
        places = self.places(current.resource_type)
        gone, new = index_changes(places, current.document, updated.document, names)
        await self._unindex(current, gone)
        await self._index(updated, new)

    async def _touch(self, current: Record, updated: Record) -> None:
        """Give *current* the version of *updated*, which differs from it in its members only."""
        await self.transaction.alter(statements.TOUCHED, self._written(current, updated))

    async def delete(self, record: Record) -> None:
        await self.transaction.begin()
        rows = await self.transaction.ask(statements.DELETED, {**self._this(record), "b_expected": record.version})
        if not rows:
            raise VersionClash(record.id)
        deleted = record_of(rows[0], record.resource_type)
        await self._release(deleted, deleted.unique)
        await self._unindex(deleted, index_entries(self.places(record.resource_type), deleted.document))
        if "members" in KEYED.get(record.resource_type.name, {}):
            await self.transaction.alter(statements.MEMBERS_GONE, {"b_tenant": self.tenant, "b_id": record.id})
        await self.transaction.alter(statements.LEFT_BY, self._member(record.id))
        await self.transaction.alter(statements.LEFT, self._member(record.id))

    # Names

    async def _take(self, record: Record, keys: Sequence[UniqueKey]) -> None:
        """Give *record* the *keys*, all or none of them.

        The insert waits for whoever holds or frees a key and has not yet committed. It does not fail where the key is
        taken, because on PostgreSQL a statement that failed ends the transaction.
        """
        for number, key in enumerate(keys):
            row = unique_row(self.tenant, record, key)
            if not await self.transaction.alter(self.transaction.dialect.insert_if_free(UNIQUE_KEY), row):
                await self._release(record, keys[:number])
                raise UniquenessError(key.attribute)

    async def _release(self, record: Record, keys: Sequence[UniqueKey]) -> None:
        rows = [{**self._this(record), "b_attribute": key.attribute, "b_value": bounded(key.value)} for key in keys]
        if rows:
            await self.transaction.alter(statements.RELEASED, rows)

    async def _index(self, record: Record, entries: Collection[tuple[str, str]]) -> None:
        rows = [
            {
                "tenant": self.tenant,
                "type": record.resource_type.name,
                "place": place,
                "value": value,
                "id": record.id,
            }
            for place, value in sorted(entries)
        ]
        if rows:
            await self.transaction.alter(statements.INDEXED, rows)

    async def _unindex(self, record: Record, entries: Collection[tuple[str, str]]) -> None:
        rows = [{**self._this(record), "b_place": place, "b_value": value} for place, value in sorted(entries)]
        if rows:
            await self.transaction.alter(statements.UNINDEXED, rows)

    # Members

    async def _member_changes(self, current: Record, change: Change) -> tuple[dict[str, Json], dict[str, Json]]:
        """The members that *change* may concern, as they are, and what it really does to them."""
        if "members" not in KEYED.get(current.resource_type.name, {}) or "members" not in change.delta.attributes:
            return {}, {}
        group = {"b_tenant": self.tenant, "b_id": current.id}
        keys = keys_touched(change.delta)
        if keys is None:
            rows = list(await self.transaction.ask(statements.MEMBERS, group))
        else:
            rows = []
            for some in portions(sorted(keys)):
                rows += (await self.transaction.run(statements.MEMBERS_NAMED, {**group, "b_keys": some})).all()
        before = {key: element_of(key, element) for key, element in rows}
        return before, member_changes(before, change.delta)

    async def _change_members(self, group: Record, before: Mapping[str, Json], members: Mapping[str, Json]) -> None:
        gone = [key for key, element in members.items() if element is None]
        for some in portions(gone):
            parameters = {"b_tenant": self.tenant, "b_id": group.id, "b_keys": some}
            await self.transaction.run(statements.MEMBERS_GONE_NAMED, parameters)
        altered = [
            {
                "b_tenant": self.tenant,
                "b_id": group.id,
                "b_key": key,
                **{f"b_{name}": kept for name, kept in stored(group.resource_type, key, element).items()},
            }
            for key, element in members.items()
            if element is not None and key in before
        ]
        if altered:
            await self.transaction.alter(statements.MEMBER_CHANGED, altered)
        new = {key: element for key, element in members.items() if element is not None and key not in before}
        await self._add_members(group, new)

    async def _add_members(self, group: Record, members: Mapping[str, Json]) -> None:
        if members:
            await self.transaction.alter(
                statements.JOINED, member_rows(self.tenant, group.resource_type, group.id, group.version, members)
            )

    # Parameters

    def _this(self, record: Record) -> dict[str, object]:
        return {"b_tenant": self.tenant, "b_type": record.resource_type.name, "b_id": record.id}

    def _written(self, current: Record, updated: Record) -> dict[str, object]:
        return {
            **self._this(current),
            "b_expected": current.version,
            "b_last_modified": updated.last_modified,
        }

    def _member(self, id: str) -> dict[str, object]:
        return {"b_tenant": self.tenant, "b_normal": normalized(id), "b_key": id}
