"""Objects that are made without their constructors have all that the constructors would have given them."""

from collections.abc import Sequence

import attrs
import pytest

from scimcore import Request, ScimProvider
from scimcore.access import Caller
from scimcore.engine.events import Event
from scimcore.provisioning import Connection, Intent, Note
from scimcore.rules.filter import parse_filter
from scimcore.schema.standard import USER
from scimcore.storage import MemoryStorage
from scimcore.storage.protocol import Query, Session, Tenant

ACME = Tenant("acme")


@attrs.frozen
class Noting:
    """A policy that remembers what it was asked."""

    seen: list[Intent] = attrs.field(factory=list)

    async def decided(self, intent: Intent, session: Session) -> Intent:  # noqa: ARG002 - the shape of a policy
        self.seen.append(intent)
        return intent.becoming({**(intent.after or {}), "title": "T"}, Note("titled"))


def made_by_the_engine() -> Sequence[object]:
    events: list[Event] = []
    policy = Noting()
    provider = ScimProvider(
        MemoryStorage(),
        authenticate=lambda _: Caller(tenant=ACME, connection="okta"),
        connections=[Connection(name="okta", tenant=ACME, policies=(policy, policy))],
        on_event=events.append,
    )
    assert provider.handle_sync(Request("POST", "/Users", body=b'{"userName": "a"}')).status == 201
    return [*events, *policy.seen, Query(resource_types=(USER,), count=1).asking(parse_filter('userName eq "a"'))]


@pytest.mark.parametrize("kind", [Event, Intent, Query])
def test_none_lacks_an_attribute_and_none_has_another(kind: type[Event | Intent | Query]) -> None:
    made = [one for one in made_by_the_engine() if isinstance(one, kind)]
    assert made
    for one in made:
        assert vars(one).keys() == {field.name for field in attrs.fields(kind)}
        assert attrs.evolve(one) == one


def test_they_are_frozen_and_share_nothing_that_changes() -> None:
    before = Query(resource_types=(USER,), count=1)
    after = before.asking(parse_filter('userName eq "a"'))
    assert before.filter is None
    assert attrs.evolve(after, filter=None) == before
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        after.count = 2  # type: ignore[misc]


def test_an_intent_remembers_every_note() -> None:
    first, second = (one for one in made_by_the_engine() if isinstance(one, Intent))
    assert (first.notes, second.notes) == ((), (Note("titled"),))
    assert second.noting(Note("seen"), Note("again")).notes == (Note("titled"), Note("seen"), Note("again"))
    assert second.noting() is second
