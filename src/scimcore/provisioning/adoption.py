"""Question: what happens when a connection creates a user that exists already?

The account is refused, linked or taken over. Linking keeps all that the application has: the id, what hangs on it, and
every attribute. Taking over keeps the id and whatever the connection did not send; neither writes the userName or an
e-mail on first contact, and neither touches an account that is not surely the one that is meant, or that is privileged.
"""

from collections.abc import Iterable
from typing import Literal, TypeAlias

import attrs

from scimcore.errors import ForbiddenError, UniquenessError
from scimcore.provisioning.intent import Intent, Note
from scimcore.provisioning.matching import (
    NOBODY,
    EmailCase,
    IsPrivileged,
    IsVerified,
    Match,
    Matches,
    Matching,
    MatchKey,
    OnForeign,
    answered,
)
from scimcore.provisioning.provenance import (
    PROVISIONED_GROUP,
    provenance_of,
    with_provenance,
)
from scimcore.provisioning.refusals import NotAdoptedError
from scimcore.provisioning.revival import revived
from scimcore.provisioning.settings import one_of
from scimcore.provisioning.taking import (
    NEVER_ON_FIRST_CONTACT,
    changed_names,
    connection_of,
    has_removed,
    is_abandoned,
    keeping,
    linking,
    merged,
    provisions,
)
from scimcore.schema.catalogue import ResourceType
from scimcore.schema.document import Document
from scimcore.storage.protocol import Record, Session

OnExisting: TypeAlias = Literal["refuse", "link", "take_over"]


def _keys(keys: Iterable[MatchKey]) -> tuple[MatchKey, ...]:
    return tuple(keys)


