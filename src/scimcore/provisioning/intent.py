"""What a request is about to do to one resource, and the shape of what may turn it into something else."""

from collections.abc import Awaitable, Callable
from typing import Literal, Protocol, TypeAlias

import attrs

from scimcore.access import Caller
from scimcore.schema.catalogue import ResourceType
from scimcore.schema.document import Document
from scimcore.schema.made import made
from scimcore.storage.protocol import Instant, Record, Session

Asked: TypeAlias = Literal["create", "replace", "patch", "delete"]


@attrs.frozen
class Note:
    """Something a policy did that the request did not ask for, or did not do although it asked; it goes on record.

    *what* is one word that programs can compare (`adopted`, `suspended`, `skipped`), *detail* is for people.
    """

    what: str
    detail: str = ""


@attrs.frozen(kw_only=True, slots=False)
class Intent:
    """What is about to be written: nothing is yet, and *before* and *after* say all of it.

    Without *before* a resource comes into being, without *after* it ceases to be. Of keyed attributes (a group's
    members, a user's groups) both may hold any part: what was not read is not there, and what is the same in both does
    not change.
    """

    asked: Asked
    """What the client asked for; no policy changes it."""
    caller: Caller
    resource_type: ResourceType
    at: Instant
    """Now."""
    id: str
    """The id that the resource has, or will get."""
    before: Record | None
    after: Document | None
    """The document to be, with its `id`."""
    wanted: Document
    """What the client would have made of it: the document shown if the resource ceases to be in a change of it."""
    named: frozenset[str] = frozenset()
    """Of a PATCH, the attributes that its operations are about, whether or not they change them. What a POST or a PUT
    says is in *wanted*."""
    unknown_members: tuple[str, ...] = ()
    """The ids of new members that do not exist. They are not in *after*."""
    notes: tuple[Note, ...] = ()

    def becoming(self, after: Document | None, *notes: Note) -> "Intent":
        """This intent with another outcome, and why."""
        # attrs.evolve takes four times as long, and this runs for every resource that a connection creates.
        facts = self.__dict__.copy()
        facts["after"], facts["notes"] = after, (*self.notes, *notes)
        return made(Intent, facts)

    def noting(self, *notes: Note) -> "Intent":
        """The same intent, with something to remember about it, if there is."""
        return self.becoming(self.after, *notes) if notes else self


class Policy(Protocol):
    """A decision about accounts, taken in the transaction of the request, before it writes (and anew if it must retry).

    It may look around in the session, and write to other resources than the intent's. It knows no HTTP.
    """

    async def decided(self, intent: Intent, session: Session) -> Intent:
        """*intent* as this policy wants it, the same object if it has no say.

        To adopt an existing resource in the place of a new one, it gives an intent with that record as `before`.

        Raises:
            ScimError: It must not happen at all.
        """


Hook: TypeAlias = Callable[[Intent, Session], Intent | Awaitable[Intent]]
"""A policy that an application writes as a function."""
