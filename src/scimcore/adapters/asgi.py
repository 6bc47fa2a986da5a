"""`ScimApp`: scimcore as an ASGI 3 application, on its own or mounted in another."""

import attrs

from scimcore.adapters.exchange import Receive, Scope, Send, exchange
from scimcore.engine.provider import ScimProvider


@attrs.frozen
class ScimApp:
    """An ASGI application that answers at `/Users`, `/Groups`, `/Schemas` … below where it is mounted."""

    provider: ScimProvider

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection.

        Raises:
            ValueError: The server speaks a protocol that is neither HTTP, WebSocket nor lifespan.
        """
        match scope["type"]:
            case "http":
                await exchange(self.provider, scope, receive, send)
            case "lifespan":
                await _live(receive, send)
            case "websocket":
                await receive()
                await send({"type": "websocket.close", "code": 1000})
            case other:
                raise ValueError(f"scimcore does not speak {other}")


async def _live(receive: Receive, send: Send) -> None:
    """There is nothing to start or to stop; the server only wants to hear so."""
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
