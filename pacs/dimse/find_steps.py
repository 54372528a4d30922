"""C-FIND on the Modality Worklist model (PS3.4 Annex K)."""

from pydicom import DataElement, Dataset
from pydicom.sequence import Sequence

from pacs.dimse.association import Request
from pacs.dimse.c_find import respond_each
from pacs.dimse.data_set import DataSetWriter, element_of
from pacs.dimse.identifier import keys_of
from pacs.dimse.with_data_set import WithDataSet
from pacs.keys import parse_criteria
from pacs.model import DicomJson
from pacs.procedure_steps.scheduled import ScheduledSteps
from pacs.procedure_steps.scheduled_attributes import KEYS_BY_PATH
from pacs.query import Semantics

# Specific Character Set and Timezone Offset From UTC: they tell how to read the others (K.4.1.1.3.1)
_NOT_KEYS = frozenset({0x00080005, 0x00080201})


class FindSteps(WithDataSet):
    """Answers one query of the worklist, one response a scheduled step."""

    def __init__(self, request: Request, steps: ScheduledSteps) -> None:
        super().__init__(request)
        self._steps = steps

    def answer(self, data_set: Dataset) -> None:
        """Search and answer. Raises InvalidQuery."""
        request = self._request
        keys = keys_of(data_set, KEYS_BY_PATH)
        found = self._steps.search(parse_criteria(keys, Semantics(combined_datetime=True)))
        writer = DataSetWriter(request.context, data_set.get("SpecificCharacterSet"))
        identifiers = (writer.write(_picked(data_set, attributes)) for attributes in found)
        respond_each(request, identifiers, _has_unmatched_keys(data_set))


def _picked(asked: Dataset, attributes: DicomJson) -> Dataset:
    """What of a step was asked for; of a sequence what its item asks for, or all (C.2.2.2.6)."""
    answer = Dataset()
    for element in asked:
        tag = int(element.tag)
        kept = attributes.get(f"{tag:08X}", {"vr": element.VR})
        if tag in _NOT_KEYS:
            continue
        if element.VR == kept["vr"] == "SQ" and element.value and len(element.value[0]):
            picked = [_picked(element.value[0], item) for item in kept.get("Value", ())]
            answer.add(DataElement(tag, "SQ", Sequence(picked)))
        else:
            answer.add(element_of(tag, element.VR, kept))
    return answer


def _has_unmatched_keys(asked: Dataset, above: tuple[int, ...] = ()) -> bool:
    """Whether a key has a value that nothing is compared with here, so that it narrows nothing down."""
    for element in asked:
        path = (*above, int(element.tag))
        if element.VR == "SQ":
            if any(_has_unmatched_keys(item, path) for item in element.value):
                return True
        elif path not in KEYS_BY_PATH and path[-1] not in _NOT_KEYS and not element.is_empty:
            return True
    return False
