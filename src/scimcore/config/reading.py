"""A configuration file (TOML) becomes a `Configuration`, or a list of everything that is wrong with it."""

import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Final, Literal, TypeAlias
from urllib.parse import urlsplit

import attrs
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PlainValidator,
    TypeAdapter,
    ValidationError,
    ValidationInfo,
)
from pydantic_core import PydanticCustomError

from scimcore.adapters.paths import PathTemplate
from scimcore.config.configuration import DEFAULT_DATABASE, DEFAULT_PATHS, Configuration
from scimcore.config.database import check_database, url_of
from scimcore.config.faults import ConfigurationError, Fault, faults_of, unknown
from scimcore.config.policies import POLICIES, PolicyMaker, policy_made
from scimcore.dialects import DIALECTS, Dialect
from scimcore.errors import InvalidFilterError
from scimcore.provisioning import Connection, Policy
from scimcore.provisioning.provenance import PROVISIONED_GROUP, PROVISIONED_USER
from scimcore.rules.filter import Filter, parse_filter
from scimcore.rules.limits import DEFAULT_LIMITS, Limits
from scimcore.storage.protocol import Tenant

_RESOURCE_TYPES: Final = {one.name: one for one in (PROVISIONED_USER, PROVISIONED_GROUP)}
_LIMITS: Final = {one.name for one in attrs.fields(Limits)}


