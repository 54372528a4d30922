/** One study in the list. */

import { studyThumbnail } from "./api.js";
import { TAG, formatDate, formatTime, text, values } from "./dicom.js";
import { el, icon, thumbnail } from "./dom.js";
import { t, textOr } from "./i18n.js";
import { ohifLink } from "./ohif.js";
import { patientLine, patientName, studySize } from "./patient.js";
import { NOT_PICTORIAL } from "./pictures.js";

/**
 * @param {import("./api.js").DicomJson} study
 * @param {boolean} hasOhif
 * @returns {HTMLElement} a list item whose whole face is a link, but for the one to OHIF
 */
export function studyRow(study, hasOhif) {
  const uid = text(study, TAG.StudyInstanceUID);
  const modalities = values(study, TAG.ModalitiesInStudy).map(String);
  const hasPictures = !modalities.length || modalities.some((modality) => !NOT_PICTORIAL.has(modality));
  const accession = text(study, TAG.AccessionNumber);
  return el(
    "li",
    {},
    el(
      "a",
      {
        class: "row",
        href: `?${new URLSearchParams({ study: uid })}`,
        "data-route": "study",
        "data-testid": "study-row",
        "data-uid": uid,
      },
      hasPictures ? thumbnail(studyThumbnail(uid), modalities[0] ?? "") : el("span", { class: "thumb" }, icon("document")),
      cell("patient", patientName(study), patientLine(study).join(" · ")),
      cell(
        "description",
        text(study, TAG.StudyDescription) || t("study.undescribed"),
        accession && t("study.accession", { number: accession }),
      ),
      el("span", { class: "cell modalities" }, ...modalities.map(modalityMark)),
      cell("date", formatDate(text(study, TAG.StudyDate)), formatTime(text(study, TAG.StudyTime))),
      cell("size", ...studySize(study)),
    ),
    hasOhif && ohifLink(uid),
  );
}

function cell(name, first, second) {
  return el(
    "span",
    { class: `cell ${name}` },
    el("span", { class: "first" }, first),
    second && el("span", { class: "second" }, second),
  );
}

function modalityMark(modality) {
  return el("abbr", { class: "modality", title: textOr(`modality.${modality}`, modality) }, modality);
}
