"""How HTTP reaches scimcore: each adapter makes a `Request` of what a server hands it and writes the `Response` back.

An adapter knows its gateway interface and nothing of SCIM but the two values, and it needs no dependency.
"""
