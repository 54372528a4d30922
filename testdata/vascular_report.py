"""What an ultrasound device measured in the arteries of the neck, after PS3.16 TID 5100, 5103 and 5104."""

from pydicom import Dataset
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code
from pydicom.uid import ComprehensiveSRStorage

from testdata.content_items import container, modifier, number
from testdata.structured_report import structured_report
from testdata.studies import NECK_US, Study

_CENTIMETRES_PER_SECOND = Code("cm/s", "UCUM", "centimeter per second")


def vascular_report(study: Study = NECK_US, *, series_number: int = 96) -> Dataset:
    """Both internal carotid arteries, their beginnings: peak systolic velocities of 74.5 and 231 cm/s."""
    return structured_report(
        study,
        ComprehensiveSRStorage,
        Code("36440-4", "LN", "Vascular Ultrasound Report"),
        [_section(codes.SCT.Right, "74.5"), _section(codes.SCT.Left, "231")],
        template="5100",
        series_number=series_number,
    )


def _section(side: Code, velocity: str) -> Dataset:
    return container(
        Code("59776-5", "LN", "Findings"),
        modifier(codes.SCT.FindingSite, Code("43119007", "SCT", "Artery of neck")),
        modifier(codes.SCT.Laterality, side),
        container(
            codes.SCT.InternalCarotidArtery,
            modifier(codes.SCT.TopographicalModifier, codes.SCT.Proximal),
            number(
                Code("11726-7", "LN", "Peak Systolic Velocity"),
                velocity,
                _CENTIMETRES_PER_SECOND,
                modifier(codes.DCM.Derivation, codes.SCT.Maximum),
            ),
        ),
    )
