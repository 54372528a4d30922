"""The table of R4 is what HL7's definitions say."""

import tracemalloc
from pathlib import Path

import pytest

from fhir_api.r4 import definitions
from fhir_api.r4.definitions import codes, is_resource, structure
from tests.validators import are_missing, r4_table

NEEDS_DEFINITIONS = pytest.mark.skipif(are_missing(), reason="HL7's definitions come with the validators")


@NEEDS_DEFINITIONS
def test_the_table_is_not_stale() -> None:
    kept = (Path(definitions.__file__).parent / "definitions.json").read_text()
    made = r4_table.written(r4_table.definitions())
    assert kept == made, "run `.venv/bin/python -m tests.validators.r4_table > fhir_api/r4/definitions.json`"


@NEEDS_DEFINITIONS
def test_every_element_stands_where_its_snapshot_has_it() -> None:
    types, left_out = 0, set()
    for bundle in ("profiles-types", "profiles-resources"):
        for one in r4_table.read(bundle):
            if one["resourceType"] != "StructureDefinition" or not is_resource(one["name"]):
                continue
            paths = (element["path"].split(".") for element in one["snapshot"]["element"])
            listed = [path[1] for path in paths if len(path) == 2]
            known = list(dict.fromkeys(element.definition for element in structure(one["name"]).values()))
            assert [name for name in listed if name in known] == known
            left_out |= {f"{one['name']}.{name}" for name in listed if name not in known}
            types += 1
    assert types == 146
    assert {path for path in left_out if not path.startswith("ResearchStudy.")} == {
        *("Binary.url", "DeviceDefinition.classification", "DeviceDefinition.bodySite"),
        *("HealthcareService.offeredIn", "ObservationDefinition.publisher"),
    }
    assert not {"project", "author", "deleted"} & structure("Meta").keys()  # Medplum's own


def test_names_that_clients_make_up_are_not_kept() -> None:
    is_resource("Patient")
    tracemalloc.start()
    for number in range(10):
        assert not is_resource(f"{number}" * 1_000_000)
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert kept < 1_000_000


def test_what_is_known_of_some_elements() -> None:
    status = structure("Observation")["status"]
    assert (status.least, status.is_list, status.is_summary, status.is_modifier) == (1, False, True, True)
    assert "amended" in codes(status.value_set)["http://hl7.org/fhir/observation-status"]
    assert structure("Observation")["valueQuantity"].definition == "value[x]"
    assert structure("Extension")["url"].is_attribute
    assert structure("Observation.component")["referenceRange"].type == "Observation.referenceRange"
    assert structure("Observation")["encounter"].targets == ("Encounter",)
    assert not structure("Nothing")
    assert [is_resource(name) for name in ("Patient", "Quantity", "Resource", "")] == [
        True,
        False,
        False,
        False,
    ]
