"""Who probably talks, from one request; for diagnosis, and never a reason to treat a client in another way.

A sign counts only if one client is known to show it and no other. Requests that many clients send alike, and signs that
point at two clients, name nobody.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Final, Protocol, TypeAlias
from urllib.parse import parse_qsl

import attrs
from pydantic_core import from_json

from scimcore.schema.document import Json

_MOST_PARAMETERS = 100
_LARGEST_BODY = 1_000_000


class Sent(Protocol):
    """The part of a request that is looked at; the engine's Request has it."""

    @property
    def method(self) -> str: ...
    @property
    def path(self) -> str: ...
    @property
    def query(self) -> str: ...
    @property
    def headers(self) -> Mapping[str, str]: ...
    @property
    def body(self) -> bytes: ...


@attrs.frozen
class Diagnosis:
    """The dialect that a request seems to be in, by its name, and why."""

    dialect: str
    reason: str


def detect(request: Sent) -> Diagnosis | None:
    """Who probably sent *request*; None if nothing in it, or too much, tells.

    Any request may be given: one that no provider would accept names nobody.

    >>> from scimcore import Request
    >>> detect(Request("GET", "/Users", headers={"User-Agent": "Okta SCIM Client 1.0.0"}))
    Diagnosis(dialect='okta', reason='its User-Agent names the product')
    >>> detect(Request("GET", "/Users", "count=1")) is None
    True
    """
    seen = _seen(request)
    found = [Diagnosis(sign.dialect, sign.reason) for sign in _SIGNS if sign.shows(seen)]
    named = _by_user_agent(request.headers)
    if named is not None:
        found.insert(0, named)
    dialects = {one.dialect for one in found}
    # The flavour with the flag has the habits of the one without.
    if dialects == {"entra", "entra-scim2020"}:
        found = [one for one in found if one.dialect == "entra-scim2020"]
        dialects = {"entra-scim2020"}
    return found[0] if len(dialects) == 1 else None


_PRODUCTS: Final = {
    # "Okta SCIM Client 1.0.0" (Okta's SCIM reference), "authentik@2024.2.1" (authentik/lib/utils/http.py); the others
    # are what a User-Agent with the name of the product in it would mean.
    "okta": "okta",
    "authentik": "authentik",
    "onelogin": "onelogin",
    "jumpcloud": "jumpcloud",
    "pingfederate": "ping-federate",
    "pingone": "ping-one",
    "keycloak": "keycloak",
    "ssosync": "google",
}


def _by_user_agent(headers: Mapping[str, str]) -> Diagnosis | None:
    agent = next((value.lower() for name, value in headers.items() if name.lower() == "user-agent"), "")
    named = {dialect for product, dialect in _PRODUCTS.items() if product in agent}
    return Diagnosis(named.pop(), "its User-Agent names the product") if len(named) == 1 else None


@attrs.frozen
class _Seen:
    """A request, as far as it can be read."""

    method: str
    parameters: Mapping[str, str]
    body: Mapping[str, Json]

    @property
    def filter(self) -> str:
        return self.parameters.get("filter", "")

    @property
    def operations(self) -> Iterator[Mapping[str, Json]]:
        operations = self.body.get("Operations") if self.method == "PATCH" else None
        return (one for one in (operations if isinstance(operations, list) else ()) if isinstance(one, dict))

    @property
    def values(self) -> Iterator[Mapping[str, Json]]:
        """The objects that operations bring."""
        for operation in self.operations:
            value = operation.get("value")
            yield from (one for one in (value if isinstance(value, list) else [value]) if isinstance(one, dict))

    def elements(self, name: str) -> list[Mapping[str, Json]]:
        """The objects in a list of a resource that is being created."""
        listed = self.body.get(name) if self.method == "POST" else None
        return [one for one in (listed if isinstance(listed, list) else ()) if isinstance(one, dict)]


def _seen(request: Sent) -> _Seen:
    try:
        pairs = parse_qsl(request.query, keep_blank_values=True, max_num_fields=_MOST_PARAMETERS)
    except ValueError:
        pairs = []
    parameters = {name.lower(): value for name, value in pairs}
    body: Json = None
    if request.body and len(request.body) <= _LARGEST_BODY:
        try:
            body = from_json(request.body)
        except ValueError:
            body = None
    return _Seen(request.method, parameters, body if isinstance(body, dict) else {})


