"""One coroutine for each operation: read, apply one rule, write, say what happened.

A flow awaits nothing but its session and the application's callbacks, so that over a synchronous storage it never
suspends.
"""

from scimcore.access import Caller
from scimcore.engine.answer import Answering
from scimcore.engine.environment import Environment
from scimcore.engine.http import Response
from scimcore.engine.keyed import KeyedAttributes
from scimcore.engine.operation import Create, Delete, Patch, Read, Replace, Search
from scimcore.engine.references import settled
from scimcore.engine.representation import location, represented
from scimcore.engine.visibility import check_visible, seen_by
from scimcore.engine.within import within
from scimcore.engine.writing import Draft, Outcome, Writing
from scimcore.errors import InvalidPathError, NotFoundError, PreconditionFailedError
from scimcore.rules.delta import delta_between, unordered
from scimcore.rules.etag import names_version
from scimcore.rules.order import sort_place
from scimcore.rules.patch import applied
from scimcore.rules.project import projection, requested_only
from scimcore.rules.receive import received
from scimcore.rules.replace import replaced
from scimcore.schema.catalogue import ResourceType
from scimcore.schema.document import Document
from scimcore.storage.protocol import EVERYTHING, Elements, Page, Query, Record, Session, Sort


class Flows:
    """The operations of one caller on one environment."""

    def __init__(self, environment: Environment, caller: Caller, answering: Answering) -> None:
        self.environment = environment
        self.caller = caller
        self.answering = answering

    # Reading

    async def read(self, operation: Read) -> Response:
        """GET of one resource; 304 if the client has it already (RFC 7644 §3.14)."""
        elements = self._keyed(operation.resource_type).shown(operation.shown)
        record = await within(
            self.environment.storage,
            self.caller.tenant,
            self._existing,
            operation.resource_type,
            operation.id,
            elements,
        )
        if operation.if_none_match is not None and names_version(operation.if_none_match, record.version):
            return self.answering.no_content(record, 304)
        return self.answering.resource(200, record, operation.shown)

    async def search(self, operation: Search) -> Response:
        """A page of resources (RFC 7644 §3.4.2)."""
        tolerance = self.environment.dialect.tolerance
        shown = {
            one.name: projection(one, operation.attributes, operation.excluded) for one in operation.resource_types
        }
        query = Query(
            resource_types=operation.resource_types,
            filter=operation.filter,
            seen=seen_by(self.environment.connection, operation.resource_types),
            sorts=self._sorts(operation),
            offset=operation.start_index - 1,
            count=operation.count,
            elements={
                name: keys
                for one in operation.resource_types
                for name, keys in self._keyed(one).shown(shown[one.name]).items()
            },
            tolerance=tolerance,
        )
        if operation.filter is not None:
            alone = len(operation.resource_types) == 1
            if not alone:
                operation.filter.check_names(self.environment.catalogue.resource_types)
            for one in operation.resource_types:  # refuse before the storage is opened
                operation.filter.bound(one, not alone, tolerance)
        page = await within(self.environment.storage, self.caller.tenant, _page, query)
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
        resource_type = operation.resource_type
        sent = received(operation.payload, resource_type, self.environment.dialect.tolerance)
        id = self.environment.issued_id()

        async def attempt(session: Session) -> Draft:
            document, skipped = await settled(session, resource_type, {}, {"id": id, **sent.document})
            return Draft(
                asked="create",
                resource_type=resource_type,
                id=id,
                before=None,
                after=document,
                wanted=document,
                ignored=sent.ignored,
                skipped=skipped,
            )

        outcome = await self._writing.attempted(attempt)
        record = outcome.record
        return self.answering.resource(201, record, operation.shown, _sent_on_request(resource_type, sent.document))

    async def replace(self, operation: Replace) -> Response:
        """PUT (RFC 7644 §3.5.1)."""
        resource_type, tolerance = operation.resource_type, self.environment.dialect.tolerance
        sent = received(operation.payload, resource_type, tolerance)

        async def attempt(session: Session) -> Draft:
            before = await self._existing(session, resource_type, operation.id)
            _check_precondition(operation.if_match, before)
            wanted = replaced(before.document, sent, resource_type, tolerance)
            document, skipped = await settled(session, resource_type, before.document, wanted)
            return Draft(
                asked="replace",
                resource_type=resource_type,
                id=before.id,
                before=before,
                after=document,
                wanted=document,
                ignored=sent.ignored,
                skipped=skipped,
            )

        outcome = await self._writing.attempted(attempt)
        also = _sent_on_request(resource_type, sent.document)
        return self.answering.resource(200, outcome.record, operation.shown, also)

    async def patch(self, operation: Patch) -> Response:
        """PATCH (RFC 7644 §3.5.2)."""
        environment, resource_type = self.environment, operation.resource_type
        operations = operation.message.operations
        tolerance = environment.dialect.tolerance
        keyed = self._keyed(resource_type)
        named = keyed.named(operations, tolerance, environment.limits)
        elements = keyed.patched(operation.shown, named)

        async def attempt(session: Session) -> Draft:
            before = await self._existing(session, resource_type, operation.id, elements)
            _check_precondition(operation.if_match, before)
            result = applied(before.document, operations, resource_type, tolerance, environment.limits)
            document, skipped = await settled(session, resource_type, before.document, result.document)
            delta = result.delta
            if document is not result.document:
                delta = delta_between(before.document, document, unordered(resource_type))
            return Draft(
                asked="patch",
                resource_type=resource_type,
                id=before.id,
                before=before,
                after=document,
                wanted=document,
                delta=delta,
                named=result.named,
                leans=operation.if_match is not None or not delta.attributes <= named.keys(),
                ignored=result.ignored,
                skipped=skipped,
            )

        outcome = await self._writing.attempted(attempt)
        return await self._patch_answer(operation, outcome, named)

    async def delete(self, operation: Delete) -> Response:
        """DELETE (RFC 7644 §3.6)."""
        resource_type = operation.resource_type
        nothing = self._keyed(resource_type).nothing()

        async def attempt(session: Session) -> Draft:
            before = await self._existing(session, resource_type, operation.id, nothing)
            _check_precondition(operation.if_match, before)
            return Draft(
                asked="delete",
                resource_type=resource_type,
                id=before.id,
                before=before,
                after=None,
                wanted=before.document,
            )

        await self._writing.attempted(attempt)
        return self.answering.nothing({})

    async def _patch_answer(self, operation: Patch, outcome: Outcome, named: Elements) -> Response:
        """200 with the resource, or 204 where elements would have to be loaded for the answer alone."""
        record = outcome.record
        if record.resource_type.name in self.environment.dialect.bodiless_patches and not operation.answer_wanted:
            return self.answering.no_content(record)
        missing = [name for name in named if operation.shown.shows(name)]
        also = requested_only(operation.resource_type)
        if outcome.is_gone or not missing:
            return self.answering.resource(200, record, operation.shown, also)
        most = self.environment.limits.inline_members
        names_elements = any(named[name] for name in missing)
        if not operation.answer_wanted and names_elements and not outcome.delta:
            return self.answering.no_content(record)

        async def loaded(session: Session) -> Record | None:
            if not operation.answer_wanted:
                for name in missing:
                    if await session.count(record.resource_type, record.id, name, most + 1) > most:
                        return None
            elements = self._keyed(operation.resource_type).shown(operation.shown)
            return await session.get(operation.resource_type, operation.id, elements)

        whole = await within(self.environment.storage, self.caller.tenant, loaded)
        if whole is None:  # too large, or deleted since; the change was committed all the same
            return self.answering.no_content(record)
        return self.answering.resource(200, whole, operation.shown, also)

    @property
    def _writing(self) -> Writing:
        return Writing(self.environment, self.caller, self.answering.request_id)

    async def _existing(
        self, session: Session, resource_type: ResourceType, id: str, elements: Elements = EVERYTHING
    ) -> Record:
        record = await session.get(resource_type, id, elements)
        if record is None:
            raise NotFoundError(resource_type.name)
        await check_visible(record, elements, self.environment.connection, session)
        return record

    def _keyed(self, resource_type: ResourceType) -> KeyedAttributes:
        return self.environment.keyed[resource_type.name]


async def _page(session: Session, query: Query) -> Page:
    return await session.search(query)


def _check_precondition(if_match: str | None, record: Record) -> None:
    if if_match is not None and not names_version(if_match, record.version):
        raise PreconditionFailedError("the resource has another version than If-Match names")


def _sent_on_request(resource_type: ResourceType, document: Document) -> frozenset[str]:
    """The `returned: request` attributes that the client itself sent (RFC 7643 §7)."""
    requested = requested_only(resource_type)
    return requested.intersection(document) if requested else requested
