"""The patient of the worklist in the place of what was typed, and what keeps it out."""

from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
import structlog
from pydicom import Dataset, dcmread
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian, JPEG2000Lossless
from sqlalchemy import event
from structlog.testing import capture_logs

from pacs.archive import Archive
from pacs.errors import InstanceConflict
from pacs.index import Index
from pacs.model import Coercion, Duplicates, Instance, Level, Outcome, Source
from pacs.procedure_steps.scheduled import ScheduledSteps
from pacs.query import Query
from testdata.compressed import compressed
from testdata.ct import ct_series
from testdata.files import part10
from testdata.procedure_steps import elements, scheduled_step
from tests.pacs.objects import renamed

STUDY = "2.999.44.7"
RULES = Coercion(patient_from_worklist=True)
SENDER = Source("MODALITY", "10.1.2.3")
RIGHT = ("Rossi^Maria", "P1", "19580314", "F")  # of the step
LEFT_OUT = (
    *("IssuerOfPatientID", "IssuerOfPatientIDQualifiersSequence", "IssuerOfAccessionNumberSequence"),
    "SpecificCharacterSet",
)


@pytest.fixture
def steps(index: Index) -> ScheduledSteps:
    return ScheduledSteps(index.worklist)


def image(syntax: str = ExplicitVRLittleEndian, **changes: Any) -> Dataset:
    """A slice of the study of the step, of a patient who is another, all its text in ASCII."""
    (dataset,) = ct_series(slices=1, rows=32, columns=32)
    dataset = compressed(dataset, syntax) if syntax == JPEG2000Lossless else dataset
    if syntax == ImplicitVRLittleEndian:
        dataset.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
    for element in dataset:
        if element.VR in ("LO", "LT", "PN", "SH", "ST", "UT") and not str(element.value).isascii():
            element.value = "Altro"
    for keyword in LEFT_OUT:
        if keyword in dataset:
            delattr(dataset, keyword)
    typed = {
        "StudyInstanceUID": STUDY,
        "AccessionNumber": "A1",
        "PatientName": "Rosi^Mario",
        "PatientID": "P9",
        "PatientBirthDate": "19600101",
        "PatientSex": "M",
        "StudyDescription": "Torace",
        "InstitutionName": "Ospedale",
    }
    for keyword, value in (typed | changes).items():
        setattr(dataset, keyword, value)
    return dataset


def sent(archive: Archive, dataset: Dataset | bytes, rules: Coercion = RULES, **more: Any) -> Outcome:
    incoming = archive.sender(SENDER, rules, **more).begin_part10()
    incoming.write(dataset if isinstance(dataset, bytes) else part10(dataset))
    return archive.store(incoming).outcome


def kept(archive: Archive, dataset: Dataset) -> tuple[Instance, Dataset]:
    instance = archive.instance(dataset.StudyInstanceUID, dataset.SeriesInstanceUID, dataset.SOPInstanceUID)
    with archive.open(instance) as file:
        return instance, dcmread(BytesIO(file.read(0, file.size)))


def patient(dataset: Dataset) -> tuple[str, ...]:
    return tuple(
        str(dataset.get(keyword) or "")
        for keyword in ("PatientName", "PatientID", "PatientBirthDate", "PatientSex")
    )


def after(archive: Archive, dataset: Dataset, rules: Coercion = RULES) -> Dataset:
    """What is kept of an object that is sent."""
    assert sent(archive, dataset, rules) is Outcome.STORED
    return kept(archive, dataset)[1]


