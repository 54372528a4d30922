"""What the FHIR API answers is valid for engines of others (FHIR R4)."""

import pytest

from fhir_api.search_table import PARAMETERS
from tests.fhir_api.conftest import World
from tests.validators import Validators

pytestmark = pytest.mark.xdist_group("validators")


@pytest.mark.parametrize("resource_type", PARAMETERS)
def test_resources(world: World, validators: Validators, resource_type: str) -> None:
    resources = world.resources(resource_type)
    assert resources
    assert validators.faults(resources) == []


@pytest.mark.parametrize(
    "path", ["metadata", "ImagingStudy", "Observation?_count=2", "Patient/none", "Nothing"]
)
def test_other_answers(world: World, validators: Validators, path: str) -> None:
    answer = world.client.request("GET", f"/fhir/{path}")
    assert validators.faults([answer.json()]) == []
