"""What every writing flow shares: policies decide, the storage writes, and a lost race is run again."""

from collections.abc import Awaitable, Callable
from typing import NamedTuple

from scimcore.access import Caller
from scimcore.engine.environment import Environment
from scimcore.engine.events import Event, Happening, withheld
from scimcore.engine.references import Skipped
from scimcore.engine.within import within
from scimcore.errors import UnavailableError, UniquenessError
from scimcore.provisioning import Intent, Note
from scimcore.provisioning.intent import Asked
from scimcore.rules.delta import Delta, delta_between, delta_of_new, unordered
from scimcore.rules.identifier import unique_values
from scimcore.schema.catalogue import ResourceType
from scimcore.schema.document import Document
from scimcore.schema.made import made
from scimcore.storage.protocol import Change, Instant, Record, Session, UniqueKey, VersionClash


class Draft(NamedTuple):
    """What a flow is about to write, as the rules see it."""

    asked: Asked
    resource_type: ResourceType
    id: str
    before: Record | None
    after: Document | None
    wanted: Document
    """What the client would have made of the resource."""
    delta: Delta | None = None
    """The difference, if it is known already."""
    named: frozenset[str] = frozenset()
    """The attributes that a PATCH is about, whether or not it changes them."""
    leans: bool = True
    """Whether the write would be another if what was read had another version."""
    ignored: tuple[str, ...] = ()
    skipped: tuple[Skipped, ...] = ()


class Outcome(NamedTuple):
    """What was written. *record* is what the answer shows: the resource as it now is, or as it would be if it were
    still there."""

    happening: Happening
    record: Record
    delta: Delta
    is_gone: bool = False
    ignored: tuple[str, ...] = ()
    notes: tuple[Note, ...] = ()


class _Taken(Exception):  # noqa: N818 - no client sees it
    """A storage found that one of the unique *keys* belongs to another resource; *refusal* says which."""

    def __init__(self, keys: tuple[UniqueKey, ...], refusal: UniquenessError) -> None:
        super().__init__(keys)
        self.keys = keys
        self.refusal = refusal