def reason_for_leaving(archive: Archive, dataset: Dataset, rules: Coercion = RULES) -> str:
    """Why it is kept as it came, which the log tells once."""
    structlog.reset_defaults()
    with capture_logs() as lines:
        here = after(archive, dataset, rules)
    assert "OriginalAttributesSequence" not in here
    assert patient(here) == patient(dataset)
    (line,) = (one for one in lines if one["event"] == "patient not taken from the worklist")
    assert line["study"] == STUDY
    assert set(line) == {"event", "log_level", "study", "reason"}
    return str(line["reason"])


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian, JPEG2000Lossless])
def test_the_patient_of_the_worklist_is_put_in_and_what_was_typed_kept(
    archive: Archive, steps: ScheduledSteps, syntax: str
) -> None:
    authority = elements(UniversalEntityID="2.999.1", UniversalEntityIDType="ISO")
    issuer: dict[str, Any] = {
        "IssuerOfPatientID": "OSP",
        "IssuerOfPatientIDQualifiersSequence": [authority],
    }
    steps.create(scheduled_step(study=STUDY, **issuer))
    dataset = image(syntax)
    here = after(archive, dataset)
    assert patient(here) == RIGHT
    assert here.IssuerOfPatientID == "OSP"
    assert here.IssuerOfPatientIDQualifiersSequence[0].UniversalEntityID == "2.999.1"
    (item,) = here.OriginalAttributesSequence
    assert (item.ModifyingSystem, item.SourceOfPreviousValues) == ("DIAFANA", "MODALITY")
    assert item.ReasonForTheAttributeModification == "CORRECT"
    (old,) = item.ModifiedAttributesSequence
    assert patient(old) == patient(dataset)
    assert old["IssuerOfPatientID"].is_empty
    for keyword in ("OriginalAttributesSequence", "IssuerOfPatientID", "IssuerOfPatientIDQualifiersSequence"):
        delattr(here, keyword)
    for element in old:
        if element.keyword in dataset:
            here[element.tag] = element
    assert here == dcmread(BytesIO(part10(dataset)))


def test_it_is_found_by_the_right_patient(archive: Archive, steps: ScheduledSteps) -> None:
    steps.create(scheduled_step(study=STUDY))
    sent(archive, image())
    (study,) = archive.search(Query(Level.STUDY))
    assert study.get("00100020")["Value"] == ["P1"]
    assert study.get("00100010")["Value"] == [{"Alphabetic": "Rossi^Maria"}]


def test_only_what_differs_is_put_in(archive: Archive, steps: ScheduledSteps) -> None:
    steps.create(scheduled_step(study=STUDY))
    typed = dict(zip(("PatientName", "PatientID", "PatientBirthDate", "PatientSex"), RIGHT, strict=True))
    here = after(archive, image(**typed | {"PatientSex": "M"}))
    assert patient(here) == RIGHT
    (old,) = here.OriginalAttributesSequence[0].ModifiedAttributesSequence
    assert [element.keyword for element in old] == ["PatientSex"]
    same = renamed(image(**typed | {"PatientName": "Rossi^Maria^^^"}), "2.999.44.8")
    assert "OriginalAttributesSequence" not in after(archive, same)


def test_nobody_is_made_of_two_patients(archive: Archive, steps: ScheduledSteps) -> None:
    step = scheduled_step(study=STUDY) | elements(PatientBirthDate=None, PatientSex=None)
    steps.create(step)
    of_him: dict[str, Any] = {
        "OtherPatientNames": "Rosi",
        "PatientAddress": "Via Roma 1",
        "PatientTelephoneNumbers": "011 234",
        "MedicalRecordLocator": "MRN 77",
        "PatientAge": "066Y",
        "EthnicGroup": "X",
        "PatientComments": "Rosi",
        "ResponsiblePerson": "Rosi^Anna",
        "ReferencedPatientSequence": [Dataset()],
    }
    here = after(archive, image(IssuerOfPatientID="ELSEWHERE", PatientWeight="70", **of_him))
    assert patient(here) == ("Rossi^Maria", "P1", "", "")
    assert "IssuerOfPatientID" not in here
    assert [keyword for keyword in of_him if keyword in here] == []
    assert here.PatientWeight == 70
    (old,) = here.OriginalAttributesSequence[0].ModifiedAttributesSequence
    assert (old.IssuerOfPatientID, old.OtherPatientNames, old.PatientSex) == ("ELSEWHERE", "Rosi", "M")
    assert [keyword for keyword in of_him if keyword not in old] == []


def test_of_the_same_patient_what_the_worklist_does_not_know_stays(
    archive: Archive, steps: ScheduledSteps
) -> None:
    steps.create(scheduled_step(study=STUDY) | elements(PatientBirthDate=None, PatientSex=None))
    here = after(archive, image(PatientID="P1", IssuerOfPatientID="OSP"))
    assert patient(here) == ("Rossi^Maria", "P1", "19600101", "M")
    assert here.IssuerOfPatientID == "OSP"


