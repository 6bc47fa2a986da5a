"""docs/dialects.md says what the code says."""

import subprocess
import sys
from pathlib import Path
from typing import Final

from markdown_it import MarkdownIt

from scimcore.dialects import DIALECTS
from scimcore.dialects.table import dialect_tables

PAGE: Final = Path(__file__).parents[2] / "docs" / "dialects.md"
MARK: Final = "<!-- The rest of this page is generated: python -m scimcore.dialects -->\n\n"


def test_the_page_ends_with_the_tables_of_the_code() -> None:
    _, _, generated = PAGE.read_text(encoding="utf-8").partition(MARK)
    assert generated == dialect_tables()


def test_the_module_prints_the_tables() -> None:
    printed = subprocess.run([sys.executable, "-m", "scimcore.dialects"], capture_output=True, check=True)
    assert printed.stdout.decode() == dialect_tables()


def test_the_page_names_every_dialect() -> None:
    introduction, _, _ = PAGE.read_text(encoding="utf-8").partition(MARK)
    assert [name for name in DIALECTS if f"`{name}`" not in introduction] == []


def test_every_quirk_is_one_row_of_five_cells() -> None:
    tokens = MarkdownIt().enable("table").parse(dialect_tables())
    rows = len([one for one in tokens if one.type == "tr_open"])
    cells = len([one for one in tokens if one.type == "td_open"])
    quirks = sum(len(dialect.quirks) for dialect in DIALECTS.values())
    tables = len([one for one in tokens if one.type == "table_open"])
    assert (rows, cells) == (quirks + tables, quirks * 5)
