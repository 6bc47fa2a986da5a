"""The Harness profile: what a delivery platform in the manner of Harness does with accounts and groups.

Existing users are found by e-mail and taken over; five attributes are synced; who is deactivated is removed; a group's
name becomes its identifier, which is its id; identity providers see what is provisioned and nothing else. Sources are
Harness Developer Hub (Platform, Role-based access control: SCIM with Okta, Microsoft Entra ID and OneLogin) and the
behaviour of its published service.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Final, Literal

import attrs

from scimcore.access import Authenticator
from scimcore.dialects import DEFAULT, HARNESS, ONELOGIN, Dialect
from scimcore.engine.environment import OnBug, random_id, utc_now
from scimcore.engine.events import OnEvent, Recorder
from scimcore.engine.provider import ScimProvider
from scimcore.provisioning import Connection, Intent, Policy
from scimcore.provisioning.adoption import Adoption
from scimcore.provisioning.group_adoption import GroupAdoption
from scimcore.provisioning.guard import Guard, Overrides, never_overridden
from scimcore.provisioning.identifiers import GroupIdentifiers
from scimcore.provisioning.immutable import ImmutableAttributes
from scimcore.provisioning.leaving import Leaving, Outcome, Question
from scimcore.provisioning.matching import IsPrivileged, IsVerified, is_alike
from scimcore.provisioning.members import UnknownMembers
from scimcore.provisioning.nesting import NestedGroups
from scimcore.provisioning.ownership import Ownership
from scimcore.provisioning.provenance import PROVISIONED_USER, PROVISIONING_URN, provenance_of
from scimcore.provisioning.scopes import SCOPED_GROUP, Scope
from scimcore.provisioning.sync import HARNESS_SYNC, ONELOGIN_SYNC
from scimcore.rules.delta import elements_of
from scimcore.rules.filter import parse_filter
from scimcore.rules.limits import DEFAULT_LIMITS, Limits
from scimcore.schema.catalogue import ResourceType
from scimcore.schema.document import Document, Json
from scimcore.storage.protocol import Session, Storage, SyncStorage, Tenant

HARNESS_USER: Final = PROVISIONED_USER

ROLE_BINDINGS: Final = "roleBindings"
"""How the guard calls what the platform hangs on accounts and groups, and no identity provider has a say in."""


def _exact_names(group: ResourceType) -> ResourceType:
    attributes = tuple(
        attrs.evolve(one, case_exact=True) if one.name == "displayName" else one for one in group.schema.attributes
    )
    return attrs.evolve(group, schema=attrs.evolve(group.schema, attributes=attributes))


HARNESS_GROUP: Final = _exact_names(SCOPED_GROUP)
"""A provisioned Group with scopes, whose name is found by in its own case: `Team A` and `team a` are two groups."""


_PROVISIONED: Final = parse_filter(f"{PROVISIONING_URN}:managedBy pr")


@attrs.frozen(kw_only=True)
class IdentityProvider:
    """One identity provider of one account: its name, how it talks, and where in the account its groups belong."""

    name: str
    account: str
    dialect: Dialect = DEFAULT
    scope: Scope | None = None
    """An organisation or a project, for groups that do not say; the account if None."""
    leavers: Literal["removed", "suspended"] = "removed"
    """What becomes of accounts that it deactivates or deletes. Harness knows no suspended user; an administrator of
    OneLogin may have chosen to suspend people all the same, and suspended ones come back with id and groups."""
    where: str | None = None
    """Where its people change what it provisions, as they would find it: `Okta > Applications > Acme`."""


@attrs.frozen(kw_only=True)
class EmailAsUserName:
    """The policy of a platform where people are known by one e-mail address, their userName in lower case.

    Other addresses are ignored; of the primary one the type is kept.
    """

    heeds_emails: bool = False
    """Whether an update with another primary address means to change it, for a later policy to refuse; else that is
    ignored too."""

    async def decided(self, intent: Intent, session: Session) -> Intent:  # noqa: ARG002 - the shape of a policy
        """*intent* with userName and e-mail as the platform has them."""
        after = intent.after
        if intent.resource_type.name != "User" or after is None or intent.asked == "delete":
            return intent
        before = intent.before.document if intent.before else {}
        name, known = str(after["userName"]), before.get("userName")
        # The Kelvin sign is k in lower case, and so would be somebody else's; where a letter has no case of its own the
        # name stays as it is, for the policy of adoption to see what it looks like.
        if name != known and is_alike(name, name.lower()):
            name = name.lower()
        primary, earlier = _primary(after), _primary(before).get("value")
        # An account that was found by its address may have had another name before.
        address = earlier if name == known and isinstance(earlier, str) else name
        sent = primary.get("value")
        if self.heeds_emails and before and isinstance(sent, str) and sent.lower() != address.lower():
            address = sent
        kind = {"type": primary["type"]} if "type" in primary else {}
        email: dict[str, Json] = {"value": address, **kind, "primary": True}
        return intent.becoming({**after, "userName": name, "emails": [email]})


def _primary(document: Document) -> Document:
    emails = [one for one in elements_of(document.get("emails")) if isinstance(one, dict)]
    return next((one for one in emails if one.get("primary") is True), emails[0] if emails else {})


@attrs.frozen
class ShownName:
    """The policy for the name that the platform shows: the display name, or given and family name where there is none.

    Who is shown by given and family name goes on being so when they change. It stands behind the policies that say
    which attributes a connection writes.
    """

    async def decided(self, intent: Intent, session: Session) -> Intent:  # noqa: ARG002 - the shape of a policy
        """*intent* with a display name, if the connection manages the account."""
        after = intent.after
        if intent.resource_type.name != "User" or after is None:
            return intent
        if provenance_of(after).managed_by != intent.caller.connection:
            return intent
        before = intent.before.document if intent.before else {}
        shown, name = after.get("displayName"), _full_name(after)
        is_made = shown is None or (shown == before.get("displayName") == _full_name(before))
        return intent.becoming({**after, "displayName": name}) if is_made and name and name != shown else intent


def _full_name(document: Document) -> str:
    name = document.get("name")
    parts = (name.get("givenName"), name.get("familyName")) if isinstance(name, dict) else ()
    return " ".join(part for part in parts if isinstance(part, str))


def harness_connection(
    provider: IdentityProvider,
    *,
    groups: Literal["link", "keep_both"] = "link",
    is_verified: IsVerified | None = None,
    is_privileged: IsPrivileged | None = None,
    is_last_owner: Question | None = None,
) -> Connection:
    """The connection of one identity provider to a platform in the manner of Harness.

    A group whose identifier exists already in its scope is the existing one, or with `keep_both` a second one whose
    identifier ends in a number. Of OneLogin only first name, last name and e-mail are synced, and the e-mail cannot
    change once an account is provisioned.
    """
    is_onelogin = provider.dialect.name == ONELOGIN.name
    people: tuple[Policy, ...] = (
        (ONELOGIN_SYNC, ImmutableAttributes(("userName", "emails.value"))) if is_onelogin else (HARNESS_SYNC,)
    )
    outcome: Outcome = "delete" if provider.leavers == "removed" else "suspend"
    return Connection(
        name=provider.name,
        tenant=Tenant(provider.account),
        dialect=_answering_as_harness(provider.dialect),
        policies=(
            EmailAsUserName(heeds_emails=is_onelogin),
            Adoption(
                on_existing="take_over",
                match=("userName", "email"),
                email="any_case",
                again="update",
                is_verified=is_verified,
                is_privileged=is_privileged,
                group_type=HARNESS_GROUP,
            ),
            *_named_groups(groups, provider.scope, is_privileged),
            Ownership(),
            *people,
            ShownName(),
            UnknownMembers(),
            NestedGroups(),
            Leaving(on_deactivate=outcome, on_delete=outcome, is_last_owner=is_last_owner, group_type=HARNESS_GROUP),
        ),
        # What it does not see it creates, and so is given the account or the group that is there.
        visible={one.name: _PROVISIONED for one in (HARNESS_USER, HARNESS_GROUP)},
    )


def _named_groups(
    groups: Literal["link", "keep_both"], scope: Scope | None, is_privileged: IsPrivileged | None
) -> tuple[Policy, ...]:
    if groups == "link":
        # A name is looked for by its identifier, which knows scopes; that finds the same name too.
        return (GroupIdentifiers(collision="link", as_id=True, scope=scope, is_privileged=is_privileged),)
    return (GroupAdoption(on_existing="keep_both"), GroupIdentifiers(collision="suffix", as_id=True, scope=scope))


def harness_profile(
    storage: Storage | SyncStorage,
    *,
    authenticate: Authenticator,
    providers: Iterable[IdentityProvider],
    groups: Literal["link", "keep_both"] = "link",
    is_verified: IsVerified | None = None,
    is_privileged: IsPrivileged | None = None,
    is_last_owner: Question | None = None,
    limits: Limits = DEFAULT_LIMITS,
    public_url: str | None = None,
    clock: Callable[[], datetime] = utc_now,
    new_id: Callable[[], str] = random_id,
    record: Recorder | None = None,
    on_event: OnEvent | None = None,
    on_bug: OnBug | None = None,
) -> ScimProvider:
    """A provider in the manner of Harness, for the identity *providers* of any number of accounts.

    *authenticate* makes callers whose tenant is an account and whose connection is the name of one of its identity
    providers. The other arguments are those of `harness_connection` and of `ScimProvider`.

    Raises:
        ValueError: Two identity providers of one account share a name.
    """
    connections = [
        harness_connection(
            one, groups=groups, is_verified=is_verified, is_privileged=is_privileged, is_last_owner=is_last_owner
        )
        for one in providers
    ]
    return ScimProvider(
        storage,
        authenticate=authenticate,
        resource_types=(HARNESS_USER, HARNESS_GROUP),
        connections=connections,
        limits=limits,
        public_url=public_url,
        clock=clock,
        new_id=new_id,
        record=record,
        on_event=on_event,
        on_bug=on_bug,
    )


def harness_guard(
    providers: Iterable[IdentityProvider], account: str, overrides: Overrides = never_overridden
) -> Guard:
    """What the people of *account* may edit on the platform itself: of what is provisioned nothing but role bindings.

    >>> okta = IdentityProvider(name="okta", account="acme", where="Okta > Applications > Acme")
    >>> harness_guard([okta], "acme").where
    {'okta': 'Okta > Applications > Acme'}
    """
    places = {one.name: one.where for one in providers if one.account == account and one.where is not None}
    local = {HARNESS_USER.name: (ROLE_BINDINGS,), HARNESS_GROUP.name: (ROLE_BINDINGS,)}
    return Guard(local=local, where=places, overrides=overrides)


def _answering_as_harness(client: Dialect) -> Dialect:
    """What *client* needs, answered as Harness does; where the two disagree, Harness has its way."""
    settings = {name: value for quirk in HARNESS.quirks for name, value in quirk.settings.items()}
    return attrs.evolve(
        client,
        name=f"{HARNESS.name} for {client.name}",
        tolerance=attrs.evolve(client.tolerance, **settings),
        bodiless_patches=client.bodiless_patches | HARNESS.bodiless_patches,
    )