def test_the_issuer_of_the_sender_goes_with_an_id_without_one(
    archive: Archive, steps: ScheduledSteps
) -> None:
    steps.create(scheduled_step(study=STUDY))
    rules = RULES._replace(issuer_of_patient_id="OSP", issuer_of_accession_number="RIS")
    here = after(archive, image(), rules)
    assert (*patient(here)[:2], here.IssuerOfPatientID) == ("Rossi^Maria", "P1", "OSP")
    items = here.OriginalAttributesSequence
    assert [item.ReasonForTheAttributeModification for item in items] == ["COERCE", "CORRECT"]
    other = renamed(image(IssuerOfPatientID="ELSEWHERE"), "2.999.44.8")
    here = after(archive, other, rules)
    assert here.IssuerOfPatientID == "OSP"
    assert here.OriginalAttributesSequence[1].ModifiedAttributesSequence[0].IssuerOfPatientID == "ELSEWHERE"


# What keeps it out


def test_other_studies_are_left_alone(archive: Archive, steps: ScheduledSteps) -> None:
    steps.create(scheduled_step(study=STUDY))
    here = after(archive, image(StudyInstanceUID="2.999.44.9"))
    assert patient(here) == patient(image())


def test_senders_without_the_rule_are_left_alone(archive: Archive, steps: ScheduledSteps) -> None:
    steps.create(scheduled_step(study=STUDY))
    assert patient(after(archive, image(), Coercion())) == patient(image())


def test_an_accession_number_of_another_order(archive: Archive, steps: ScheduledSteps) -> None:
    steps.create(scheduled_step(study=STUDY))
    assert "accession number" in reason_for_leaving(archive, image(AccessionNumber="A2"))


def test_no_accession_number_contradicts_nothing(archive: Archive, steps: ScheduledSteps) -> None:
    steps.create(scheduled_step(study=STUDY))
    assert patient(after(archive, image(AccessionNumber=""))) == RIGHT


def test_steps_of_different_patients(archive: Archive, steps: ScheduledSteps) -> None:
    steps.create(scheduled_step(study=STUDY))
    steps.create(scheduled_step("SPS2", study=STUDY, patient_id="P2"))
    assert "do not say the same" in reason_for_leaving(archive, image())


@pytest.mark.parametrize("silent", ["SPS1", "SPS2"])
def test_what_one_step_of_a_patient_leaves_out_the_other_says(
    archive: Archive, steps: ScheduledSteps, silent: str
) -> None:
    for name in ("SPS1", "SPS2"):
        left_out = elements(PatientSex=None, PatientBirthDate=None) if name == silent else {}
        steps.create(scheduled_step(name, study=STUDY) | left_out)
    assert patient(after(archive, image())) == RIGHT


def test_several_steps_of_one_patient(archive: Archive, steps: ScheduledSteps) -> None:
    steps.create(scheduled_step(study=STUDY))
    steps.create(scheduled_step("SPS2", study=STUDY, step={"ScheduledProcedureStepStatus": "COMPLETED"}))
    assert patient(after(archive, image())) == RIGHT


def test_a_step_that_was_taken_off_says_nothing(archive: Archive, steps: ScheduledSteps) -> None:
    steps.delete(*steps.create(scheduled_step(study=STUDY)))
    assert patient(after(archive, image())) == patient(image())


# Character sets


