"""ScimProvider: the face that an application holds."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Final, assert_never

from scimcore.access import Authenticator, Caller
from scimcore.dialects import Dialect
from scimcore.engine.answer import Answering, media_type_for
from scimcore.engine.discovery import discovered
from scimcore.engine.environment import Environment, OnBug, random_id, utc_now
from scimcore.engine.events import Event, OnEvent, Recorder
from scimcore.engine.flows import Flows
from scimcore.engine.http import Request, Response
from scimcore.engine.immediate import finish
from scimcore.engine.keyed import keyed_attributes
from scimcore.engine.operation import (
    Create,
    Delete,
    DiscoverConfig,
    DiscoverResourceTypes,
    DiscoverSchemas,
    Operation,
    Options,
    Patch,
    Read,
    Replace,
    Search,
)
from scimcore.engine.routing import operation_of
from scimcore.errors import ForbiddenError, InternalError, NotFoundError, ScimError
from scimcore.provisioning import Connection
from scimcore.rules.limits import DEFAULT_LIMITS, Limits
from scimcore.schema.catalogue import Catalogue, ResourceType
from scimcore.schema.standard import GROUP, USER
from scimcore.storage.protocol import Storage, SyncStorage, Tenant

_READING: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_LONGEST_PATH: Final = 200
_MOST_KEPT: Final = 1_024


class ScimProvider:
    """A SCIM 2.0 service provider (RFC 7644) over a storage.

    *authenticate* makes a Caller of a request or raises UnauthorizedError; it may be asynchronous. *connections* are
    the identity providers that may call, each with its dialect and policies, or what gives a caller's; without any
    everybody is served in *dialect*, and no policy decides. *public_url* is the URL under which clients reach the
    provider; without it the one of each request is used. *record* keeps every change in the transaction that makes it,
    so that neither is there without the other, and refusals; `SqlAudit` is one. *on_event* is told of every change
    after it was committed, and of refusals; *on_bug* of every exception that is no `ScimError`, with its traceback.

    Raises:
        ValueError: Two resource types share a name or an endpoint, or two connections a name; or *public_url* has a
            query.
    """

    def __init__(
        self,
        storage: Storage | SyncStorage,
        *,
        authenticate: Authenticator,
        resource_types: Iterable[ResourceType] = (USER, GROUP),
        dialect: Dialect = Dialect.DEFAULT,
        connections: Iterable[Connection] | Callable[[Caller], Connection] = (),
        limits: Limits = DEFAULT_LIMITS,
        public_url: str | None = None,
        clock: Callable[[], datetime] = utc_now,
        new_id: Callable[[], str] = random_id,
        new_request_id: Callable[[], str] = random_id,
        record: Recorder | None = None,
        on_event: OnEvent | None = None,
        on_bug: OnBug | None = None,
    ) -> None:
        if public_url is not None and ("?" in public_url or "#" in public_url):
            raise ValueError("public_url has a query or a fragment (RFC 7644 §1.3)")
        self.limits = limits
        self._authenticate = authenticate
        self._public_url = public_url
        catalogue = Catalogue(resource_types)
        self._environment = Environment(
            storage=storage,
            catalogue=catalogue,
            keyed={one.name: keyed_attributes(storage, one) for one in catalogue.resource_types},
            connection=Connection(name="", tenant=Tenant(""), dialect=dialect),
            limits=limits,
            clock=clock,
            new_id=new_id,
            new_request_id=new_request_id,
            record=record,
            on_event=on_event,
            on_bug=on_bug,
        )
        self._environment_of = _serving(self._environment, connections)

    async def handle(self, request: Request) -> Response:
        """The response to *request*; a bad request is answered, never raised."""
        answering = self._answering(request)
        caller: Caller | None = None
        try:
            if _is_open(request):
                return discovered(DiscoverConfig(), self._environment, answering)
            found = self._authenticate(request)
            caller = found if isinstance(found, Caller) else await found
            if request.tenant is not None and request.tenant != caller.tenant:
                raise NotFoundError("endpoint")
            environment = self._environment_of(caller)
            if environment.dialect.media_type is not None:
                answering = answering.speaking(environment.dialect.media_type)
            operation = operation_of(request, environment)
            return await _performed(operation, caller, environment, answering)
        except ScimError as error:
            refusal = error
        except Exception as bug:  # noqa: BLE001 - where a bug becomes a report, and a 500 without a word about it
            self._environment.report(bug, answering.request_id)
            return answering.refusal(InternalError(answering.request_id))
        # No longer in the handler, where compiled code must not suspend.
        try:
            await self._tell_refusal(refusal, request, caller, answering)
            return answering.refusal(refusal)
        finally:
            del refusal  # whose traceback holds this frame

    def handle_sync(self, request: Request) -> Response:
        """The response to *request*, without an event loop.

        Raises:
            RuntimeError: The storage, the authenticator or a callback suspended: they need `handle`.
        """
        return finish(self.handle(request))

    def refusal(self, error: ScimError, request: Request | None = None) -> Response:
        """The answer to a request that an adapter refuses before it is a whole Request."""
        return self._answering(request or Request("GET", "/")).refusal(error)

    def _answering(self, request: Request) -> Answering:
        base_url = (self._public_url or request.base_url).rstrip("/")
        request_id = self._environment.new_request_id()
        return Answering(media_type_for(request), base_url, self._environment.catalogue, request_id)

    async def _tell_refusal(
        self, error: ScimError, request: Request, caller: Caller | None, answering: Answering
    ) -> None:
        """Put on record who was not let in, and every change that was asked for and refused; not what was not found."""
        environment = self._environment
        is_reading = request.method in _READING or request.path.lower().endswith("/.search")
        if not environment.is_watched or (is_reading and error.status not in (401, 403)):
            return
        await environment.tell(
            Event(
                happening="unauthenticated" if error.status == 401 else "refused",
                caller=caller,
                resource_type="",
                resource_id="",
                at=environment.now(),
                request_id=answering.request_id,
                reason=f"{request.method} {request.path[:_LONGEST_PATH]}: {error}",
            )
        )


def _serving(
    environment: Environment, connections: Iterable[Connection] | Callable[[Caller], Connection]
) -> Callable[[Caller], Environment]:
    """What gives the settings for a caller, by its connection.

    Raises:
        ValueError: Two connections of one tenant share a name.
    """
    if callable(connections):
        return _serving_any(environment, connections)
    known: dict[tuple[Tenant, str], Environment] = {}
    for connection in connections:
        if (connection.tenant, connection.name) in known:
            raise ValueError(f"the connection {connection.name!r} of {connection.tenant!r} stands twice")
        known[connection.tenant, connection.name] = environment.serving(connection)
    if not known:
        return lambda _: environment

    def serving(caller: Caller) -> Environment:
        found = known.get((caller.tenant, caller.connection))
        if found is None:
            raise ForbiddenError("there is no such connection")
        return found

    return serving


def _serving_any(
    environment: Environment, connection_of: Callable[[Caller], Connection]
) -> Callable[[Caller], Environment]:
    """What gives the settings for a caller; they are kept, for copying them takes longer than authenticating."""
    # By identity, for policies need not be hashable. The settings hold the connection, so that no other has its id.
    kept: dict[int, Environment] = {}

    def serving(caller: Caller) -> Environment:
        connection = connection_of(caller)
        found = kept.get(id(connection))
        if found is None:
            if len(kept) >= _MOST_KEPT:
                kept.clear()
            found = kept[id(connection)] = environment.serving(connection)
        return found

    return serving


async def _performed(operation: Operation, caller: Caller, environment: Environment, answering: Answering) -> Response:
    """The answer to *operation*."""
    _check_scope(operation, caller)
    flows = Flows(environment, caller, answering)
    match operation:
        case Read():
            return await flows.read(operation)
        case Search():
            return await flows.search(operation)
        case Create():
            return await flows.create(operation)
        case Patch():
            return await flows.patch(operation)
        case Replace():
            return await flows.replace(operation)
        case Delete():
            return await flows.delete(operation)
        case DiscoverConfig() | DiscoverResourceTypes() | DiscoverSchemas():
            return discovered(operation, environment, answering)
        case Options():
            return answering.nothing({"allow": ", ".join(operation.allowed)})
        case _:
            assert_never(operation)


def _check_scope(operation: Operation, caller: Caller) -> None:
    needed = "write" if isinstance(operation, (Create, Replace, Patch, Delete)) else "read"
    if needed not in caller.scopes:
        raise ForbiddenError(f"this needs the scope {needed}")


def _is_open(request: Request) -> bool:
    """Whether anyone may ask: the authentication schemes are public (RFC 7643 §5)."""
    is_read = request.method in ("GET", "HEAD") and "filter" not in request.query.lower()
    return is_read and request.path.strip("/").lower() == "serviceproviderconfig"
