"""Options: one letter each, together or apart, with their values or without."""

import pytest

from qmailpy.text.options import Options


def parse(*words, letters="abf:"):
    options = Options(["prog", *words], letters)
    return list(options), options.rest


@pytest.mark.parametrize(("words", "found", "rest"), [
    ((), [], []),
    (("x", "-a"), [], ["x", "-a"]),
    (("-a", "x"), [("a", "")], ["x"]),
    (("-ab", "x"), [("a", ""), ("b", "")], ["x"]),
    (("-fx", "y"), [("f", "x")], ["y"]),
    (("-f", "x", "y"), [("f", "x")], ["y"]),
    (("-af", "x", "y"), [("a", ""), ("f", "x")], ["y"]),
    (("-f", "-a"), [("f", "-a")], []),
    (("-f", "", "y"), [("f", "")], ["y"]),
    (("-a", "--", "-b"), [("a", "")], ["-b"]),
    (("-a", "-", "-b"), [("a", "")], ["-", "-b"]),
    (("-a-",), [("a", ""), ("?", "illegal option -- -")], []),
    (("-z", "x"), [("?", "illegal option -- z")], ["x"]),
    (("-:",), [("?", "illegal option -- :")], []),
    (("-f",), [("?", "option requires an argument -- f")], []),
    (("-z", "-a"), [("?", "illegal option -- z")], ["-a"]),
])
def test_options(words, found, rest):
    assert parse(*words) == (found, rest)


def test_the_rest_of_a_word_can_be_passed_over():
    options = Options(["prog", "-axyz", "-b", "rest"], "ab")
    letters = []
    for letter, _ in options:
        letters.append(letter)
        if letter == "a":
            options.skip()
    assert (letters, options.rest) == (["a", "b"], ["rest"])
