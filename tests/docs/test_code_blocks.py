"""Every Python block of the README and of docs/ runs as it stands there, alone."""

from collections.abc import Iterator
from pathlib import Path

import attrs
import pytest
from markdown_it import MarkdownIt

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted(ROOT.glob("docs/**/*.md"))]


@attrs.frozen
class Block:
    page: Path
    line: int
    info: tuple[str, ...]
    code: str

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def blocks(page: Path) -> Iterator[Block]:
    for token in MarkdownIt().parse(page.read_text(encoding="utf-8")):
        if token.type == "fence" and token.map is not None:
            yield Block(page, token.map[0] + 1, tuple(token.info.split()), token.content)


PYTHON_BLOCKS = [block for page in PAGES for block in blocks(page) if block.info[:1] in {("python",), ("py",)}]


def test_the_readme_shows_python() -> None:
    assert any(block.page.name == "README.md" for block in PYTHON_BLOCKS)


@pytest.mark.parametrize("block", PYTHON_BLOCKS, ids=str)
def test_a_python_block_runs_as_it_stands(block: Block, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "no-run" not in block.info, "a block that does not run must not call itself Python"
    monkeypatch.chdir(tmp_path)
    # Blank lines in front make a traceback show the line of the page.
    exec(compile("\n" * block.line + block.code, str(block.page), "exec"), {"__name__": "example"})
