"""How fast scimcore is, measured beside scim2-server: `make bench`, or `python -m benchmarks`.

Everything printed or written to `docs/` comes from the run that wrote it.
"""