@attrs.frozen(kw_only=True)
class Adoption:
    """The policy for users that exist already. It stands before `Ownership`.

    Raises:
        ValueError: A setting is none of those that there are.
    """

    on_existing: OnExisting = one_of("refuse", "link", "take_over")
    """409 as without the policy; a link, and the account stays as it is; or the connection manages it from now on."""
    match: tuple[MatchKey, ...] = attrs.field(
        default=("userName", "externalId", "email"),
        converter=_keys,
        validator=attrs.validators.deep_iterable(attrs.validators.in_(("userName", "externalId", "email"))),
    )
    """What an account is found by. userNames match in any case of their letters, externalIds exactly."""
    email: EmailCase = one_of("exact", "any_case")
    is_verified: IsVerified | None = None
    """Without this hook no e-mail is held for verified, and none matches."""
    is_privileged: IsPrivileged | None = None
    """Without this hook nobody is held for privileged."""
    on_foreign: OnForeign = one_of("share", "refuse", "take")
    """What is done with an account that another connection manages: linked, refused, or treated like any other. Say
    the same to `Ownership`."""
    again: Literal["refuse", "update"] = one_of("refuse", "update")
    """What a connection gets that creates what it provisions already: 409, or the account with what it sent, as a
    client wants that creates without looking (Keycloak's extensions) and as Harness does it."""
    kept: frozenset[str] = attrs.field(default=frozenset({"roles", "entitlements"}), converter=frozenset)
    """What a take-over leaves to the application, besides userName and emails."""
    by_id: bool = False
    """Whether a PUT or PATCH to an account that nobody manages takes it over too, if `on_existing` says so. Entra looks
    for an account and writes to what it finds, without a POST; what it looked by, verified or not, is then trusted."""
    restore_groups: bool = True
    """Whether an account that the connection had removed joins the groups again that it was in."""
    group_type: ResourceType = PROVISIONED_GROUP
    _matching: Matching = attrs.field(init=False, eq=False, repr=False)

    @_matching.default
    def _by_the_settings(self) -> Matching:
        return Matching(self.match, self.email, self.is_verified)

    async def decided(self, intent: Intent, session: Session) -> Intent:
        """*intent* about the account that exists, if there is one and it may be linked.

        Raises:
            UniquenessError: The connection provisions the account already.
            NotAdoptedError: There is such an account, or several, and it is not linked.
            ForbiddenError: A write by id would take over a privileged account.
            VersionClash: A group that a revived account was in is deleted at this moment.
            ValueError: The connection has no name.
        """
        if intent.resource_type.name != "User" or intent.after is None:
            return intent
        if intent.asked == "create":
            if intent.before:
                return intent
            connection = connection_of(intent)
            matches = await self._matching.matches(session, intent.resource_type, intent.after, connection)
            return intent if matches is NOBODY else await self._created(intent, intent.after, matches, session)
        if intent.before and self.by_id and self.on_existing == "take_over":
            return await self._written_by_id(intent, intent.before, intent.after)
        return intent

    async def _created(self, intent: Intent, sent: Document, matches: Matches, session: Session) -> Intent:
        """*intent* to create an account that *matches* others."""
        connection = connection_of(intent)
        match = _only(matches)
        if match is not None and has_removed(provenance_of(match.record.document), connection):
            if provenance_of(match.record.document).managed_by == connection:
                return await revived(
                    intent,
                    match.record,
                    sent,
                    session,
                    restore_groups=self.restore_groups,
                    group_type=self.group_type,
                )
            return await self._adopted(intent, match, sent)
        if self.on_existing == "refuse":
            return intent
        if matches.has_look_alike:
            raise NotAdoptedError("look-alike")
        if match is not None:
            return await self._adopted(intent, match, sent)
        if matches.found or matches.is_incomplete:
            raise NotAdoptedError("ambiguous")
        notes = (Note("not_linked", f"{id} has the e-mail address too, unverified") for id in matches.unverified)
        return intent.noting(*notes)

    async def _adopted(self, intent: Intent, match: Match, sent: Document) -> Intent:
        """*intent* about an existing account that the connection does not manage."""
        record, connection = match.record, connection_of(intent)
        facts = provenance_of(record.document)
        if provisions(facts, connection):
            return self._updated(intent, match, sent)
        is_foreign = facts.managed_by is not None
        if is_foreign and self.on_foreign == "refuse":
            raise NotAdoptedError("foreign")
        if self.is_privileged is not None and await answered(self.is_privileged(record)):
            raise NotAdoptedError("privileged")
        may_take = self.on_existing == "take_over" and (not is_foreign or self.on_foreign == "take")
        how = f"found by {', '.join(match.keys)}"
        if is_abandoned(facts):
            returning = {"active": True, **sent}
            return self._taken(intent, record, returning, Note("handed_over", f"from {facts.managed_by}, {how}"))
        if may_take:
            return self._taken(intent, record, sent, Note("taken_over", how))
        return _linked(intent, record, sent, Note("linked", how))

    def _updated(self, intent: Intent, match: Match, sent: Document) -> Intent:
        """*intent* about an account that the connection provisions already."""
        if self.again == "refuse":
            raise UniquenessError(match.keys[0])
        record, connection = match.record, connection_of(intent)
        facts = provenance_of(record.document)
        note = Note("created_again", f"found by {', '.join(match.keys)}")
        if facts.managed_by != connection:
            return _linked(intent, record, sent, note)
        facts = facts.linked(linking(facts.link(connection), connection, intent.at, sent))
        document = with_provenance({**merged(record.document, sent), "id": record.id}, facts)
        return _about(intent, record, document, sent, note)

    async def _written_by_id(self, intent: Intent, record: Record, after: Document) -> Intent:
        if provenance_of(record.document).managed_by is not None or _only_suspends(record.document, after):
            return intent
        if self.is_privileged is not None and await answered(self.is_privileged(record)):
            raise ForbiddenError("this connection may not take over the resource; an administrator can link it")
        return self._taken(intent, record, after, Note("taken_over", "written to by id"))

    def _taken(self, intent: Intent, record: Record, sent: Document, why: Note) -> Intent:
        """*intent* with the account managed by the connection from now on, and with what it may write of *sent*."""
        connection, current = connection_of(intent), record.document
        facts = provenance_of(current)
        facts = attrs.evolve(
            facts.linked(linking(facts.link(connection), connection, intent.at, sent, kept=current)),
            managed_by=connection,
            purge_after=None,
            former_groups=(),
        )
        # A PATCH says itself what it clears; a PUT and a POST clear what they do not name, which is not theirs yet.
        wanted = sent if intent.asked == "patch" else merged(current, sent)
        document = keeping(current, wanted, self.kept | NEVER_ON_FIRST_CONTACT)
        return _about(intent, record, with_provenance(document, facts), sent, why)


def _only_suspends(before: Document, after: Document) -> bool:
    """Whether a write asks for nothing but that an account be inactive: to leave is no way to take over."""
    return after.get("active") is False and changed_names(before, after) == ["active"]


def _linked(intent: Intent, record: Record, sent: Document, why: Note) -> Intent:
    """*intent* with nothing but a link written."""
    connection, facts = connection_of(intent), provenance_of(record.document)
    link = linking(facts.link(connection), connection, intent.at, sent, kept=record.document)
    return _about(intent, record, with_provenance(record.document, facts.linked(link)), sent, why)


def _about(intent: Intent, record: Record, document: Document, sent: Document, why: Note) -> Intent:
    """*intent* with *record* in the place of a new one, and what became of it on record."""
    unwritten = changed_names(document, merged(document, sent))
    left = [name for name in unwritten if name not in ("id", "externalId", "active")]
    notes = (why, Note("ignored", f"{', '.join(left)}: as before")) if left else (why,)
    return attrs.evolve(intent, id=record.id, before=record, after=document).noting(*notes)


def _only(matches: Matches) -> Match | None:
    """The one account that is meant; None if there is none, or more than one may be."""
    return matches.found[0] if len(matches.found) == 1 and not matches.is_incomplete else None
