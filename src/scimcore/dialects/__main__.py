"""Prints the tables of docs/dialects.md: `python -m scimcore.dialects`."""

import sys

from scimcore.dialects.table import dialect_tables

sys.stdout.write(dialect_tables())
