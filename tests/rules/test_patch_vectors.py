"""PATCH cases that other implementations were bitten by: the rule alone, and the same through a provider.

A case that gives a `choice` settles what RFC 7644 §3.5.2 leaves open; `strict` is what a strict dialect answers.
"""

import asyncio
import json
from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import Final, Literal, TypeAlias

import pytest
from pydantic import BaseModel, ConfigDict, JsonValue

from scimcore import GROUP, USER, Limits, Request, Response, ScimError, ScimProvider, patched
from scimcore.access import anonymous
from scimcore.dialects import Dialect
from scimcore.rules.tolerance import STRICT
from scimcore.schema.attribute import Attribute, Mutability, Type
from scimcore.schema.catalogue import ResourceType, Schema
from scimcore.storage import MemoryStorage
from scimcore.storage.protocol import Instant, Record, Tenant

THING: Final = ResourceType(
    name="Thing",
    endpoint="/Things",
    schema=Schema(
        id="urn:example:params:scim:schemas:Thing",
        name="Thing",
        attributes=(
            Attribute(name="immutable", mutability=Mutability.IMMUTABLE),
            Attribute(
                name="scores",
                type=Type.COMPLEX,
                multi_valued=True,
                sub_attributes=(Attribute(name="n", type=Type.INTEGER),),
            ),
        ),
    ),
)
TYPES: Final = {"User": USER, "Group": GROUP, "Thing": THING}
REQUIRED: Final[Mapping[str, Mapping[str, JsonValue]]] = {
    "User": {"userName": "someone"},
    "Group": {"displayName": "team"},
    "Thing": {},
}
MEMBERS: Final = ("1", "2", "3", "a")
"""Users that are there to be members; no other id is anybody's."""
PATCH_OP: Final = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
MOMENT: Final = Instant("2026-01-01T00:00:00.000000Z")

Face: TypeAlias = Literal["sync", "async"]
Json: TypeAlias = dict[str, JsonValue]


class Refusal(BaseModel):
    status: int
    scimType: str | None = None  # noqa: N815 - the name in SCIM's Error message


class Case(BaseModel):
    """A document, operations on it, and the document or the refusal that must come of it."""

    model_config = ConfigDict(extra="forbid")

    case: str
    why: str
    choice: str = ""
    rfc: list[str] = []
    type: Literal["User", "Group", "Thing"]
    given: Json
    operations: list[JsonValue] = []
    times: int = 1
    """How often the operations are repeated in the request."""
    members: int = 0
    """How many members the group has besides those given."""
    message: Json | None = None
    """The whole body, where it is no ordinary one."""
    path: str | None = None
    """Where the request goes, if not to the resource."""
    limits: dict[str, int] = {}
    result: Json = {}
    error: Refusal | None = None
    strict: Refusal | None = None
    schemas: list[str] | None = None
    names: str = ""
    """What the error message must name."""
    rule_only: bool = False
    provider_only: bool = False

    @property
    def location(self) -> str:
        return f"{TYPES[self.type].endpoint}/{self.document()['id']}"

    def document(self) -> Json:
        more: list[JsonValue] = [{"value": f"more{number}"} for number in range(self.members)]
        given = self.given | ({"members": more} if more else {})
        return {"id": "it", **REQUIRED[self.type], **deepcopy(given)}

    def expected(self) -> Json:
        return {"id": "it", **REQUIRED[self.type], **(self.given if self.error else self.result)}

    def body(self) -> Json:
        return self.message or {"schemas": [PATCH_OP], "Operations": self.operations * self.times}


CASES: Final = [
    Case.model_validate(case) for case in json.loads(Path(__file__).with_name("patch_cases.json").read_text())
]


def parameters(cases: list[Case]) -> list[object]:
    return [pytest.param(case, id=case.case, marks=pytest.mark.rfc(*case.rfc)) for case in cases]


@pytest.mark.parametrize(
    "case", parameters([case for case in CASES if case.message is None and not case.provider_only])
)
def test_the_rule_does_what_the_case_says(case: Case) -> None:
    document = case.document()
    before = deepcopy(document)
    if case.error is None:
        result = patched(document, case.operations, TYPES[case.type])
        assert result == case.expected()
        assert (result is document) == (before == case.expected())
    else:
        with pytest.raises(ScimError) as refusal:
            patched(document, case.operations, TYPES[case.type])
        assert (refusal.value.status, refusal.value.scim_type) == (case.error.status, case.error.scimType)
        assert case.names in refusal.value.detail
    assert document == before


