"""Policies are tested where they show: at both faces of a provider."""

from tests.engine.conftest import make_face

__all__ = ["make_face"]
