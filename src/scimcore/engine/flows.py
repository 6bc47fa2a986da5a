"""One coroutine for each operation: read, apply one rule, write, say what happened.

A flow awaits nothing but its session and the application's callbacks, so that over a synchronous storage it never
suspends.
"""

from collections.abc import Awaitable, Callable
from inspect import isawaitable
from typing import TypeVar

import attrs

from scimcore.access import Caller
from scimcore.engine.answer import Answering
from scimcore.engine.environment import Environment
from scimcore.engine.events import Event, Happening, withheld
from scimcore.engine.http import Response
from scimcore.engine.immediate import opened
from scimcore.engine.keyed import KeyedAttributes
from scimcore.engine.operation import Create, Delete, Patch, Read, Replace, Search
from scimcore.engine.references import settled
from scimcore.engine.representation import location, represented
from scimcore.errors import (
    InvalidPathError,
    NotFoundError,
    PreconditionFailedError,
    UnavailableError,
)
from scimcore.rules.delta import Delta, delta_between, delta_of_new, unordered
from scimcore.rules.etag import names_version
from scimcore.rules.identifier import unique_values
from scimcore.rules.order import sort_place
from scimcore.rules.patch import applied
from scimcore.rules.project import projection, requested_only
from scimcore.rules.receive import received
from scimcore.rules.replace import replaced
from scimcore.schema.catalogue import ResourceType
from scimcore.schema.document import Document
from scimcore.storage.protocol import (
    Change,
    Elements,
    Query,
    Record,
    Session,
    Sort,
    UniqueKey,
    VersionClash,
)

T = TypeVar("T")


