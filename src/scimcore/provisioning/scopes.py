"""Question: does a group belong to the whole account, or to an organisation or a project of it?

Harness reads an attribute `harnessScopes` of a group: a comma-separated list of `account`, `account:organisation` or
`account:organisation:project`. The same name in another scope is another group, with an identifier of its own.
"""

import re
from collections.abc import Iterable
from typing import Final

import attrs

from scimcore.errors import InvalidValueError, Problem
from scimcore.provisioning.provenance import provisioned
from scimcore.schema.attribute import Attribute, Mutability
from scimcore.schema.catalogue import ResourceType
from scimcore.schema.standard import GROUP

HARNESS_SCOPES: Final = Attribute(
    name="harnessScopes",
    description="The scopes that the group belongs to: account, account:organisation or account:organisation:project.",
    case_exact=True,
    # A group that moved to another scope would be another group, so what a client says at creation holds.
    mutability=Mutability.IMMUTABLE,
)

SCOPED_GROUP: Final[ResourceType] = provisioned(
    attrs.evolve(GROUP, schema=attrs.evolve(GROUP.schema, attributes=(*GROUP.schema.attributes, HARNESS_SCOPES)))
)
"""The provisioned Group that knows `harnessScopes`."""

MOST_SCOPES: Final = 100

_FOREIGN = re.compile(r"[^0-9A-Za-z_$.-]")


@attrs.frozen
class Scope:
    """An account, an organisation in it, or a project in that.

    >>> str(Scope("acme", "emea", "web")), Scope("acme", "emea") in Scope("acme")
    ('acme:emea:web', True)

    Raises:
        ValueError: A name has other characters than ASCII letters, digits, `_`, `$`, `.` and `-`, or a project has no
            organisation.
    """

    account: str
    organisation: str | None = None
    project: str | None = None

    def __attrs_post_init__(self) -> None:
        if self.project is not None and self.organisation is None:
            raise ValueError("a project is in an organisation")
        for name in self.names:
            if not name or _FOREIGN.search(name):
                raise ValueError(f"{name!r} names no account, organisation or project")

    @property
    def names(self) -> tuple[str, ...]:
        """Of the account, then of the organisation and the project if it has them."""
        return tuple(one for one in (self.account, self.organisation, self.project) if one is not None)

    def __str__(self) -> str:
        return ":".join(self.names)

    def __contains__(self, other: "Scope") -> bool:
        return other.names[: len(self.names)] == self.names

    def qualified(self, identifier: str) -> str:
        """*identifier* as an id that is unique in the account: alone in the scope of the account itself.

        >>> Scope("acme").qualified("team_a"), Scope("acme", "emea", "web").qualified("team_a")
        ('team_a', 'emea:web:team_a')
        """
        return ":".join((*self.names[1:], identifier))


def account_scope(tenant: str) -> Scope:
    """The scope of the account that *tenant* is; characters that no scope has become `_`.

    >>> account_scope("acme:eu")
    Scope(account='acme_eu', organisation=None, project=None)
    """
    return Scope(_FOREIGN.sub("_", tenant) or "_")


def parse_scopes(text: str, boundary: Scope) -> tuple[Scope, ...]:
    """The scopes that `harnessScopes` lists, each once and in order of their names; they all lie in *boundary*.

    >>> [str(scope) for scope in parse_scopes("acme:emea:web, acme:emea", Scope("acme"))]
    ['acme:emea', 'acme:emea:web']

    Raises:
        InvalidValueError: There is none, one is none, there are more than 100, or one lies elsewhere.
    """
    listed = [one.strip() for one in text.split(",", MOST_SCOPES)]
    if len(listed) > MOST_SCOPES:
        raise InvalidValueError([Problem(HARNESS_SCOPES.name, f"lists more than {MOST_SCOPES} scopes")])
    scopes: set[Scope] = set()
    problems: list[Problem] = []
    for one in listed:
        scope = _scope(one)
        if scope is None:
            problems.append(Problem(HARNESS_SCOPES.name, f"{one[:100]!r} is not account:organisation:project"))
        elif scope not in boundary:
            problems.append(Problem(HARNESS_SCOPES.name, f"{one[:100]!r} is not in {boundary}"))
        else:
            scopes.add(scope)
    if problems:
        raise InvalidValueError(problems)
    return tuple(sorted(scopes, key=str))


def printed_scopes(scopes: Iterable[Scope]) -> str:
    """*scopes* as the provenance of a group keeps them.

    >>> printed_scopes([Scope("acme", "emea"), Scope("acme", "apac")])
    'acme:apac,acme:emea'
    """
    return ",".join(sorted(set(map(str, scopes))))


def _scope(text: str) -> Scope | None:
    names = text.split(":")
    if len(names) > len(attrs.fields(Scope)):
        return None
    try:
        return Scope(*names)
    except ValueError:
        return None
