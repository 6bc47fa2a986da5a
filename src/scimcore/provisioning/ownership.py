"""Question: who may write to a resource that is provisioned, and what becomes of it when several connections do?

Whatever a connection creates says so. One connection manages a resource, and what it sends is stored. Any other one has
a link: its own external id, whether it wants the account to be active, whether it has deleted it. What it sends besides
is accepted and not stored, so that no connection steals from another. When the managing connection lets go of an
account that another one still provisions, the account stays as it is and that other one manages it.
"""

from typing import Final, Literal, TypeAlias

import attrs

from scimcore.errors import ForbiddenError
from scimcore.provisioning.intent import Intent, Note
from scimcore.provisioning.matching import OnForeign
from scimcore.provisioning.provenance import MANUAL, Link, Provenance, created_by, provenance_of, with_provenance
from scimcore.provisioning.settings import one_of
from scimcore.provisioning.taking import (
    NEVER_ON_FIRST_CONTACT,
    called,
    changed_names,
    connection_of,
    is_abandoned,
    keeping,
    linking,
    merged,
)
from scimcore.rules.delta import same
from scimcore.schema.document import Document, Json
from scimcore.storage.protocol import Record, Session

SignsIn: TypeAlias = Literal["first", "manager", "newest"]


@attrs.frozen(kw_only=True)
class Ownership:
    """The policy for provenance. It stands behind the policies of adoption and before all others.

    Raises:
        ValueError: A setting is none of those that there are.
    """

    on_foreign: OnForeign = one_of("share", "refuse", "take")
    """What a connection may do with what another one manages: have a link, nothing at all, or take it over."""
    signs_in_through: SignsIn = one_of("first", "manager", "newest")
    """Which connection is put on record as the one that an account signs in through: the first that created or adopted
    it, always the one that manages it, or the last that created or adopted it."""

    async def decided(self, intent: Intent, session: Session) -> Intent:  # noqa: ARG002 - the shape of a policy
        """*intent* as far as the connection may write it, with what it is to the resource on record.

        Raises:
            ForbiddenError: Another connection manages the resource, and nothing of it is shared.
            ValueError: The connection has no name.
        """
        connection = connection_of(intent)
        before, after = intent.before, intent.after
        if after is None:
            return intent if before is None else self._deleted(intent, before, connection)
        if before is None:
            return self._stamped(intent, after, connection)
        if provenance_of(after).managed_by == connection:
            return self._managed(intent, before, after, connection)
        return self._foreign(intent, before, after, connection)

    def _stamped(self, intent: Intent, after: Document, connection: str) -> Intent:
        """A new resource: whoever creates it manages it."""
        facts = provenance_of(after)
        if facts is MANUAL:
            # Nobody else has to do with it, so it signs in through whom it comes from, whatever the setting.
            is_account = intent.resource_type.name == "User"
            return intent.becoming(created_by(connection, after, intent.at, signs_in=is_account))
        link = linking(facts.link(connection), connection, intent.at, after)
        facts = attrs.evolve(facts.linked(link), managed_by=connection)
        return intent.becoming(self._recorded(intent, after, facts))

    def _managed(self, intent: Intent, before: Record, after: Document, connection: str) -> Intent:
        """What the managing connection sends is stored, but not that it leaves while another provisions the account."""
        facts = provenance_of(after)
        if intent.asked != "create":  # an adoption has made the link already
            link = facts.link(connection) or Link(connection=connection, since=intent.at)
            # A PUT that says nothing of it does not bring a suspended account back.
            wants = after.get("active", before.document.get("active")) is not False
            # Once it has said the userName, that is what it calls the account.
            user_name = None if _says("userName", intent, before, after) else link.user_name
            facts = facts.linked(attrs.evolve(link, external_id=_external_id(after), user_name=user_name, active=wants))
            if not wants and facts.others(connection):
                return self._handed_over(intent, keeping(before.document, after, ("active",)), facts)
        document = self._recorded(intent, after, facts)
        return intent if document is after else intent.becoming(document)

    def _foreign(self, intent: Intent, before: Record, after: Document, connection: str) -> Intent:
        """What the connection does not manage: it is manual, or another connection's."""
        facts = provenance_of(after)
        known = facts.link(connection)
        if intent.asked == "create":
            facts = facts if known else facts.linked(linking(None, connection, intent.at, after, kept=before.document))
            return self._shared(intent, before, after, facts)
        changed = changed_names(before.document, after)
        if facts.managed_by is not None:
            if changed and self.on_foreign == "take":
                return self._taken(intent, before, after, connection)
            if known is None and self.on_foreign == "refuse":
                if changed:
                    raise ForbiddenError(_REFUSAL)
                return intent
        if known is None and is_abandoned(facts):
            # Who brings a suspended account back has provisioned it before, or adopts it by creating it.
            return self._shared(intent, before, after, facts)
        link = known or Link(connection=connection, since=intent.at, active=after.get("active") is not False)
        link = _as_wished(link, intent, before, after)
        facts = facts.linked(link)
        if link.is_live and is_abandoned(facts):
            note = Note("handed_over", f"from {facts.managed_by}")
            facts = attrs.evolve(facts, managed_by=connection, purge_after=None)
            return intent.becoming(self._recorded(intent, after, facts), note)
        return self._shared(intent, before, after, facts)

    def _shared(self, intent: Intent, before: Record, after: Document, facts: Provenance) -> Intent:
        """A resource that stays as it is, but for what *facts* say of it."""
        changed = changed_names(before.document, after)
        is_leaving = "active" in changed and after.get("active") is False
        notes = [_retained(facts)] if is_leaving else []
        ignored = [name for name in changed if name != "externalId" and not (name == "active" and is_leaving)]
        if ignored:
            notes.append(Note("ignored", f"{', '.join(ignored)}: managed {_by_whom(facts)}"))
        document = self._recorded(intent, before.document, facts)
        return intent if document is after else intent.becoming(document, *notes)

    def _taken(self, intent: Intent, before: Record, after: Document, connection: str) -> Intent:
        """A resource taken from another connection by writing to it."""
        facts = provenance_of(after)
        note = Note("taken_over", f"from {facts.managed_by}")
        known = facts.link(connection)
        kept = before.document if known is None else None
        link = linking(known, connection, intent.at, after, kept)
        facts = attrs.evolve(facts.linked(link), managed_by=connection)
        if known is None:
            wanted = after if intent.asked == "patch" else merged(before.document, after)
            after = keeping(before.document, wanted, NEVER_ON_FIRST_CONTACT)
        return intent.becoming(self._recorded(intent, after, facts), note)

    def _deleted(self, intent: Intent, before: Record, connection: str) -> Intent:
        """A resource that somebody else provisions stays; what happens to any other is for later policies to say."""
        facts = provenance_of(before.document)
        known = facts.link(connection)
        if facts.managed_by == connection and not facts.others(connection):
            return intent
        if known is None and facts.managed_by is not None and self.on_foreign == "refuse":
            raise ForbiddenError(_REFUSAL)
        link = known or Link(connection=connection, since=intent.at)
        facts = facts.linked(attrs.evolve(link, active=False, removed=intent.at))
        if facts.managed_by == connection:
            return self._handed_over(intent, before.document, facts)
        return intent.becoming(self._recorded(intent, before.document, facts), _retained(facts))

    def _handed_over(self, intent: Intent, document: Document, facts: Provenance) -> Intent:
        """A resource whose managing connection lets go of it: the first that still provisions it manages it now."""
        heir = facts.others(connection_of(intent))[0]
        facts = attrs.evolve(facts, managed_by=heir.connection)
        # The core attribute is the managing connection's; every link has its own.
        named: dict[str, Json] = {name: value for name, value in document.items() if name != "externalId"}
        if heir.external_id is not None:
            named["externalId"] = heir.external_id
        document = self._recorded(intent, named, facts)
        return intent.becoming(document, _retained(facts), Note("handed_over", f"to {heir.connection}"))

    def _recorded(self, intent: Intent, document: Document, facts: Provenance) -> Document:
        """*document* with *facts*, and with the connection that the account signs in through."""
        if intent.resource_type.name == "User":
            signs_in = self._sign_in(intent, facts)
            if signs_in != facts.signs_in_through:
                facts = attrs.evolve(facts, signs_in_through=signs_in)
        return with_provenance(document, facts)

    def _sign_in(self, intent: Intent, facts: Provenance) -> str | None:
        connection, current = connection_of(intent), facts.signs_in_through
        if self.signs_in_through == "manager":
            return facts.managed_by
        if intent.asked == "create" and (current is None or self.signs_in_through == "newest"):
            return connection
        if current is None:
            return facts.managed_by
        link = facts.link(current)
        if link is None or link.is_live:
            return current
        live = [one.connection for one in facts.links if one.is_live]
        if facts.managed_by in live or not live:
            # Nobody is left but who let go of it: it is suspended, and will sign in as before if it comes back.
            return facts.managed_by
        return live[0]


