/** Reading DICOM JSON, and saying its values as people do. */

import { locale } from "./i18n.js";

/** The elements that the page reads, PS3.6. */
export const TAG = {
  SOPClassUID: "00080016",
  SOPInstanceUID: "00080018",
  StudyDate: "00080020",
  StudyTime: "00080030",
  AccessionNumber: "00080050",
  Modality: "00080060",
  ModalitiesInStudy: "00080061",
  StudyDescription: "00081030",
  SeriesDescription: "0008103E",
  RecommendedDisplayFrameRate: "00082144",
  AvailableTransferSyntaxUID: "00083002",
  PatientName: "00100010",
  PatientID: "00100020",
  PatientBirthDate: "00100030",
  PatientSex: "00100040",
  CineRate: "00180040",
  FrameTime: "00181063",
  SequenceOfUltrasoundRegions: "00186011",
  RegionSpatialFormat: "00186012",
  RegionLocationMinX0: "00186018",
  RegionLocationMinY0: "0018601A",
  RegionLocationMaxX1: "0018601C",
  RegionLocationMaxY1: "0018601E",
  PhysicalUnitsXDirection: "00186024",
  PhysicalUnitsYDirection: "00186026",
  PhysicalDeltaX: "0018602C",
  PhysicalDeltaY: "0018602E",
  StudyInstanceUID: "0020000D",
  SeriesInstanceUID: "0020000E",
  SeriesNumber: "00200011",
  InstanceNumber: "00200013",
  NumberOfStudyRelatedSeries: "00201206",
  NumberOfStudyRelatedInstances: "00201208",
  NumberOfSeriesRelatedInstances: "00201209",
  NumberOfFrames: "00280008",
  Rows: "00280010",
  Columns: "00280011",
  PixelSpacing: "00280030",
  PixelMeasuresSequence: "00289110",
  SharedFunctionalGroupsSequence: "52009229",
  PerFrameFunctionalGroupsSequence: "52009230",
};

/**
 * All values of an element.
 * @param {import("./api.js").DicomJson} object
 * @param {string} tag
 * @returns {unknown[]}
 */
export function values(object, tag) {
  return (object?.[tag]?.Value ?? []).filter((value) => value !== null);
}

/** @returns {string} the first value as text; empty when there is none */
export function text(object, tag) {
  return String(values(object, tag)[0] ?? "").trim();
}

/** @returns {number} the first value as a number; 0 when there is none */
export function number(object, tag) {
  const value = Number(values(object, tag)[0] ?? 0);
  return Number.isFinite(value) ? value : 0;
}

/**
 * A person's name as "family, given", with the other writing of it in brackets (PS3.5 6.2.1).
 * @param {import("./api.js").DicomJson} object
 * @param {string} tag
 * @returns {string} empty when there is none
 */
export function personName(object, tag) {
  const name = values(object, tag)[0] ?? {};
  const writings = [spoken(name.Alphabetic, ", "), spoken(name.Ideographic, " "), spoken(name.Phonetic, " ")];
  const [first, second] = writings.filter(Boolean);
  return second ? `${first} (${second})` : (first ?? "");
}

/**
 * A DA value in the reader's form.
 * @param {string} date YYYYMMDD
 * @returns {string} the value itself when it is no date
 */
export function formatDate(date) {
  const parts = /^(\d{4})\.?(\d{2})\.?(\d{2})$/.exec(date);
  if (!parts) return date;
  const [year, month, day] = parts.slice(1).map(Number);
  const options = { day: "numeric", month: "short", year: "numeric", timeZone: "UTC" };
  return new Intl.DateTimeFormat(locale(), options).format(Date.UTC(year, month - 1, day));
}

/**
 * A TM value to the minute, as the clock of the place of the study showed it.
 * @param {string} time HHMMSS
 * @returns {string} empty when it is no time
 */
export function formatTime(time) {
  const parts = /^(\d{2}):?(\d{2})/.exec(time);
  if (!parts) return "";
  const options = { hour: "2-digit", minute: "2-digit", timeZone: "UTC" };
  return new Intl.DateTimeFormat(locale(), options).format(Date.UTC(2000, 0, 1, parts[1], parts[2]));
}

/**
 * The patient's age on the day of the study, in whole years.
 * @param {string} birth YYYYMMDD
 * @param {string} day YYYYMMDD
 * @returns {number|null}
 */
export function ageInYears(birth, day) {
  if (!/^\d{8}$/.test(birth) || !/^\d{8}$/.test(day) || day < birth) return null;
  return Math.floor((Number(day) - Number(birth)) / 10000);
}

/** Names in ideographs and syllables are written without a comma. */
function spoken(group, mark) {
  const [family, given, middle, , suffix] = (group ?? "").split("^").map((part) => part.trim());
  const rest = [given, middle].filter(Boolean).join(" ");
  return [[family, rest].filter(Boolean).join(mark), suffix].filter(Boolean).join(" ");
}