def read_configuration(path: Path, makers: Mapping[str, PolicyMaker] = POLICIES) -> Configuration:
    """The configuration that a TOML file writes down.

    Raises:
        ConfigurationError: It is no TOML in UTF-8, or says something that cannot be; every fault is named.
        OSError: It cannot be read.
    """
    try:
        settings = tomllib.loads(path.read_bytes().decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as reason:
        raise ConfigurationError([Fault("", f"not TOML in UTF-8: {reason}")]) from None
    return configuration_of(settings, makers)


def configuration_of(settings: Mapping[str, object], makers: Mapping[str, PolicyMaker] = POLICIES) -> Configuration:
    """The configuration that *settings*, as a file has them, write down; *makers* are the policies that there are.

    Raises:
        ConfigurationError: They say something that cannot be; every fault is named.

    >>> configuration_of({"tenants": ["acme"], "connections": [{"name": "okta", "tenant": "acme"}]}).connections[0].name
    'okta'
    """
    faults = list(_faults_between(settings))
    try:
        read = _File.model_validate(settings, context=makers)
    except ValidationError as error:
        raise ConfigurationError([*faults_of(error), *faults]) from None
    if faults:
        raise ConfigurationError(faults)
    return Configuration(
        database=read.database,
        connections=tuple(one.connection() for one in read.connections),
        paths=tuple(read.paths),
        public_url=read.public_url,
        limits=read.limits,
        audit=read.audit,
    )


# What stands in more than one place


def _faults_between(settings: Mapping[str, object]) -> Iterator[Fault]:
    """What no setting shows alone; settings that are not of their type are passed over, as they are named elsewhere."""
    tenants = [one for one in _listed(settings, "tenants") if isinstance(one, str)]
    for one, times in Counter(tenants).items():
        if times > 1:
            yield Fault("tenants", f'"{one}" stands there {times} times')
    seen: dict[tuple[str, str], int] = {}
    for index, connection in enumerate(_listed(settings, "connections")):
        if not isinstance(connection, Mapping):
            continue
        yield from _faults_of_order(connection, f"connections[{index}]")
        name, tenant = connection.get("name"), connection.get("tenant")
        if not isinstance(name, str) or not isinstance(tenant, str):
            continue
        if tenant not in tenants:
            yield Fault(f"connections[{index}].tenant", unknown("tenant", tenant, tenants))
        first = seen.setdefault((tenant, name), index)
        if first != index:
            yield Fault(f"connections[{index}].name", f'"{name}" of "{tenant}" is connections[{first}] already')


_BEFORE: Final = {
    "ownership": ("adoption", "group_adoption"),
    "group_identifiers": ("group_adoption",),
    "leaving": ("ownership",),
}
"""Policy -> which ones must have decided already, if they decide at all."""


def _faults_of_order(connection: Mapping[str, object], place: str) -> Iterator[Fault]:
    tables = [one for one in _listed(connection, "policies") if isinstance(one, Mapping)]
    names = [table.get("policy") for table in tables]
    for index, name in enumerate(names):
        for later in (one for one, earlier in _BEFORE.items() if name in earlier and one in names[:index]):
            yield Fault(f"{place}.policies[{index}]", f'"{name}" decides before "{later}": put it in front of it')


def _listed(settings: Mapping[str, object], name: str) -> list[object]:
    found = settings.get(name)
    return found if isinstance(found, list) else []


# What a file may say


def _dialect(name: object) -> Dialect:
    known = DIALECTS.get(_text(name))
    if known is None:
        raise PydanticCustomError("dialect", "{says}", {"says": unknown("dialect", _text(name), DIALECTS)})
    return known


def _policy(table: object, info: ValidationInfo) -> Policy:
    makers = info.context if isinstance(info.context, Mapping) else POLICIES
    if not isinstance(table, Mapping) or not isinstance(table.get("policy"), str):
        known = ", ".join(sorted(makers)) or "none"
        raise PydanticCustomError(
            "policy", "should be a table that names its policy; known are {known}", {"known": known}
        )
    settings = {name: setting for name, setting in table.items() if name != "policy"}
    return policy_made(table["policy"], settings, makers)


def _limit_name(name: str) -> str:
    if name not in _LIMITS:
        raise PydanticCustomError("limit", "{says}", {"says": unknown("limit", name, _LIMITS)})
    return name


_BOUNDS: Final = TypeAdapter(
    dict[Annotated[str, AfterValidator(_limit_name)], Annotated[int, Field(ge=1, strict=True)]]
)


def _limits(table: object) -> Limits:
    return Limits(**_BOUNDS.validate_python(table))


def _path(text: object) -> str:
    PathTemplate.parsed(_text(text))
    return _text(text)


def _database(text: object) -> str:
    check_database(_text(text))
    return _text(text)


def _audit(found: object) -> bool | str:
    if isinstance(found, bool):
        return found
    url_of(_text(found))
    return _text(found)


def _public_url(text: object) -> str:
    parts = urlsplit(_text(text))
    if parts.scheme not in ("http", "https") or not parts.netloc or parts.query or parts.fragment:
        raise ValueError("should be an http or https URL, without a query or a fragment (RFC 7644 §1.3)")
    return _text(text)


def _visible(text: object) -> Filter:
    try:
        return parse_filter(_text(text))
    except InvalidFilterError as error:
        raise PydanticCustomError("filter", "{says}", {"says": error.detail}) from None


def _bound(filters: Mapping[str, Filter]) -> Mapping[str, Filter]:
    wrong = []
    for name, one in filters.items():
        try:
            one.bound(_RESOURCE_TYPES[name])
        except InvalidFilterError as error:
            wrong.append(f"{name}: {error.detail}")
    if wrong:
        raise PydanticCustomError("filter", "{says}", {"says": "\n".join(wrong)})
    return filters


def _text(value: object) -> str:
    if not isinstance(value, str) or not value or not value.isprintable():
        raise PydanticCustomError("text", "should be text that prints")
    return value


_Dialect: TypeAlias = Annotated[Dialect, PlainValidator(_dialect)]
_Policy: TypeAlias = Annotated[Policy, PlainValidator(_policy)]
_Visible: TypeAlias = Annotated[Filter, PlainValidator(_visible)]
_Limits: TypeAlias = Annotated[Limits, PlainValidator(_limits)]
_Text: TypeAlias = Annotated[str, PlainValidator(_text)]
_Path: TypeAlias = Annotated[str, PlainValidator(_path)]
_Database: TypeAlias = Annotated[str, PlainValidator(_database)]
_Audit: TypeAlias = Annotated[bool | str, PlainValidator(_audit)]
_PublicUrl: TypeAlias = Annotated[str, PlainValidator(_public_url)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, arbitrary_types_allowed=True)


class _Connection(_Strict):
    """A table of `[[connections]]`."""

    name: _Text
    tenant: _Text
    dialect: _Dialect = Dialect.DEFAULT
    visible: Annotated[Mapping[Literal["User", "Group"], _Visible], AfterValidator(_bound)] = {}
    policies: list[_Policy] = []

    def connection(self) -> Connection:
        return Connection(
            name=self.name,
            tenant=Tenant(self.tenant),
            dialect=self.dialect,
            policies=tuple(self.policies),
            visible={str(name): one for name, one in self.visible.items()},
        )


class _File(_Strict):
    """A configuration file."""

    database: _Database = DEFAULT_DATABASE
    public_url: _PublicUrl | None = None
    paths: Annotated[list[_Path], Field(min_length=1)] = list(DEFAULT_PATHS)
    limits: _Limits = DEFAULT_LIMITS
    audit: _Audit = True
    tenants: list[_Text] = []
    connections: list[_Connection] = []
