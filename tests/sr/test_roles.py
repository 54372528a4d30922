from collections.abc import Mapping
from typing import cast

import pytest
from pydicom.dataset import Dataset
from pydicom.sr._concepts_dict import concepts

from sr import roles
from sr.read_content import read_content
from sr.roles import ASIDE_REASONS, Role, parts_of, role_of
from tests.sr.builders import LENGTH, SECTION, SITE, by_reference, code, container, image, num, report, text


def _role(item: Dataset) -> Role:
    return role_of(read_content(report(item)).root.children[0])


def test_the_codes_of_the_tables_are_in_pydicoms_dictionary() -> None:
    table = cast(Mapping[str, Mapping[str, object]], concepts["DCM"])
    known = {code for entries in table.values() for code in entries}
    used = {value for scheme, value in roles.BY_CONCEPT if scheme == "DCM"}
    assert used <= known


def test_every_concept_put_aside_has_a_reason() -> None:
    aside = {key for key, role in roles.BY_CONCEPT.items() if role is Role.ASIDE}
    assert aside == ASIDE_REASONS.keys()
    assert all(ASIDE_REASONS.values())


@pytest.mark.parametrize(
    ("item", "role"),
    [
        (num(LENGTH, "1"), Role.CONTENT),
        (num(LENGTH, "1", rel="HAS PROPERTIES"), Role.COMPONENT),
        (num(LENGTH, "1", rel="INFERRED FROM"), Role.CONTENT),
        (num(LENGTH, "1", rel=""), Role.CONTENT),
        (container(SECTION, rel="HAS PROPERTIES"), Role.CONTENT),
        (code(SITE, LENGTH, rel="CONTAINS"), Role.SITE),
        (image(), Role.OBJECT),
        (by_reference(1, 1), Role.INFERRED),
        (by_reference(1, 1, rel="SELECTED FROM"), Role.OBJECT),
        (text(("121012", "DCM", "Device Observer UID"), "1.2", rel="HAS OBS CONTEXT"), Role.ASIDE),
    ],
)
def test_roles(item: Dataset, role: Role) -> None:
    assert _role(item) is role


def test_parts_keep_the_order_and_have_every_role() -> None:
    parts = parts_of(read_content(report(num(LENGTH, "1"), image(), text(SECTION, "x"))).root)
    assert [item.position for item in parts[Role.CONTENT]] == ["1.1", "1.3"]
    assert parts[Role.METHOD] == []