@attrs.frozen
class Flows:
    """The operations of one caller on one environment."""

    environment: Environment
    caller: Caller
    answering: Answering

    # Reading

    async def read(self, operation: Read) -> Response:
        """GET of one resource; 304 if the client has it already (RFC 7644 §3.14)."""
        elements = self._keyed(operation.resource_type).shown(operation.shown)
        async with opened(self.environment.storage, self.caller.tenant) as session:
            record = await _existing(session, operation.resource_type, operation.id, elements)
        if operation.if_none_match is not None and names_version(operation.if_none_match, record.version):
            return self.answering.no_content(record, 304)
        return self.answering.resource(200, record, operation.shown)

    async def search(self, operation: Search) -> Response:
        """A page of resources (RFC 7644 §3.4.2)."""
        shown = {
            one.name: projection(one, operation.attributes, operation.excluded) for one in operation.resource_types
        }
        query = Query(
            resource_types=operation.resource_types,
            filter=operation.filter,
            sorts=self._sorts(operation),
            offset=operation.start_index - 1,
            count=operation.count,
            elements={
                name: keys
                for one in operation.resource_types
                for name, keys in self._keyed(one).shown(shown[one.name]).items()
            },
        )
        if operation.filter is not None:
            alone = len(operation.resource_types) == 1
            if not alone:
                operation.filter.check_names(self.environment.catalogue.resource_types)
            for one in operation.resource_types:  # refuse before the storage is opened
                operation.filter.bound(one, foreign_is_absent=not alone, tolerance=self.environment.dialect.tolerance)
        async with opened(self.environment.storage, self.caller.tenant) as session:
            page = await session.search(query)
        base_url, catalogue = self.answering.base_url, self.answering.catalogue
        resources = [
            represented(record, shown[record.resource_type.name], location(record, base_url), base_url, catalogue)
            for record in page.records
        ]
        return self.answering.list(resources, page.total, operation.start_index)

    def _sorts(self, operation: Search) -> dict[str, Sort]:
        if operation.sort_by is None:
            return {}
        places = {one.name: sort_place(operation.sort_by, one) for one in operation.resource_types}
        sorts = {name: Sort(place, operation.descending) for name, place in places.items() if place is not None}
        if not sorts:
            raise InvalidPathError("no such attribute to sort by", operation.sort_by, 0)
        return sorts

    # Writing

    async def create(self, operation: Create) -> Response:
        """POST (RFC 7644 §3.3)."""
        environment, resource_type = self.environment, operation.resource_type
        sent = received(operation.payload, resource_type, environment.dialect.tolerance)
        now, id = environment.now(), environment.issued_id()
        async with opened(environment.storage, self.caller.tenant) as session:
            document, skipped = await settled(session, resource_type, {}, {"id": id, **sent.document})
            record = Record(
                resource_type=resource_type,
                id=id,
                document=document,
                created=now,
                last_modified=now,
                unique=self._unique(document, resource_type),
            )
            await session.insert(record)
        if self.environment.on_event is not None:
            await self._tell("created", record, delta_of_new(document), (*sent.ignored, *skipped))
        return self.answering.resource(201, record, operation.shown, _sent_on_request(resource_type, document))

    async def replace(self, operation: Replace) -> Response:
        """PUT (RFC 7644 §3.5.1)."""
        resource_type, tolerance = operation.resource_type, self.environment.dialect.tolerance
        sent = received(operation.payload, resource_type, tolerance)

        async def attempt(session: Session) -> tuple[Record, Delta, tuple[str, ...]]:
            before = await _existing(session, resource_type, operation.id)
            _check_precondition(operation.if_match, before)
            wanted = replaced(before.document, sent, resource_type, tolerance)
            document, skipped = await settled(session, resource_type, before.document, wanted)
            delta = delta_between(before.document, document, unordered(resource_type))
            record = await self._updated(session, before, document, delta, leans=True)
            return record, delta, skipped

        record, delta, skipped = await self._attempted(attempt)
        await self._tell("replaced" if delta else "unchanged", record, delta, (*sent.ignored, *skipped))
        return self.answering.resource(200, record, operation.shown, _sent_on_request(resource_type, sent.document))

    async def patch(self, operation: Patch) -> Response:
        """PATCH (RFC 7644 §3.5.2)."""
        environment, resource_type = self.environment, operation.resource_type
        operations = operation.message.operations
        tolerance = environment.dialect.tolerance
        keyed = self._keyed(resource_type)
        named = keyed.named(operations, tolerance, environment.limits)
        elements = keyed.patched(operation.shown, named)

        async def attempt(session: Session) -> tuple[Record, Delta, tuple[str, ...]]:
            before = await _existing(session, resource_type, operation.id, elements)
            _check_precondition(operation.if_match, before)
            result = applied(before.document, operations, resource_type, tolerance, environment.limits)
            document, skipped = await settled(session, resource_type, before.document, result.document)
            delta = result.delta
            if document is not result.document:
                delta = delta_between(before.document, document, unordered(resource_type))
            leans = operation.if_match is not None or not delta.attributes <= named.keys()
            record = await self._updated(session, before, document, delta, leans=leans)
            return record, delta, (*result.ignored, *skipped)

        record, delta, ignored = await self._attempted(attempt)
        await self._tell("patched" if delta else "unchanged", record, delta, ignored)
        return await self._patch_answer(operation, record, named, changed=bool(delta))

    async def delete(self, operation: Delete) -> Response:
        """DELETE (RFC 7644 §3.6)."""
        nothing = self._keyed(operation.resource_type).nothing()

        async def attempt(session: Session) -> Record:
            record = await _existing(session, operation.resource_type, operation.id, nothing)
            _check_precondition(operation.if_match, record)
            await session.delete(record)
            return record

        record = await self._attempted(attempt)
        await self._tell("deleted", record, Delta(), ())
        return self.answering.nothing({})

    async def _patch_answer(self, operation: Patch, record: Record, named: Elements, *, changed: bool) -> Response:
        """200 with the resource, or 204 where elements would have to be loaded for the answer alone."""
        missing = [name for name in named if operation.shown.shows(name)]
        also = requested_only(operation.resource_type)
        if not missing:
            return self.answering.resource(200, record, operation.shown, also)
        most = self.environment.limits.inline_members
        names_elements = any(named[name] for name in missing)
        if not operation.answer_wanted and names_elements and not changed:
            return self.answering.no_content(record)
        async with opened(self.environment.storage, self.caller.tenant) as session:
            if not operation.answer_wanted:
                for name in missing:
                    if await session.count(record.resource_type, record.id, name, most + 1) > most:
                        return self.answering.no_content(record)
            elements = self._keyed(operation.resource_type).shown(operation.shown)
            whole = await session.get(operation.resource_type, operation.id, elements)
        if whole is None:  # deleted since; the change was committed all the same
            return self.answering.no_content(record)
        return self.answering.resource(200, whole, operation.shown, also)

    async def _updated(
        self, session: Session, before: Record, document: Document, delta: Delta, *, leans: bool
    ) -> Record:
        """Write *document* in the place of *before*, unless *delta* is empty.

        The write *leans* on what was read when another version of it would have led elsewhere.
        """
        if not delta:
            return before
        after = before.changed(
            document,
            last_modified=max(self.environment.now(), before.last_modified),
            unique=self._unique(document, before.resource_type),
        )
        expected = before.version if leans else None
        return await session.update(Change(before=before, after=after, delta=delta, expected=expected))

    async def _attempted(self, attempt: Callable[[Session], Awaitable[T]]) -> T:
        """What *attempt* gives, tried anew after a version clash: a client without If-Match never sees one."""
        for _ in range(self.environment.limits.max_attempts):
            try:
                async with opened(self.environment.storage, self.caller.tenant) as session:
                    return await attempt(session)
            except VersionClash:
                continue
        raise UnavailableError("the resource is being changed by many clients at once; try again")

    def _unique(self, document: Document, resource_type: ResourceType) -> tuple[UniqueKey, ...]:
        found = unique_values(document, resource_type, self.environment.dialect.tolerance)
        return tuple([UniqueKey(attribute, value) for attribute, value in found])

    def _keyed(self, resource_type: ResourceType) -> KeyedAttributes:
        return self.environment.keyed[resource_type.name]

    async def _tell(self, happening: Happening, record: Record, delta: Delta, ignored: tuple[str, ...]) -> None:
        if self.environment.on_event is None:
            return
        event = Event(
            happening=happening,
            caller=self.caller,
            resource_type=record.resource_type.name,
            resource_id=record.id,
            delta=withheld(delta, record.resource_type),
            ignored=ignored,
            at=record.last_modified if delta else self.environment.now(),
            request_id=self.answering.request_id,
        )
        try:
            told = self.environment.on_event(event)
            if isawaitable(told):
                await told
        except Exception as bug:  # noqa: BLE001 - the change is committed: the client must not be told otherwise
            self.environment.report(bug, self.answering.request_id)


async def _existing(session: Session, resource_type: ResourceType, id: str, elements: Elements | None = None) -> Record:
    record = await session.get(resource_type, id, elements or {})
    if record is None:
        raise NotFoundError(resource_type.name)
    return record


def _check_precondition(if_match: str | None, record: Record) -> None:
    if if_match is not None and not names_version(if_match, record.version):
        raise PreconditionFailedError("the resource has another version than If-Match names")


def _sent_on_request(resource_type: ResourceType, document: Document) -> frozenset[str]:
    """The `returned: request` attributes that the client itself sent (RFC 7643 §7)."""
    requested = requested_only(resource_type)
    return requested.intersection(document) if requested else requested
