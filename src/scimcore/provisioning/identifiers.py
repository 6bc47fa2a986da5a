"""Question: under which identifier does an application know a group, and what if two groups would share one?

The identifier is made of the name when the group comes into being and stays when the group is renamed, so that what
refers to it (role bindings, say) goes on doing so. Harness makes it the id of the group as well.
"""

from collections.abc import Sequence
from typing import Final, Literal

import attrs

from scimcore.errors import InvalidValueError, MutabilityError, Problem, UniquenessError
from scimcore.provisioning.finding import equal_to, found
from scimcore.provisioning.intent import Intent, Note
from scimcore.provisioning.matching import IsPrivileged, answered
from scimcore.provisioning.provenance import (
    PROVISIONING_URN,
    Link,
    Provenance,
    provenance_of,
    with_provenance,
)
from scimcore.provisioning.refusals import NotAdoptedError
from scimcore.provisioning.scopes import HARNESS_SCOPES, Scope, account_scope, parse_scopes, printed_scopes
from scimcore.rules.identifier import (
    LONGEST_IDENTIFIER,
    LONGEST_LEGACY_IDENTIFIER,
    RESERVED_IDENTIFIERS,
    group_identifier,
    identifier_fault,
    legacy_group_identifier,
)
from scimcore.rules.replace import retained
from scimcore.schema.document import Document, Json
from scimcore.storage.protocol import Elements, Record, Session, VersionClash

_MOST_SUFFIXES: Final = 1_000
_AT_ONCE: Final = 25
_NO_MEMBERS: Final[Elements] = {"members": ()}


