"""`diafana conformance`: the conformance statement, from the tables that the code runs on (ADR 17, 32)."""

from collections.abc import Mapping

from diafana.conformance import (
    annexes,
    character_sets,
    communication,
    configuration,
    dimse_services,
    fhir,
    introduction,
    model,
    other_services,
    overview,
    query_retrieve,
    security,
    status_codes,
    storage,
    web_services,
)
from diafana.conformance.template import Content, filled_in

_MODULES = (
    overview,
    character_sets,
    introduction,
    model,
    dimse_services,
    storage,
    query_retrieve,
    web_services,
    other_services,
    configuration,
    communication,
    status_codes,
    security,
    annexes,
    fhir,
)

CONTENTS: Mapping[str, Content] = {
    number: content for module in _MODULES for number, content in module.SECTIONS.items()
}


def statement() -> str:
    """The page in Markdown."""
    return "\n".join([*overview.cover(), *filled_in(CONTENTS)])
