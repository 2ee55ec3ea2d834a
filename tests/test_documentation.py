# SPDX-License-Identifier: GPL-2.0
"""What the documentation refers to is there."""
import ast
import re

import pytest
from rig.project import TOP

PAGES = (TOP / "README.md", *sorted((TOP / "Documentation").glob("*.rst")))


def has(path, names):
    """Whether the file has these, a class or test each, one in the other."""
    if not path.exists():
        return False
    body = ast.parse(path.read_text()).body
    for name in names:
        found = [node for node in body if getattr(node, "name", "") == name]
        if not found:
            return False
        body = getattr(found[0], "body", [])
    return True


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_tests(page):
    """Each test that is named."""
    named = set(re.findall(r"(tests/\w+\.py)((?:::\w+)*)", page.read_text()))
    missing = [path + names for path, names in sorted(named)
               if not has(TOP / path, names.split("::")[1:])]
    assert not missing
