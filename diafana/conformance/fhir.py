"""Annex A.F: FHIR R4."""

from collections.abc import Iterator, Mapping

from diafana.conformance.markdown import listed, paragraph, table
from diafana.conformance.template import Content
from fhir_api.formats import FORMATS
from fhir_api.search_table import PARAMETERS


def _fhir() -> Iterator[str]:
    yield paragraph(
        "Read, search, `$validate`, past versions of what is kept, `Patient/[id]/$everything`, and "
        "`Binary` for the originals; Observations can be created; Subscription also create, update, "
        f"delete, where addresses to be called are set. In {listed(f'`{one}`' for one in FORMATS)}. "
        "Everything at once by `$export` and `Patient/$export` (Bulk Data Access), as NDJSON. "
        "`/fhir/metadata` tells the same to programs."
    )
    yield from table(
        ("resource", "search parameters"),
        ((name, ", ".join(p.name for p in parameters)) for name, parameters in PARAMETERS.items()),
    )


SECTIONS: Mapping[str, Content] = {"A.F": _fhir}
