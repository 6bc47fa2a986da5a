"""Query, paging, precondition and payload cases that other servers were bitten by, as small conversations.

A case that gives a `choice` settles what the RFCs leave open.
"""

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Literal, TypeAlias

import pytest
from pydantic import BaseModel, ConfigDict, Field, JsonValue

from scimcore import GROUP, USER, Limits, ScimProvider
from scimcore.access import BearerTokens, Caller
from scimcore.dialects import Dialect
from scimcore.schema.attribute import Attribute, Mutability
from scimcore.schema.catalogue import ResourceType, Schema
from scimcore.storage import MemoryStorage
from scimcore.storage.protocol import Tenant
from scimcore.testing.transcripts import Answer, Sender, Transcript, play, request_of, sent_in_process

THING: Final = ResourceType(
    name="Thing",
    endpoint="/Things",
    schema=Schema(
        id="urn:example:params:scim:schemas:Thing",
        name="Thing",
        attributes=(Attribute(name="immutable", mutability=Mutability.IMMUTABLE), Attribute(name="label")),
    ),
)
TYPES: Final = {"User": USER, "Group": GROUP, "Thing": THING}
DIALECTS: Final = {"default": Dialect.DEFAULT, "strict": Dialect.STRICT}
TOKEN: Final = "a-token-of-many-characters"

Face: TypeAlias = Literal["sync", "async"]


class Setting(BaseModel):
    """How the provider of a case is made."""

    model_config = ConfigDict(extra="forbid")

    resource_types: list[str] = ["User", "Group"]
    limits: dict[str, int] = {}
    dialect: Literal["default", "strict"] = "default"

    def provider(self) -> ScimProvider:
        return ScimProvider(
            MemoryStorage(),
            authenticate=BearerTokens({TOKEN: Caller(tenant=Tenant("acme"))}),
            resource_types=[TYPES[name] for name in self.resource_types],
            dialect=DIALECTS[self.dialect],
            limits=Limits(**self.limits),
            on_bug=raised,
        )


class Case(BaseModel):
    """A conversation, the provider that it is held with, and why."""

    model_config = ConfigDict(extra="forbid")

    case: str
    why: str
    choice: str = ""
    rfc: list[str] = []
    setting: Setting = Field(default=Setting(), alias="provider")
    names: dict[str, str] = {}
    given: list[JsonValue] = []
    exchanges: list[JsonValue]
    state: list[JsonValue] = []

    def transcript(self) -> Transcript:
        return Transcript.model_validate(
            {
                "client": "query",
                "name": self.case,
                "evidence": self.why,
                "source": "query_cases.json",
                "headers": {"Authorization": "Bearer {token}"},
                **self.model_dump(include={"names", "given", "exchanges", "state"}),
            }
        )


CASES: Final = [
    Case.model_validate(case) for case in json.loads(Path(__file__).with_name("query_cases.json").read_text())
]


def raised(bug: Exception, _: str) -> None:
    raise bug


def sent_to_async_face(provider: ScimProvider) -> Sender:
    def send(method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        response = asyncio.run(provider.handle(request_of(method, path, headers, body)))
        return response.status, response.headers, response.body

    return send


@pytest.mark.parametrize("face", ["sync", "async"])
@pytest.mark.parametrize("case", [pytest.param(one, id=one.case, marks=pytest.mark.rfc(*one.rfc)) for one in CASES])
def test_a_provider_answers_as_the_case_says(case: Case, face: Face) -> None:
    provider = case.setting.provider()
    send = sent_in_process(provider) if face == "sync" else sent_to_async_face(provider)
    play(case.transcript(), send, {"token": TOKEN})