@pytest.mark.parametrize(
    ("stated", "name", "then"),
    [
        ("ISO_IR 100", "D'Alò^Niccolò", "ISO_IR 100"),
        ("ISO_IR 192", "Wałęsa^Zoë", "ISO_IR 192"),
        ("ISO_IR 144", "Иванов^Иван", "ISO_IR 144"),
        ("GB18030", "Wang^XiaoDong=王^小东", "GB18030"),
        ("ISO_IR 100", "Wałęsa^Lech", "ISO_IR 192"),
        (None, "D'Alò^Niccolò", "ISO_IR 192"),
        (["", "ISO 2022 IR 87"], "Yamada^Tarou=山田^太郎", ["", "ISO 2022 IR 87"]),
        (["ISO 2022 IR 6", "ISO 2022 IR 100"], "Ștefan^Ioan", "ISO_IR 192"),
    ],
)
def test_a_name_is_written_so_that_it_is_read_as_it_is(
    archive: Archive, steps: ScheduledSteps, stated: Any, name: str, then: Any
) -> None:
    groups = dict(zip(("Alphabetic", "Ideographic", "Phonetic"), name.split("="), strict=False))
    steps.create(scheduled_step(study=STUDY) | {"00100010": {"vr": "PN", "Value": [groups]}})
    dataset = image(SpecificCharacterSet=stated) if stated else image()
    here = after(archive, dataset)
    assert here.get("SpecificCharacterSet") == then
    assert here.PatientName == name
    assert patient(here.OriginalAttributesSequence[0].ModifiedAttributesSequence[0])[0] == "Rosi^Mario"
    instance, _ = kept(archive, dataset)
    assert archive.metadata(instance)["00100010"]["Value"] == [groups]
    (study,) = archive.search(Query(Level.STUDY))
    assert study.get("00100010")["Value"] == [groups]


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian, JPEG2000Lossless])
def test_where_the_character_set_cannot_hold_a_name_all_text_is_in_utf_8(
    archive: Archive, steps: ScheduledSteps, syntax: str
) -> None:
    steps.create(scheduled_step(study=STUDY, name="Wałęsa^Lech"))
    dataset = image(syntax, SpecificCharacterSet="ISO_IR 100", InstitutionName="Città della Salute")
    dataset.PatientName, dataset.ReasonForStudy = "Rosì^Mario", "perché"
    earlier, inner = Dataset(), Dataset()
    inner.SpecificCharacterSet, inner.PatientName = "ISO_IR 144", "Иванов^Иван"
    earlier.ModifiedAttributesSequence, earlier.SourceOfPreviousValues = [inner], "Città"
    dataset.OriginalAttributesSequence = [earlier]
    here = after(archive, dataset)
    assert (here.SpecificCharacterSet, here.PatientName) == ("ISO_IR 192", "Wałęsa^Lech")
    assert (here.InstitutionName, here.ReasonForStudy) == ("Città della Salute", "perché")
    before, ours = here.OriginalAttributesSequence
    assert before.SourceOfPreviousValues == "Città"
    assert before.ModifiedAttributesSequence[0].PatientName == "Иванов^Иван"
    (old,) = ours.ModifiedAttributesSequence
    assert (old.SpecificCharacterSet, old.PatientName) == ("ISO_IR 100", "Rosì^Mario")
    for element in old:
        if element.keyword in dataset:
            here[element.tag] = element
    del here.OriginalAttributesSequence, dataset.OriginalAttributesSequence
    assert here == dcmread(BytesIO(part10(dataset)))


def test_text_that_is_not_of_its_character_set_is_left_alone(archive: Archive, steps: ScheduledSteps) -> None:
    steps.create(scheduled_step(study=STUDY, name="Wałęsa^Lech"))
    content = part10(image(SpecificCharacterSet="GBK", InstitutionName="Citta"))
    content = content.replace(b"Citta ", b"Citt\xff ")
    structlog.reset_defaults()
    with capture_logs() as lines:
        assert sent(archive, content) is Outcome.STORED
    assert "OriginalAttributesSequence" not in kept(archive, image())[1]
    assert "character set" in lines[0]["reason"]


def test_text_of_no_stated_character_set_is_left_alone(archive: Archive, steps: ScheduledSteps) -> None:
    steps.create(scheduled_step(study=STUDY, name="D'Alò^Niccolò"))
    content = part10(image(InstitutionName="Citta"))
    content = content.replace(b"Citta ", "Città ".encode("latin-1"))
    assert sent(archive, content) is Outcome.STORED
    assert "OriginalAttributesSequence" not in kept(archive, image())[1]


def test_the_character_set_of_the_sender_is_that_of_the_name(archive: Archive, steps: ScheduledSteps) -> None:
    steps.create(scheduled_step(study=STUDY, name="D'Alò^Niccolò"))
    rules = RULES._replace(character_set="ISO_IR 100")
    content = part10(image(InstitutionName="Citta", PatientName="Rosi^Niccolo"))
    content = content.replace(b"Citta ", "Città ".encode("latin-1"))
    content = content.replace(b"Rosi^Niccolo", "Rosi^Niccolò".encode("latin-1"))
    assert sent(archive, content, rules) is Outcome.STORED
    here = kept(archive, image())[1]
    assert (here.SpecificCharacterSet, here.PatientName) == ("ISO_IR 100", "D'Alò^Niccolò")
    assert here.InstitutionName == "Città"
    left_out, wrong = here.OriginalAttributesSequence
    assert left_out.ModifiedAttributesSequence[0]["SpecificCharacterSet"].is_empty
    assert wrong.ModifiedAttributesSequence[0].PatientName == "Rosi^Niccolò"