class Writing:
    """The writes of one request on one environment."""

    def __init__(self, environment: Environment, caller: Caller, request_id: str) -> None:
        self.environment = environment
        self.caller = caller
        self.request_id = request_id

    async def attempted(self, attempt: Callable[[Session], Awaitable[Draft]]) -> Outcome:
        """What became of the draft of *attempt*, when it is committed and all were told who want to know.

        Whatever goes wrong after the commit, the client must not be told otherwise.
        """
        outcome, event = await self._committed(attempt)
        if event is not None:
            await self.environment.tell(event, is_recorded=True)
        return outcome

    async def _committed(self, attempt: Callable[[Session], Awaitable[Draft]]) -> tuple[Outcome, Event | None]:
        """What became of the draft of *attempt*, and what to tell of it; tried anew after a version clash: without
        If-Match no client sees one.

        Where policies decide, a unique value that somebody else has just taken gets another look: there may be
        something to adopt now, or another value to choose. It is refused when the same would be written as before.
        """
        taken: tuple[UniqueKey, ...] | None = None
        for _ in range(self.environment.limits.max_attempts):
            try:
                return await within(self.environment.storage, self.caller.tenant, self._attempted_once, attempt)
            except VersionClash:
                continue
            except _Taken as found:
                if not self.environment.connection.policies or found.keys == taken:
                    raise found.refusal from None
                taken = found.keys
        raise UnavailableError("the resource is being changed by many clients at once; try again")

    async def _attempted_once(
        self, session: Session, attempt: Callable[[Session], Awaitable[Draft]]
    ) -> tuple[Outcome, Event | None]:
        outcome = await self.written(await attempt(session), session)
        environment = self.environment
        if not environment.is_watched:
            return outcome, None
        at = outcome.record.last_modified if outcome.delta else environment.now()
        event = event_of(outcome, self.caller, at, self.request_id)
        if environment.record is not None:
            await environment.record.within(event, session)
        return outcome, None if environment.on_event is None else event

    async def written(self, draft: Draft, session: Session) -> Outcome:
        """Write *draft*, or what the policies of the connection make of it.

        Raises:
            ScimError: A policy refuses.
            VersionClash: Somebody else was faster.
            UniquenessError: Another resource has one of the unique values.
        """
        now = self.environment.now()
        meant: Draft | Intent = draft
        notes: tuple[Note, ...] = ()
        if self.environment.connection.policies:
            intent = await self._decided(draft, now, session)
            notes = intent.notes
            if intent.before is not draft.before or intent.after is not draft.after:
                meant = intent
        record, delta = await self._applied(meant, now, session)
        return Outcome(
            happening=_happening(meant, delta),
            record=record,
            delta=delta,
            is_gone=meant.after is None,
            ignored=(*draft.ignored, *map(str, draft.skipped)) if draft.skipped else draft.ignored,
            notes=notes,
        )

    async def _decided(self, draft: Draft, now: Instant, session: Session) -> Intent:
        facts: dict[str, object] = {
            "asked": draft.asked,
            "caller": self.caller,
            "resource_type": draft.resource_type,
            "at": now,
            "id": draft.id,
            "before": draft.before,
            "after": draft.after,
            "wanted": draft.wanted,
            "named": draft.named,
            "unknown_members": tuple([one.value for one in draft.skipped]),
            "notes": (),
        }
        intent = made(Intent, facts)
        for policy in self.environment.connection.policies:
            intent = await policy.decided(intent, session)
        return intent

    async def _applied(self, meant: Draft | Intent, now: Instant, session: Session) -> tuple[Record, Delta]:
        """The record after the write, or what it would have been, and what the write changed."""
        before, after = meant.before, meant.after
        if before is None:
            document = meant.wanted if after is None else after
            record = Record(
                resource_type=meant.resource_type,
                id=meant.id,
                document=document,
                created=now,
                last_modified=now,
                unique=self._unique(document, meant.resource_type),
            )
            if after is None:
                return record, Delta()
            try:
                await session.insert(record)
            except UniquenessError as refusal:
                raise _Taken(record.unique, refusal) from None
            return record, delta_of_new(document)
        if after is None:
            await session.delete(before)
            return (before if meant.asked == "delete" else before.changed(meant.wanted)), Delta()
        # What a policy decided is another change than the rules drafted, and leans on what the policy read.
        delta, leans = (meant.delta, meant.leans) if isinstance(meant, Draft) else (None, True)
        if delta is None:
            delta = delta_between(before.document, after, unordered(before.resource_type))
        if not delta:
            return before, delta
        changed = before.changed(
            after,
            last_modified=max(now, before.last_modified),
            unique=self._unique(after, before.resource_type),
        )
        expected = before.version if leans else None
        try:
            return await session.update(Change(before=before, after=changed, delta=delta, expected=expected)), delta
        except UniquenessError as refusal:
            raise _Taken(changed.unique, refusal) from None

    def _unique(self, document: Document, resource_type: ResourceType) -> tuple[UniqueKey, ...]:
        found = unique_values(document, resource_type, self.environment.dialect.tolerance)
        return tuple([UniqueKey(attribute, value) for attribute, value in found])


def event_of(outcome: Outcome, caller: Caller, at: Instant, request_id: str) -> Event:
    """What the event stream is told of *outcome*."""
    facts: dict[str, object] = {
        "happening": outcome.happening,
        "caller": caller,
        "resource_type": outcome.record.resource_type.name,
        "resource_id": outcome.record.id,
        "at": at,
        "request_id": request_id,
        "delta": withheld(outcome.delta, outcome.record.resource_type),
        "ignored": outcome.ignored,
        "notes": outcome.notes,
        "reason": "",
    }
    return made(Event, facts)


def _happening(meant: Draft | Intent, delta: Delta) -> Happening:
    if meant.asked == "create":
        return "created" if meant.before is None else "adopted"
    if meant.after is None:
        return "deleted"
    if meant.asked == "delete":
        return "retained"
    if not delta:
        return "unchanged"
    return "replaced" if meant.asked == "replace" else "patched"
