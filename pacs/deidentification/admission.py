"""Which objects may be de-identified: those of which it is known that cleaning their header is enough.

The Basic Profile looks at no pixels, and replaces reports, documents and graphics as a whole (PS3.15 E.2).
What would tell of the patient all the same, or be void, is refused.
"""

from dataclasses import dataclass

from pydicom import uid

from pacs.errors import CannotDeidentify

# Images that by habit have no text in their pixels (PS3.15 E.3.1 note 1): they need not say so
WITHOUT_TEXT = frozenset(
    {
        uid.CTImageStorage,
        uid.EnhancedCTImageStorage,
        uid.LegacyConvertedEnhancedCTImageStorage,
        uid.MRImageStorage,
        uid.EnhancedMRImageStorage,
        uid.LegacyConvertedEnhancedMRImageStorage,
        uid.NuclearMedicineImageStorage,
        uid.PositronEmissionTomographyImageStorage,
        uid.EnhancedPETImageStorage,
        uid.LegacyConvertedEnhancedPETImageStorage,
        uid.ParametricMapStorage,
        uid.SegmentationStorage,
        uid.UID("1.2.840.10008.5.1.4.1.1.66.7"),  # Label Map Segmentation, younger than pydicom's table
        uid.RTDoseStorage,
    }
)

# Images in ordinary light of what people are known by
PHOTOGRAPHS = frozenset(
    {
        uid.VLPhotographicImageStorage,
        uid.DermoscopicPhotographyImageStorage,
        uid.OphthalmicPhotography8BitImageStorage,
        uid.OphthalmicPhotography16BitImageStorage,
    }
)

# Objects without pixels whose content is numbers and codes
OF_NUMBERS = frozenset(
    {
        uid.TwelveLeadECGWaveformStorage,
        uid.GeneralECGWaveformStorage,
        uid.AmbulatoryECGWaveformStorage,
        uid.General32bitECGWaveformStorage,
        uid.HemodynamicWaveformStorage,
        uid.CardiacElectrophysiologyWaveformStorage,
        uid.ArterialPulseWaveformStorage,
        uid.RespiratoryWaveformStorage,
        uid.MultichannelRespiratoryWaveformStorage,
        uid.RoutineScalpElectroencephalogramWaveformStorage,
        uid.ElectromyogramWaveformStorage,
        uid.ElectrooculogramWaveformStorage,
        uid.SleepElectroencephalogramWaveformStorage,
        uid.BodyPositionWaveformStorage,
        uid.MRSpectroscopyStorage,
        uid.SpatialRegistrationStorage,
        uid.DeformableSpatialRegistrationStorage,
        uid.SpatialFiducialsStorage,
        uid.RealWorldValueMappingStorage,
        uid.RTStructureSetStorage,
        uid.RTPlanStorage,
        uid.RTIonPlanStorage,
        uid.RTBeamsTreatmentRecordStorage,
        uid.RTIonBeamsTreatmentRecordStorage,
        uid.RTBrachyTreatmentRecordStorage,
        uid.RTTreatmentSummaryRecordStorage,
    }
)

_STANDARD = "1.2.840.10008."

# MPEG-2, MPEG-4, HEVC (PS3.5 A.4.5 to A.4.11): the streams have sound and notes of their own
_FILMS = "1.2.840.10008.1.2.4.10"

_SECONDARY = "SECONDARY"  # value 2 of Image Type: made after the examination (PS3.3 C.7.6.1.1.2)


@dataclass(frozen=True, slots=True)
class Statements:
    """What an object says of itself that decides.

    The first three are the values of attributes, "" where they are absent.
    overlays_in_pixels: whether an overlay has no data of its own (PS3.5 8.1.2).
    """

    burned_in_annotation: str
    recognizable_visual_features: str
    specimen_label_in_image: str
    image_type: tuple[str, ...]
    overlays_in_pixels: bool

    @property
    def is_told_clean(self) -> bool:
        """Whether it says itself that nothing is burned in."""
        return self.burned_in_annotation == "NO"


def admit(sop_class_uid: str, transfer_syntax_uid: str, has_pixels: bool, statements: Statements) -> None:
    """Let pass what may be de-identified. Raises CannotDeidentify, which says why not, for all else."""
    if not sop_class_uid.startswith(_STANDARD):  # PS3.15 E.1.1 note 6 to Table E.1-1a
        raise CannotDeidentify("its SOP class is private, so that nobody knows what it holds", 0x00080016)
    if has_pixels:
        _admit_pixels(sop_class_uid, transfer_syntax_uid, statements)
    elif sop_class_uid not in OF_NUMBERS:
        raise CannotDeidentify(
            "its text, documents, graphics or sound may name the patient, and cannot be cleaned here"
        )


def _admit_pixels(sop_class_uid: str, transfer_syntax_uid: str, said: Statements) -> None:
    if transfer_syntax_uid.startswith(_FILMS):
        raise CannotDeidentify("the sound and the pictures of a film may show the patient", 0x00020010)
    if said.specimen_label_in_image == "YES" or "LABEL" in said.image_type:
        raise CannotDeidentify("it shows the label of a specimen", 0x00480010)
    if said.overlays_in_pixels:
        raise CannotDeidentify("it has an overlay within its pixels, which may be text", 0x7FE00010)
    known = said.recognizable_visual_features == "YES"
    if known or (sop_class_uid in PHOTOGRAPHS and said.recognizable_visual_features != "NO"):
        raise CannotDeidentify(
            "the patient may be recognized: Recognizable Visual Features must be NO", 0x00280302
        )
    if not said.is_told_clean and not _is_clean_by_habit(sop_class_uid, said):
        raise CannotDeidentify(
            "the patient's name may stand in its pixels: Burned In Annotation must be NO", 0x00280301
        )


def _is_clean_by_habit(sop_class_uid: str, said: Statements) -> bool:
    is_capture = said.image_type[1:2] == (_SECONDARY,)
    return not said.burned_in_annotation and sop_class_uid in WITHOUT_TEXT and not is_capture