@pytest.mark.parametrize("stated", ["ISO_IR 100", "ISO_IR 192", None])
def test_a_code_that_is_none_keeps_the_patient_out(
    archive: Archive, steps: ScheduledSteps, stated: str | None
) -> None:
    steps.create(scheduled_step(study=STUDY) | elements(PatientSex="é"))
    dataset = image(SpecificCharacterSet=stated) if stated else image()
    assert "cannot hold" in reason_for_leaving(archive, dataset)


# Coming again


def test_coming_again_it_is_the_same_whatever_the_worklist_says_by_then(
    archive: Archive, steps: ScheduledSteps, tmp_path: Path
) -> None:
    steps.create(scheduled_step(study=STUDY))
    dataset = image()
    sent(archive, dataset)
    before, _ = kept(archive, dataset)
    assert sent(archive, dataset) is Outcome.ALREADY_STORED
    steps.put(STUDY, "SPS1", scheduled_step(study=STUDY, name="Rossi^Maria Pia"))
    assert sent(archive, dataset) is Outcome.ALREADY_STORED
    assert sent(archive, dataset, duplicates=Duplicates.REPLACE) is Outcome.ALREADY_STORED
    steps.delete(STUDY, "SPS1")
    assert sent(archive, dataset) is Outcome.ALREADY_STORED
    assert sent(archive, dataset, Coercion()) is Outcome.ALREADY_STORED
    assert kept(archive, dataset)[0] == before
    assert list((tmp_path / "quarantine").glob("*.dcm")) == []
    assert len(list((tmp_path / "objects").glob("**/*.dcm"))) == 1


def test_other_content_is_a_conflict_and_set_aside_once(
    archive: Archive, steps: ScheduledSteps, tmp_path: Path
) -> None:
    steps.create(scheduled_step(study=STUDY))
    sent(archive, image())
    for _ in range(2):
        with pytest.raises(InstanceConflict):
            sent(archive, image(StudyDescription="Addome"))
    assert len(list((tmp_path / "quarantine").glob("*.dcm"))) == 1


def test_other_content_takes_the_place_with_the_right_patient(
    archive: Archive, steps: ScheduledSteps
) -> None:
    steps.create(scheduled_step(study=STUDY))
    sent(archive, image())
    changed = image(StudyDescription="Addome")
    assert sent(archive, changed, duplicates=Duplicates.REPLACE) is Outcome.REPLACED
    here = kept(archive, changed)[1]
    assert (patient(here), here.StudyDescription) == (RIGHT, "Addome")


def test_what_it_came_as_is_in_the_file(archive: Archive, steps: ScheduledSteps) -> None:
    """So that an index that was made anew knows it again."""
    steps.create(scheduled_step(study=STUDY))
    sent(archive, image())
    instance, _ = kept(archive, image())
    archive.deletion.delete(STUDY, None, None, "10.1.2.3")
    archive.deletion.restore(STUDY)
    steps.delete(STUDY, "SPS1")
    assert sent(archive, image()) is Outcome.ALREADY_STORED
    assert kept(archive, image())[0] == instance


def test_the_worklist_is_asked_once_for_a_study(
    archive: Archive, steps: ScheduledSteps, index: Index
) -> None:
    steps.create(scheduled_step(study=STUDY))
    asked: list[str] = []

    def note(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        asked.extend([statement] if "scheduled_step" in statement else [])

    event.listen(index._engine, "before_cursor_execute", note)
    sender = archive.sender(SENDER, RULES)
    for number in range(3):
        incoming = sender.begin_part10()
        incoming.write(part10(renamed(image(), f"2.999.44.10.{number}")))
        archive.store(incoming)
    assert len(asked) == 1
    assert {patient(kept(archive, renamed(image(), f"2.999.44.10.{n}"))[1]) for n in range(3)} == {RIGHT}
