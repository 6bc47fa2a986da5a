"""Policies by name: how a configuration file asks for them, and what it may say about each.

A policy is made by a function whose keyword parameters are its settings: their types say what a file may write. What an
application decides by a function of its own (whether an e-mail is verified, who is the last owner) has no place in a
file; such a policy is put into a `Configuration` in Python.
"""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Annotated, Final, Literal, TypeAlias

from pydantic import AfterValidator, BeforeValidator, Field, validate_call
from pydantic_core import PydanticCustomError

from scimcore.config.faults import unknown
from scimcore.config.spans import span
from scimcore.errors import ScimError
from scimcore.provisioning import Policy
from scimcore.provisioning.adoption import Adoption
from scimcore.provisioning.group_adoption import GroupAdoption
from scimcore.provisioning.identifiers import GroupIdentifiers
from scimcore.provisioning.immutable import ImmutableAttributes
from scimcore.provisioning.leaving import Leaving
from scimcore.provisioning.members import UnknownMembers
from scimcore.provisioning.nesting import NestedGroups
from scimcore.provisioning.ownership import Ownership
from scimcore.provisioning.provenance import PROVISIONED_GROUP, PROVISIONED_USER
from scimcore.provisioning.scopes import Scope
from scimcore.provisioning.sync import SyncedAttributes
from scimcore.rules.path import parse_path
from scimcore.schema.catalogue import ResourceType

PolicyMaker: TypeAlias = Callable[..., Policy]


def policy_made(name: str, settings: Mapping[str, object], makers: Mapping[str, PolicyMaker]) -> Policy:
    """The policy that a table of a configuration file asks for.

    Raises:
        PydanticCustomError: There is no policy of that name.
        ValidationError: A setting is unknown, missing, or not what it may be.
    """
    maker = makers.get(name)
    if maker is None:
        raise PydanticCustomError("policy", "{says}", {"says": unknown("policy", name, makers)})
    made: Policy = validate_call(maker)(**settings)
    return made


# What a setting may be


def _is_path_of(resource_type: ResourceType) -> Callable[[str], str]:
    def checked(text: str) -> str:
        try:
            parse_path(text, resource_type)
        except ScimError as error:
            raise PydanticCustomError("path", "{says}", {"says": error.detail}) from None
        return text

    return checked


def _span(text: object) -> timedelta:
    if not isinstance(text, str):
        raise ValueError("should be a span of time such as 90d, 12h or 1y")
    return span(text)


_UserPath: TypeAlias = Annotated[str, AfterValidator(_is_path_of(PROVISIONED_USER))]
_GroupPath: TypeAlias = Annotated[str, AfterValidator(_is_path_of(PROVISIONED_GROUP))]
_Span: TypeAlias = Annotated[timedelta, BeforeValidator(_span)]
_OnForeign: TypeAlias = Literal["share", "refuse", "take"]
_Outcome: TypeAlias = Literal["suspend", "soft_delete", "delete"]


# The policies


def _adoption(
    *,
    on_existing: Literal["refuse", "link", "take_over"] = "refuse",
    match: tuple[Literal["userName", "externalId", "email"], ...] = ("userName", "externalId"),
    on_foreign: _OnForeign = "share",
    again: Literal["refuse", "update"] = "refuse",
    by_id: bool = False,
    restore_groups: bool = True,
) -> Policy:
    return Adoption(
        on_existing=on_existing,
        match=match,
        on_foreign=on_foreign,
        again=again,
        by_id=by_id,
        restore_groups=restore_groups,
    )


def _group_adoption(
    *,
    on_existing: Literal["refuse", "link", "keep_both"] = "refuse",
    on_foreign: _OnForeign = "share",
    by_id: bool = False,
) -> Policy:
    return GroupAdoption(on_existing=on_existing, on_foreign=on_foreign, by_id=by_id)


def _ownership(
    *, on_foreign: _OnForeign = "share", signs_in_through: Literal["first", "manager", "newest"] = "first"
) -> Policy:
    return Ownership(on_foreign=on_foreign, signs_in_through=signs_in_through)


def _sync(*, user: tuple[_UserPath, ...] | None = None, group: tuple[_GroupPath, ...] | None = None) -> Policy:
    allowed = {"User": user, "Group": group}
    return SyncedAttributes({name: paths for name, paths in allowed.items() if paths is not None})


def _immutable(
    *,
    paths: Annotated[tuple[_UserPath, ...], Field(min_length=1)],
    after: Literal["provisioned", "created"] = "provisioned",
) -> Policy:
    return ImmutableAttributes(paths, after)


def _leaving(
    *,
    on_deactivate: _Outcome = "suspend",
    on_delete: _Outcome = "delete",
    grace: _Span = timedelta(days=30),
    memberships: Literal["keep", "set_aside", "end"] = "keep",
    on_group_delete: Literal["delete", "unlink"] = "delete",
) -> Policy:
    return Leaving(
        on_deactivate=on_deactivate,
        on_delete=on_delete,
        grace=grace,
        memberships=memberships,
        on_group_delete=on_group_delete,
    )


def _group_identifiers(
    *,
    collision: Literal["refuse", "suffix", "link"] = "refuse",
    generation: Literal["newer", "legacy"] = "newer",
    as_id: bool = False,
    account: str | None = None,
    organisation: str | None = None,
    project: str | None = None,
) -> Policy:
    if account is None and (organisation is not None or project is not None):
        raise ValueError("an organisation and a project belong to an `account`")
    scope = None if account is None else Scope(account, organisation, project)
    return GroupIdentifiers(collision=collision, generation=generation, as_id=as_id, scope=scope)


def _members(*, unknown: Literal["skip", "refuse"] = "skip") -> Policy:
    return UnknownMembers(unknown)


def _nesting(
    *, groups_in_groups: Literal["accept", "refuse"] = "accept", most_groups: Annotated[int, Field(ge=1)] = 10_000
) -> Policy:
    return NestedGroups(groups_in_groups, most_groups)


POLICIES: Final[Mapping[str, PolicyMaker]] = {
    "adoption": _adoption,
    "group_adoption": _group_adoption,
    "group_identifiers": _group_identifiers,
    "immutable": _immutable,
    "leaving": _leaving,
    "members": _members,
    "nesting": _nesting,
    "ownership": _ownership,
    "sync": _sync,
}
"""Every policy that comes with scimcore, by its name."""
