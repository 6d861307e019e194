"""Every threat that INTERNALS names has its tests, they are there, and none in tests/trust is without a threat."""

import ast
import pathlib

import pytest

TOP = pathlib.Path(__file__).resolve().parent.parent
TESTS = TOP / "tests"


def threats():
    """{threat: [(file, test)]} as the chapter Threats has them."""
    _, heading, text = (TOP / "INTERNALS").read_text().partition("\n9. Threats\n")
    assert heading
    found, threat = {}, ""
    for line in text.split("\n"):
        if line.startswith(" " * 8):
            found[threat].append(tuple(line.split()))
        elif line.startswith(" " * 4):
            threat = line.strip()
            assert threat not in found
            found[threat] = []
    return found


THREATS = threats()


def names_in(path):
    """The names of the tests in a file."""
    return {node.name for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")}


@pytest.mark.parametrize("threat", THREATS)
def test_each_threat_has_tests_and_they_exist(threat):
    assert THREATS[threat]
    for file, name in THREATS[threat]:
        assert name in names_in(TESTS / file), f"{file} has no {name}"


@pytest.mark.parametrize("path", sorted((TESTS / "trust").glob("test_*.py")), ids=lambda path: path.name)
def test_each_file_of_trust_is_for_a_threat(path):
    assert str(path.relative_to(TESTS)) in {file for tests in THREATS.values() for file, _ in tests}


def test_there_are_as_many_threats_as_ever():
    """None gets lost when the table is written anew."""
    assert len(THREATS) >= 44
