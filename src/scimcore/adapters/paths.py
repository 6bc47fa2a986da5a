"""Path templates: where in a URL a tenant is named, and where scimcore is mounted then."""

from collections.abc import Iterable
from typing import Final
from urllib.parse import quote, unquote

import attrs

MOUNT: Final = "scimcore.mount"
"""Where a scope (ASGI) or an environment (WSGI) says how a request came to be here: a `Mount`."""

_PLACEHOLDER: Final = "{tenant}"


@attrs.frozen
class Mount:
    """Where scimcore is mounted for one request: the URL without a trailing slash, and the tenant that it names."""

    base_url: str
    tenant: str | None = None


@attrs.frozen
class Match:
    """A path taken apart: the encoded part that mounts, and the tenant in it."""

    mounted: str
    tenant: str | None


@attrs.frozen
class PathTemplate:
    """A path such as `/scim/v2` or `/scim/{tenant}/v2`, segment by segment; None stands for the tenant."""

    segments: tuple[str | None, ...]

    @classmethod
    def parsed(cls, text: str) -> "PathTemplate":
        """The template that *text* writes down; a trailing slash is ignored, `/` alone mounts at the root.

        Raises:
            ValueError: It does not begin with a slash, has an empty segment or one that no client would send, names the
                tenant twice, or has braces elsewhere.

        >>> PathTemplate.parsed("/scim/{tenant}/v2").segments
        ('scim', None, 'v2')
        """
        if not text.startswith("/"):
            raise ValueError("a path begins with a slash")
        words = text.removesuffix("/").split("/")[1:]
        if words.count(_PLACEHOLDER) > 1:
            raise ValueError(f"a path names {_PLACEHOLDER} once")
        for word in words:
            if word in ("", ".", ".."):
                raise ValueError("a path has no empty segment, and neither . nor ..")
            if word != _PLACEHOLDER and (set(word) & set("{}?#%") or not word.isprintable()):
                raise ValueError(f"a segment is {_PLACEHOLDER} or plain text, without braces, %, ? and #")
        return cls(tuple(None if word == _PLACEHOLDER else word for word in words))

    def matched(self, path: str) -> Match | None:
        """How *path*, percent-encoded, begins as this template says; None if it does not.

        >>> PathTemplate.parsed("/scim/{tenant}/v2").matched("/scim/a%2Fb/v2/Users")
        Match(mounted='/scim/a%2Fb/v2', tenant='a/b')
        """
        parts = path.split("/", len(self.segments) + 1)[1 : len(self.segments) + 1]
        if len(parts) < len(self.segments):
            return None
        tenant = None
        for segment, part in zip(self.segments, parts, strict=True):
            if segment is None:
                tenant = unquote(part)
                # Clients take dots out of a path before they send it (RFC 3986 §5.2.4).
                if tenant in ("", ".", ".."):
                    return None
            elif part != segment and unquote(part) != segment:
                return None
        return Match("".join(f"/{part}" for part in parts), tenant)

    def url(self, tenant: str | None) -> str:
        """The path for *tenant*, percent-encoded.

        >>> PathTemplate.parsed("/scim/{tenant}/v2").url("a/b")
        '/scim/a%2Fb/v2'
        """
        return "".join(f"/{quote(tenant or '', safe='') if one is None else quote(one)}" for one in self.segments)


@attrs.frozen
class PathTemplates:
    """Several templates, the longest first: where two fit, the one that says more is meant."""

    templates: tuple[PathTemplate, ...]

    @classmethod
    def parsed(cls, texts: Iterable[str]) -> "PathTemplates":
        """The templates that *texts* write down.

        Raises:
            ValueError: One of them is none, or there is none.
        """
        templates = {PathTemplate.parsed(text) for text in texts}
        if not templates:
            raise ValueError("at least one path is served")
        return cls(tuple(sorted(templates, key=_specificity, reverse=True)))

    def matched(self, path: str) -> tuple[Match, str] | None:
        """How *path*, percent-encoded, begins, and its beginning as this side writes it; None if no template fits."""
        for template in self.templates:
            match = template.matched(path)
            if match is not None:
                return match, template.url(match.tenant)
        return None


def _specificity(template: PathTemplate) -> tuple[int, tuple[str, ...]]:
    # A literal says more than a placeholder; beyond that the order only has to be the same each time.
    return len(template.segments), tuple("" if segment is None else segment for segment in template.segments)
