"""When: reads, applies one rule, writes. Knows no web framework, no database and no identity provider."""
