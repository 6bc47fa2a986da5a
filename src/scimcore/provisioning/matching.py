"""Which existing account a create means: by userName, externalId or a verified e-mail, and never by a guess.

Taking over an account by an e-mail that only looks like its owner's is the known attack, so two texts are one only if
they are the same letters. What counts as one value where values are unique is wider (RFC 8265 maps width forms and
folds case); what lies between the two is refused and never linked.
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from inspect import isawaitable
from typing import Final, Literal, TypeAlias, TypeVar, assert_never

import attrs

from scimcore.provisioning.finding import any_of, deciding
from scimcore.provisioning.provenance import provenance_of
from scimcore.rules.compare import folded
from scimcore.rules.delta import elements_of
from scimcore.schema.catalogue import ResourceType
from scimcore.schema.document import Document, Json
from scimcore.storage.protocol import Record, Session

T = TypeVar("T")

MatchKey: TypeAlias = Literal["userName", "externalId", "email"]
EmailCase: TypeAlias = Literal["exact", "any_case"]
OnForeign: TypeAlias = Literal["share", "refuse", "take"]
"""What a connection may do with what another one manages: have a link to it, nothing, or everything."""

IsVerified: TypeAlias = Callable[[Record, str], bool | Awaitable[bool]]
"""Whether the owner of an account has proved that an e-mail address of it is his own."""
IsPrivileged: TypeAlias = Callable[[Record], bool | Awaitable[bool]]
"""Whether an account or a group is too mighty to be linked unless a person decides it."""

MOST_CANDIDATES: Final = 100
"""Where more accounts than this share an address, nobody looks for the one that is meant."""

_PLACES: Final[Mapping[MatchKey, str]] = {"userName": "userName", "externalId": "externalId", "email": "emails.value"}


async def answered(answer: T | Awaitable[T]) -> T:
    """What a hook answers, at once or by waiting."""
    return await answer if isawaitable(answer) else answer


def is_alike(one: str, other: str) -> bool:
    """Whether two texts are the same letters, but for their case.

    Each letter must be the other's only other case. So neither a homoglyph nor a full-width letter is alike to what it
    looks like, nor the Kelvin sign to `k`, `ß` to `ss`, the dotless i to `i`, or an accent typed in two ways to itself.

    >>> is_alike("BJensen@Example.com", "bjensen@example.COM"), is_alike("Éva", "éva"), is_alike("mi\u212ae", "mike")
    (True, True, False)
    """
    if one.isascii() and other.isascii():
        return one.lower() == other.lower()
    return len(one) == len(other) and all(map(_is_same_letter, one, other))


def _is_same_letter(one: str, other: str) -> bool:
    return one == other or _are_cases(one, other) or _are_cases(other, one)


def _are_cases(upper: str, lower: str) -> bool:
    return upper.lower() == lower and lower.upper() == upper


def primary_email(document: Document) -> str | None:
    """The address that an account is reached at: its primary one, else the first; None if it has none.

    >>> primary_email({"emails": [{"value": "a@example.com"}, {"value": "b@example.com", "primary": True}]})
    'b@example.com'
    """
    emails = [one for one in elements_of(document.get("emails")) if isinstance(one, dict)]
    first = next((one for one in emails if one.get("primary") is True), emails[0] if emails else {})
    return _text(first.get("value"))


@attrs.frozen
class Match:
    """An existing account, and what points to it."""

    record: Record
    keys: tuple[MatchKey, ...]


@attrs.frozen
class Matches:
    """What a search for existing accounts came to."""

    found: tuple[Match, ...] = ()
    unverified: tuple[str, ...] = ()
    """The ids of accounts that have the e-mail address and have not proved it."""
    has_look_alike: bool = False
    """Whether an account has a userName that counts as the same value, in other letters."""
    is_incomplete: bool = False
    """Whether there are more that may match than were looked at."""


NOBODY: Final = Matches()


@attrs.frozen
class Matching:
    """By which values of a new account an existing one is found."""

    keys: tuple[MatchKey, ...]
    email: EmailCase = "exact"
    is_verified: IsVerified | None = None
    """Without it no e-mail is held for verified, so that none points to anybody."""

    async def matches(
        self, session: Session, resource_type: ResourceType, document: Document, connection: str
    ) -> Matches:
        """The accounts that *document*, sent by *connection*, points to."""
        values = self._values(document)
        if not values:
            return NOBODY
        sought = any_of(tuple([_PLACES[key] for key in values]), tuple(values.values()))
        page = await session.search(deciding(resource_type, MOST_CANDIDATES + 1).asking(sought))
        candidates = page.records
        if not candidates:
            return NOBODY
        matched: list[Match] = []
        unverified: list[str] = []
        for record in candidates:
            keys = [key for key, value in values.items() if self._points(key, value, record, connection)]
            if "email" in keys and not await self._has_verified(record, values["email"]):
                keys.remove("email")
                unverified.append(record.id)
            if keys:
                matched.append(Match(record, tuple(keys)))
        name = folded(values.get("userName", ""))
        return Matches(
            tuple(matched),
            tuple(unverified),
            has_look_alike=bool(name)
            and any(
                folded(theirs) == name and not is_alike(theirs, values["userName"])
                for record in candidates
                if (theirs := _text(record.document.get("userName"))) is not None
            ),
            is_incomplete=len(candidates) > MOST_CANDIDATES,
        )

    def _values(self, document: Document) -> dict[MatchKey, str]:
        """What *document* is compared by."""
        known: dict[MatchKey, str] = {}
        for key in self.keys:
            if key != "email":
                value = document.get(key)
            else:
                value = None if self.is_verified is None else primary_email(document)
            if value and isinstance(value, str):
                known[key] = value
        return known

    def _points(self, key: MatchKey, value: str, record: Record, connection: str) -> bool:
        provenance = provenance_of(record.document)
        own = provenance.link(connection)
        match key:
            case "userName":
                theirs = _text(record.document.get("userName"))
                called = None if own is None else own.user_name
                return (theirs is not None and is_alike(theirs, value)) or (
                    called is not None and is_alike(called, value)
                )
            case "externalId":
                # Each identity provider numbers people as it likes: another one's number is not this one's.
                is_ours = provenance.managed_by in (None, connection)
                return (is_ours and record.document.get("externalId") == value) or (
                    own is not None and own.external_id == value
                )
            case "email":
                # Whom the connection knows already it knows by name: two of its people may share one address.
                return own is None and any(True for _ in self._addresses(record, value))
            case _ as unreachable:
                assert_never(unreachable)

    def _addresses(self, record: Record, value: str) -> Iterator[str]:
        """The addresses of *record* that are *value*."""
        for element in elements_of(record.document.get("emails")):
            address = _text(element.get("value")) if isinstance(element, dict) else None
            if address == value or (address and self.email == "any_case" and is_alike(address, value)):
                yield address

    async def _has_verified(self, record: Record, value: str) -> bool:
        if self.is_verified is None:
            return False
        for address in self._addresses(record, value):
            if await answered(self.is_verified(record, address)):
                return True
        return False


def _text(value: Json) -> str | None:
    return value if isinstance(value, str) else None
