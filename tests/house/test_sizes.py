"""Small rooms: the sizes that design.md sets, measured."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("diafana", "pacs", "dicomweb", "sr", "fhir_api", "viewer", "hl7v2", "bench", "testdata")

# Generated, or tables of the standards with nothing to read but rows.
EXEMPT = {"pacs/index/migrations/versions"}


def modules() -> list[Path]:
    found = [path for package in PACKAGES for path in (ROOT / package).rglob("*.py")]
    return [path for path in found if path.relative_to(ROOT).parent.as_posix() not in EXEMPT]


def functions(path: Path) -> Iterator[tuple[str, int]]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            name = f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"
            yield name, (node.end_lineno or node.lineno) - node.lineno + 1


def ninth_decile(sizes: list[int]) -> int:
    return sorted(sizes)[len(sizes) * 9 // 10]


def test_modules_are_small() -> None:
    sizes = {path.relative_to(ROOT).as_posix(): len(path.read_text().splitlines()) for path in modules()}
    assert len(sizes) > 50
    assert {name: size for name, size in sizes.items() if size > 500} == {}
    assert ninth_decile(list(sizes.values())) <= 300


def test_functions_are_small() -> None:
    sizes = dict(pair for path in modules() for pair in functions(path))
    assert len(sizes) > 300
    assert {name: size for name, size in sizes.items() if size > 60} == {}
    assert ninth_decile(list(sizes.values())) <= 30


def test_no_registry_address_is_written_down() -> None:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    assert lines
    assert [line for line in lines if "://" in line or "--" in line] == []