@pytest.mark.parametrize("case", parameters([case for case in CASES if case.strict]))
def test_the_strict_rule_keeps_to_the_letter(case: Case) -> None:
    with pytest.raises(ScimError) as refusal:
        patched(case.document(), case.operations, TYPES[case.type], STRICT)
    assert case.strict is not None
    assert (refusal.value.status, refusal.value.scim_type) == (case.strict.status, case.strict.scimType)


class Served:
    """A provider that holds the document of a case, asked through one of its faces."""

    def __init__(self, case: Case, face: Face, dialect: Dialect) -> None:
        self._face = face
        storage = MemoryStorage()
        document = case.document()
        members = {*MEMBERS, *(f"more{number}" for number in range(case.members))} - {document["id"]}
        with storage.session(Tenant("acme")) as session:
            for id in sorted(members):
                session.insert(record(USER, {"id": id, "userName": f"user-{id}"}))
            session.insert(record(TYPES[case.type], document))
        self._provider = ScimProvider(
            storage,
            authenticate=anonymous(tenant="acme"),
            resource_types=TYPES.values(),
            dialect=dialect,
            limits=Limits(**case.limits),
            on_bug=raised,
        )

    def ask(self, method: str, path: str, body: Json | None = None) -> Response:
        content = b"" if body is None else json.dumps(body).encode()
        request = Request(method, path, headers={"content-type": "application/scim+json"}, body=content)
        if self._face == "sync":
            return self._provider.handle_sync(request)
        return asyncio.run(self._provider.handle(request))

    def stored(self, case: Case) -> Json:
        response = self.ask("GET", case.location)
        assert response.status == 200, response.body
        found = json.loads(response.body)
        assert isinstance(found, dict)
        return found


def raised(bug: Exception, _: str) -> None:
    raise bug


def record(resource_type: ResourceType, document: Json) -> Record:
    return Record(
        resource_type=resource_type, id=str(document["id"]), document=document, created=MOMENT, last_modified=MOMENT
    )


def plain(resource: JsonValue, parent: str = "") -> JsonValue:
    """*resource* without what a provider derives."""
    derived = {"schemas", "meta", "$ref", "groups"} | ({"type"} if parent == "members" else set())
    if isinstance(resource, dict):
        return {name: plain(part, name) for name, part in resource.items() if name not in derived}
    return [plain(part, parent) for part in resource] if isinstance(resource, list) else resource


@pytest.mark.parametrize("face", ["sync", "async"])
@pytest.mark.parametrize("case", parameters([case for case in CASES if not case.rule_only]))
def test_a_provider_does_what_the_case_says(case: Case, face: Face) -> None:
    served = Served(case, face, Dialect.DEFAULT)
    before = served.stored(case)
    response = served.ask("PATCH", case.path or case.location, case.body())
    after = served.stored(case)
    if case.error is None:
        assert response.status in (200, 204), response.body
        assert plain(after) == case.expected()
        assert (after["meta"] == before["meta"]) == (plain(before) == case.expected())
        assert response.status == 204 or plain(json.loads(response.body)) == case.expected()
        assert case.schemas in (None, after["schemas"])
    else:
        error = json.loads(response.body)
        assert (response.status, error.get("scimType")) == (case.error.status, case.error.scimType), error
        assert error["status"] == str(case.error.status)
        assert case.names in error["detail"]
        assert after == before


@pytest.mark.parametrize("face", ["sync", "async"])
@pytest.mark.parametrize("case", parameters([case for case in CASES if case.strict]))
def test_a_strict_provider_keeps_to_the_letter(case: Case, face: Face) -> None:
    served = Served(case, face, Dialect.STRICT)
    before = served.stored(case)
    response = served.ask("PATCH", case.location, case.body())
    assert case.strict is not None
    assert (response.status, json.loads(response.body).get("scimType")) == (case.strict.status, case.strict.scimType)
    assert served.stored(case) == before
