"""C-FIND on the Modality Worklist model (PS3.4 Annex K)."""

from pacs.dimse.association import Request
from pacs.dimse.c_find import respond_each
from pacs.dimse.data_set import DataSetWriter, asked_in
from pacs.dimse.identifier import keys_of
from pacs.dimse.with_data_set import WithDataSet
from pacs.keys import parse_criteria
from pacs.model import DicomJson
from pacs.procedure_steps.scheduled import ScheduledSteps
from pacs.procedure_steps.scheduled_attributes import KEYS_BY_PATH
from pacs.query import Semantics

# Specific Character Set and Timezone Offset From UTC: they tell how to read the others (K.4.1.1.3.1)
_NOT_KEYS = frozenset({"00080005", "00080201"})


class FindSteps(WithDataSet):
    """Answers one query of the worklist, one response a scheduled step."""

    def __init__(self, request: Request, steps: ScheduledSteps) -> None:
        super().__init__(request)
        self._steps = steps

    def answer(self, data_set: DicomJson) -> None:
        """Search and answer. Raises InvalidQuery."""
        request = self._request
        keys = keys_of(data_set, KEYS_BY_PATH)
        found = self._steps.search(parse_criteria(keys, Semantics(combined_datetime=True)))
        writer = DataSetWriter(request.context, asked_in(data_set))
        identifiers = (writer.write(_picked(data_set, attributes)) for attributes in found)
        respond_each(request, identifiers, _has_unmatched_keys(data_set))


def _picked(asked: DicomJson, attributes: DicomJson) -> DicomJson:
    """What of a step was asked for; of a sequence what its item asks for, or all (C.2.2.2.6)."""
    answer: DicomJson = {}
    for key, element in asked.items():
        if key in _NOT_KEYS:
            continue
        kept = attributes.get(key, {"vr": element["vr"]})
        items = element.get("Value") if element["vr"] == kept["vr"] == "SQ" else None
        if items and items[0]:
            answer[key] = {"vr": "SQ", "Value": [_picked(items[0], item) for item in kept.get("Value", ())]}
        else:
            answer[key] = kept
    return answer


def _has_unmatched_keys(asked: DicomJson, above: tuple[int, ...] = ()) -> bool:
    """Whether a key has a value that nothing is compared with here, so that it narrows nothing down."""
    for key, element in asked.items():
        path = (*above, int(key, 16))
        if element["vr"] == "SQ":
            if any(_has_unmatched_keys(item, path) for item in element.get("Value", ())):
                return True
        elif path not in KEYS_BY_PATH and key not in _NOT_KEYS and element.keys() > {"vr"}:
            return True
    return False
