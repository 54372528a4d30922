/** Whom a study is of and what it is, in words. */

import { TAG, ageInYears, formatDate, formatTime, number, personName, text, values } from "./dicom.js";
import { el } from "./dom.js";
import { counted, t, textOr } from "./i18n.js";
import { NOT_PICTORIAL } from "./pictures.js";

/** @returns {string} never empty, so that nobody takes a missing name for a missing patient */
export function patientName(study) {
  return personName(study, TAG.PatientName) || t("patient.unnamed");
}

/** @returns {string[]} what tells patients of one name apart: identifier, birth date with age, sex */
export function patientLine(study) {
  const birth = text(study, TAG.PatientBirthDate);
  const age = ageInYears(birth, text(study, TAG.StudyDate));
  const born = birth && t("patient.born", { date: formatDate(birth) });
  return [
    text(study, TAG.PatientID),
    born && age !== null ? `${born} (${counted("patient.age", age)})` : born,
    textOr(`sex.${text(study, TAG.PatientSex)}`, ""),
  ].filter(Boolean);
}

/** @returns {string[]} date with time, and the accession number */
export function studyLine(study) {
  const date = formatDate(text(study, TAG.StudyDate));
  const accession = text(study, TAG.AccessionNumber);
  return [
    [date, formatTime(text(study, TAG.StudyTime))].filter(Boolean).join(", "),
    accession && t("study.accession", { number: accession }),
  ].filter(Boolean);
}

/** @returns {string[]} how many series, and how many images or other objects */
export function studySize(study) {
  const modalities = values(study, TAG.ModalitiesInStudy);
  const areImages = modalities.length > 0 && !modalities.some((modality) => NOT_PICTORIAL.has(modality));
  return [
    counted("count.series", number(study, TAG.NumberOfStudyRelatedSeries)),
    counted(areImages ? "count.images" : "count.objects", number(study, TAG.NumberOfStudyRelatedInstances)),
  ];
}

/** @returns {HTMLElement} the heading of a study's page */
export function studyHeading(study) {
  const parts = (texts) => texts.map((part) => el("span", {}, part));
  return el(
    "div",
    { class: "study-heading" },
    el(
      "div",
      { class: "who" },
      el("h1", { "data-testid": "patient-name" }, patientName(study)),
      el("p", { class: "facts" }, ...parts(patientLine(study))),
    ),
    el(
      "div",
      { class: "what" },
      el("p", { class: "study-description" }, text(study, TAG.StudyDescription) || t("study.undescribed")),
      el("p", { class: "facts" }, ...parts([...studyLine(study), ...studySize(study)])),
    ),
  );
}