@attrs.frozen(kw_only=True)
class GroupIdentifiers:
    """The policy that gives each new group an identifier, in the scopes that it belongs to.

    `team-a`, `team.a` and `team a` all become `team_a`. They are never merged silently: the second one is refused
    (409), gets the next free of `team_a_2`, `team_a_3` …, or, where the application says `link`, is the group that is
    there. Place it behind the policy of adoption.
    """

    collision: Literal["refuse", "suffix", "link"] = "refuse"
    generation: Literal["newer", "legacy"] = "newer"
    """How the identifier is made; what is stored under the legacy identifier is found by the newer generation too."""
    as_id: bool = False
    """Whether the identifier is the id, in organisations and projects behind their names."""
    scope: Scope | None = None
    """Where groups belong that do not say, and outside of which none may belong; the account if None."""
    is_privileged: IsPrivileged | None = None
    """Whether a group that nobody manages gives so much that whoever names one like it must not fill it."""

    async def decided(self, intent: Intent, session: Session) -> Intent:
        """*intent* with an identifier for a new group, or about the group that has it already.

        Raises:
            InvalidValueError: The name becomes no identifier, or the scopes are none or lie elsewhere.
            UniquenessError: The identifier is taken, and is neither shared nor varied.
            NotAdoptedError: The group that has the identifier is privileged.
            VersionClash: Another request makes the same group at this moment.
            MutabilityError: A group would change its scopes.
        """
        if intent.after is None or PROVISIONING_URN not in intent.resource_type.containers:
            return intent
        attribute = intent.resource_type.attribute("members")
        if attribute is None or not attribute.is_membership:
            return intent
        if intent.before is not None and intent.asked != "create":
            self._check_scopes(intent, intent.before.document, intent.after)
            return intent
        naming = _Naming(intent, session, intent.after, self._scopes(intent, intent.after), self.as_id)
        base = self._identifier(naming.name)
        if intent.before is not None:
            return await self._adopted(naming, intent.before, base)
        if self.collision == "suffix":
            return await self._suffixed(naming, base)
        _check_identifier(base, self._longest, as_id=self.as_id)
        holder = await naming.holder(base) or await self._legacy_holder(naming, base)
        if holder is None:
            namesake = (await naming.taken([base])).get(base)
            if namesake is None:
                return naming.identified(base)
            if namesake == intent.resource_type.name:
                raise VersionClash("a group with that id came into being just now")
        if self.collision == "refuse" or holder is None:
            raise UniquenessError(f"displayName (identifier {base})")
        is_manual = provenance_of(holder.document).managed_by is None
        if is_manual and self.is_privileged is not None and await answered(self.is_privileged(holder)):
            raise NotAdoptedError("privileged")
        return await naming.linked(holder, base)

    @property
    def _longest(self) -> int:
        return LONGEST_LEGACY_IDENTIFIER if self.generation == "legacy" else LONGEST_IDENTIFIER

    def _identifier(self, name: str) -> str:
        return legacy_group_identifier(name) if self.generation == "legacy" else group_identifier(name)

    def _boundary(self, intent: Intent) -> Scope:
        return self.scope or account_scope(intent.caller.tenant)

    def _scopes(self, intent: Intent, document: Document) -> tuple[Scope, ...]:
        boundary = self._boundary(intent)
        named = document.get(HARNESS_SCOPES.name)
        return parse_scopes(named, boundary) if isinstance(named, str) else (boundary,)

    def _check_scopes(self, intent: Intent, before: Document, after: Document) -> None:
        """A group may say again which scopes it has, and no others."""
        if before.get(HARNESS_SCOPES.name) == after.get(HARNESS_SCOPES.name):
            return
        scope = provenance_of(before).scope
        if scope is not None and scope != printed_scopes(self._scopes(intent, after)):
            raise MutabilityError(HARNESS_SCOPES.name, "cannot change once the group is there")

    async def _adopted(self, naming: "_Naming", record: Record, identifier: str) -> Intent:
        """A group that another policy found for a create: it keeps its id, and gets an identifier if one is free."""
        is_named = provenance_of(naming.document).identifier is not None
        if is_named or identifier_fault(identifier, self._longest) is not None:
            return naming.intent
        holder = await naming.holder(identifier)
        if holder is not None and holder.id != record.id:
            return naming.intent
        provenance = naming.named(provenance_of(naming.document), identifier)
        return attrs.evolve(naming.intent, after=with_provenance(naming.document, provenance))

    async def _legacy_holder(self, naming: "_Naming", identifier: str) -> Record | None:
        """The same group, stored when identifiers were made in the legacy way.

        Under one legacy identifier there may be another group too (`1 team`, `2 team`), so the name has to agree.
        """
        legacy = legacy_group_identifier(naming.name)
        if self.generation == "legacy" or legacy == identifier or not legacy:
            return None
        holder = await naming.holder(legacy)
        return holder if holder is not None and _name_of(holder.document) == naming.name else None

    async def _suffixed(self, naming: "_Naming", base: str) -> Intent:
        """The group with the first identifier that is free; a reserved word becomes one with a suffix."""
        if base not in RESERVED_IDENTIFIERS:
            _check_identifier(base, self._longest, as_id=self.as_id)
        candidates = [base, *(_with_suffix(base, number, self._longest) for number in range(2, _MOST_SUFFIXES))]
        candidates = [one for one in candidates if one not in RESERVED_IDENTIFIERS]
        unnamed = {base} if await naming.unnamed() else set()
        for start in range(0, len(candidates), _AT_ONCE):
            some = candidates[start : start + _AT_ONCE]
            taken = {*unnamed, *await naming.holders(some), *await naming.taken(some)}
            free = next((one for one in some if one not in taken), None)
            if free is not None:
                identified = naming.identified(free)
                return identified if free == base else identified.noting(Note("suffixed", f"identifier {free}"))
        raise UniquenessError(f"displayName (identifier {base})")


