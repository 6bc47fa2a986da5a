"""Limits: how much work one request may ask for, checked before the work is done."""

from typing import Final

import attrs


@attrs.frozen(kw_only=True)
class Limits:
    """Bounds that hold on a public endpoint; exceeding one is 400 or 413 (RFC 7644 §3.7.4, §3.12)."""

    max_body_bytes: int = 4_194_304
    max_json_depth: int = 32
    max_filter_length: int = 10_000
    """In characters, before parsing; for PATCH paths too."""
    max_filter_depth: int = 50
    """Brackets of either kind inside one another."""
    max_filter_terms: int = 200
    """Comparisons and presence tests in one filter."""
    max_operations: int = 1_000
    """PATCH operations in one request."""
    max_patch_work: int = 1_000_000
    """Elements that the operations of one PATCH walk, each operation those of the attribute that it alters."""
    default_page_size: int = 100
    max_page_size: int = 1_000
    inline_members: int = 100
    """A group with more members answers a membership PATCH with 204, so that nothing is loaded to be shown."""
    max_attempts: int = 20
    """How often an update is applied anew after a version clash before it is answered 503."""


DEFAULT_LIMITS: Final = Limits()