_REFUSAL: Final = "another connection manages the resource"


def _as_wished(link: Link, intent: Intent, before: Record, after: Document) -> Link:
    """*link* after its connection wrote to what it does not manage.

    Who says that an account is active which is active already, for others, comes back if he had left.
    """
    if _differs("externalId", before, after):
        link = attrs.evolve(link, external_id=_external_id(after))
    if _says("userName", intent, before, after):
        link = attrs.evolve(link, user_name=called(after, before.document))
    if _says("active", intent, before, after):
        link = attrs.evolve(link, active=after.get("active") is not False)
    return link


def _says(name: str, intent: Intent, before: Record, after: Document) -> bool:
    """Whether a write to an existing resource says what the attribute *name* shall be; a PUT says it of all."""
    return intent.asked == "replace" or name in intent.named or _differs(name, before, after)


def _differs(name: str, before: Record, after: Document) -> bool:
    return not same(before.document.get(name), after.get(name))


def _retained(facts: Provenance) -> Note:
    return Note("retained", f"managed {_by_whom(facts)}")


def _by_whom(facts: Provenance) -> str:
    return "manually" if facts.managed_by is None else f"by {facts.managed_by}"


def _external_id(document: Document) -> str | None:
    value = document.get("externalId")
    return value if isinstance(value, str) else None