@attrs.frozen
class _Naming:
    """A new group on its way to an identifier."""

    intent: Intent
    session: Session
    document: Document
    scopes: tuple[Scope, ...]
    as_id: bool

    @property
    def name(self) -> str:
        return _name_of(self.document)

    def id(self, identifier: str) -> str:
        # Groups with one identifier share no scope, so the first scope tells them apart.
        return self.scopes[0].qualified(identifier) if self.as_id else self.intent.id

    async def holder(self, identifier: str) -> Record | None:
        """The group that *identifier* stands for in one of the scopes already."""
        record = (await self.holders([identifier])).get(identifier) or await self.unnamed()
        if record is None and self.as_id:
            record = await self.session.get(self.intent.resource_type, self.id(identifier), _NO_MEMBERS)
        return record

    async def holders(self, identifiers: Sequence[str]) -> dict[str, Record]:
        """The groups in one of the scopes that have one of *identifiers*, by it."""
        own = {str(scope) for scope in self.scopes}
        wanted = equal_to(f"{PROVISIONING_URN}:identifier", *identifiers)
        holders: dict[str, Record] = {}
        for record in await found(self.session, self.intent.resource_type, wanted, _NO_MEMBERS):
            provenance = provenance_of(record.document)
            if provenance.identifier is not None and own.intersection((provenance.scope or "").split(",")):
                holders[provenance.identifier] = record
        return holders

    async def unnamed(self) -> Record | None:
        """A group of exactly this name that never got an identifier, because it was there before this policy was."""
        # What never got an identifier never got a scope either: it belongs to the account.
        if all(scope.organisation is not None for scope in self.scopes):
            return None
        wanted = equal_to("displayName", self.name)
        for record in await found(self.session, self.intent.resource_type, wanted, _NO_MEMBERS):
            if provenance_of(record.document).identifier is None and _name_of(record.document) == self.name:
                return record
        return None

    async def taken(self, identifiers: Sequence[str]) -> dict[str, str]:
        """Those of *identifiers* that would be the id of some other resource, each with the type of it."""
        if not self.as_id:
            return {}
        located = await self.session.locate([self.id(one) for one in identifiers])
        return {one: located[self.id(one)] for one in identifiers if self.id(one) in located}

    def identified(self, identifier: str) -> Intent:
        """The group as a new one with *identifier*."""
        provenance = self.named(provenance_of(self.document), identifier)
        id = self.id(identifier)
        return attrs.evolve(self.intent, id=id, after=with_provenance({**self.document, "id": id}, provenance))

    async def linked(self, holder: Record, identifier: str) -> Intent:
        """The group that *holder* is, in the place of a new one.

        One that was managed manually is taken over: the members that the client sent become its members, its name
        stays. One that a connection manages stays as it is.
        """
        intent, connection = self.intent, self.intent.caller.connection
        # Read again, with all members: they are compared with those that were sent.
        record = await self.session.get(intent.resource_type, holder.id) or holder
        provenance = provenance_of(record.document)
        if provenance.identifier is None:
            provenance = self.named(provenance, identifier)
        sent = self.document.get("externalId")
        earlier = provenance.link(connection)
        note = Note("linked", f"identifier {provenance.identifier}")
        if earlier is not None and earlier.is_live and _name_of(record.document) != self.name:
            note = Note("merged", f"identifier {provenance.identifier}: another group of the connection has it")
        link = earlier or Link(connection=connection, since=intent.at)
        external_id = sent if isinstance(sent, str) else link.external_id
        provenance = provenance.linked(attrs.evolve(link, active=True, removed=None, external_id=external_id))
        after = record.document
        manager = provenance.link(provenance.managed_by or "")
        if provenance.managed_by is None or (manager is not None and not manager.is_live):
            provenance = attrs.evolve(provenance, managed_by=connection or None)
            after = self._taken_over(record.document)
            note = Note("taken_over", f"identifier {provenance.identifier}")
        after = with_provenance(after, provenance)
        return attrs.evolve(intent, id=record.id, before=record).becoming(after, note)

    def _taken_over(self, current: Document) -> Document:
        changes: dict[str, Json] = {}
        attribute = self.intent.resource_type.attributes["members"]
        if "members" in self.document:
            changes["members"] = retained(attribute, current.get("members"), self.document["members"])
        if "externalId" in self.document:
            changes["externalId"] = self.document["externalId"]
        return {**current, **changes}

    def named(self, provenance: Provenance, identifier: str) -> Provenance:
        """*provenance* with *identifier* in the scopes of the group."""
        scope = printed_scopes(self.scopes)
        scoped = f"{scope}:{identifier}"
        return attrs.evolve(provenance, identifier=identifier, scope=scope, scoped_identifier=scoped)


def _check_identifier(identifier: str, longest: int, *, as_id: bool) -> None:
    fault = identifier_fault(identifier, longest)
    if fault is None and as_id and "bulkId" in identifier:
        fault = "has the keyword bulkId in it, which no id has (RFC 7643 §3.1)"
    if fault is not None:
        shown = f"{identifier[:100]!r} " if identifier else ""
        raise InvalidValueError([Problem("displayName", f"the identifier {shown}made of it {fault}")])


def _with_suffix(identifier: str, number: int, longest: int) -> str:
    suffix = f"_{number}"
    return identifier[: longest - len(suffix)] + suffix


def _name_of(document: Document) -> str:
    name = document.get("displayName")
    return name.strip() if isinstance(name, str) else ""
