"""The table of quirks that docs/dialects.md shows."""

from collections.abc import Iterator

from scimcore.dialects import DEFAULT, DIALECTS, STRICT, Dialect, Quirk


def dialect_tables() -> str:
    """Each dialect with its quirks as a Markdown table, in the order of `DIALECTS`.

    >>> dialect_tables().splitlines()[0]
    '### okta'
    """
    sections = [_section(one) for one in DIALECTS.values() if one not in (DEFAULT, STRICT)]
    return "\n\n".join("\n".join(lines) for lines in sections) + "\n"


def _section(dialect: Dialect) -> Iterator[str]:
    yield f"### {dialect.name}"
    yield ""
    yield "| quirk | who sends it | what we do | needs | source |"
    yield "|---|---|---|---|---|"
    for quirk in dialect.quirks:
        source = f"{'; '.join(quirk.sources)} ({quirk.evidence.value})"
        cells = (quirk.name, quirk.sent, quirk.done, _needs(quirk), source)
        yield f"| {' | '.join(cells)} |"


def _needs(quirk: Quirk) -> str:
    """What in the dialect serves the quirk; nothing where every dialect understands it."""
    parts = [f"`{setting}`" if value else f"`{setting}=False`" for setting, value in quirk.settings.items()]
    rewrites = {one.__name__ for one in (quirk.resource, quirk.message) if one is not None}
    parts += [f"rewrite `{name}`" for name in sorted(rewrites)]
    parts += [f"`bodiless_patches` of {name}" for name in sorted(quirk.bodiless_patches)]
    if quirk.media_type is not None:
        parts.append("`media_type`")
    return ", ".join(parts) or "nothing"