# The signs

Shows: TypeAlias = Callable[[_Seen], bool]


@attrs.frozen
class _Sign:
    """What one client is known to show, and no other."""

    dialect: str
    reason: str
    shows: Shows


_ADSCIM = "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/"
_MISSPELLED = "urn:ietf:params:scim:schemas:extension:enterprise:2.0User"
_OKTA_ID = re.compile(r"00u[0-9A-Za-z]{17}\Z")
_MANAGER_CHECK = re.compile(r'id eq "[^"]*" and manager eq ')
_CAPITAL_OPERATOR = re.compile(r"[\w.:]+ (?:Eq|Co|Sw) ")


def _lists(seen: _Seen, start: str) -> bool:
    schemas = seen.body.get("schemas")
    return isinstance(schemas, list) and any(isinstance(one, str) and one.startswith(start) for one in schemas)


def _has_paths_as_keys(seen: _Seen) -> bool:
    keys = [
        key
        for one in seen.operations
        if "path" not in one and isinstance(value := one.get("value"), dict)
        for key in value
    ]
    return any(key.startswith("name.") or ("2.0:User:" in key and key.startswith("urn:")) for key in keys)


def _has_okta_id(seen: _Seen) -> bool:
    external = seen.body.get("externalId")
    return isinstance(external, str) and _OKTA_ID.match(external) is not None


def _has_direct_groups(seen: _Seen) -> bool:
    return any(one.get("type") == "direct" and "value" in one for one in seen.elements("groups"))


def _op_in(*ops: str) -> Shows:
    return lambda seen: any(one.get("op") in ops for one in seen.operations)


_SIGNS: Final = (
    _Sign(
        "okta",
        "it has an attribute under Okta's URN",
        lambda seen: any(key.startswith("urn:okta:") for key in seen.body),
    ),
    _Sign("okta", "its externalId is the id of an Okta user", _has_okta_id),
    _Sign("entra-scim2020", "the flag is in its URL", lambda seen: "aadoptscim062020" in seen.parameters),
    _Sign("entra-scim2020", "an operation without path has paths as keys", _has_paths_as_keys),
    _Sign("entra", "it lists Microsoft's own schema", lambda seen: _lists(seen, _ADSCIM)),
    _Sign(
        "entra", "it misspells the enterprise schema as Microsoft's samples do", lambda seen: _lists(seen, _MISSPELLED)
    ),
    _Sign("entra", "its operations are in PascalCase", _op_in("Add", "Replace", "Remove")),
    _Sign("entra", "it brings a $ref of null", lambda seen: any(one.get("$ref", "") is None for one in seen.values)),
    _Sign(
        "entra",
        "it compares primary with a text",
        lambda seen: any('[primary eq "True"]' in str(one.get("path")) for one in seen.operations),
    ),
    _Sign(
        "entra",
        "primary is a text",
        lambda seen: any(one.get("primary") in ("True", "False") for one in seen.elements("roles")),
    ),
    _Sign(
        "entra",
        "it matches by the work e-mail",
        lambda seen: seen.filter.startswith('emails[type eq "work"].value eq '),
    ),
    _Sign("entra", "it checks a manager", lambda seen: _MANAGER_CHECK.match(seen.filter) is not None),
    _Sign(
        "entra",
        "it looks for one group without members",
        lambda seen: seen.parameters.get("excludedattributes") == "members" and " eq " in seen.filter,
    ),
    _Sign("ping-federate", "it filters on emails itself", lambda seen: seen.filter.startswith("emails eq ")),
    _Sign(
        "ping-one", "its filter has a capital operator", lambda seen: _CAPITAL_OPERATOR.match(seen.filter) is not None
    ),
    _Sign("keycloak", "it creates a user inside groups", _has_direct_groups),
    _Sign(
        "google",
        "it creates a user with an address of nothing but a type",
        lambda seen: seen.elements("addresses") == [{"type": "work"}],
    ),
)
