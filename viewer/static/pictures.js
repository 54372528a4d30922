/** What there is to see in a series: pictures to scroll through, documents, films, or nothing to draw. */

import { TAG, number, text, values } from "./dicom.js";

// PS3.4 B.5
const ENCAPSULATED_PDF = "1.2.840.10008.5.1.4.1.1.104.1";
// PS3.6 A: MPEG-2, MPEG-4 and HEVC lie between these numbers of 1.2.840.10008.1.2.4
const VIDEO_SYNTAX = /^1\.2\.840\.10008\.1\.2\.4\.10[0-8](\.1)?$/;
// Seldom what one wants to see first
const SECONDARY = new Set(["SEG", "OT", "SC", "RTDOSE"]);

/** Modalities whose objects bear data for programs or readers, but no picture. */
export const NOT_PICTORIAL = new Set(
  ["SR", "PR", "KO", "DOC", "REG", "RTSTRUCT", "RTPLAN", "RTRECORD", "FID", "RWV", "PLAN", "M3D", "AU"],
);

/**
 * @typedef {object} Picture
 * @property {"image"|"pdf"|"video"|"none"} kind
 * @property {string} study @property {string} series @property {string} instance
 * @property {number} [frame] from 1; absent when the instance has one picture
 * @property {number} frames of the instance
 * @property {number} number its place among the instances of the series, from 1, of @property {number} instances
 * @property {number} rows @property {number} columns 0 when unknown
 */

/**
 * One entry for each picture of the series, in order; each frame is a picture.
 * @param {import("./api.js").DicomJson} series
 * @param {import("./api.js").DicomJson[]} instances
 * @returns {Picture[]}
 */
export function picturesOf(series, instances) {
  const modality = text(series, TAG.Modality);
  const uids = { study: text(series, TAG.StudyInstanceUID), series: text(series, TAG.SeriesInstanceUID) };
  return instances.flatMap((instance, place) => {
    const kind = kindOf(instance, modality);
    const frames = kind === "image" ? Math.max(1, number(instance, TAG.NumberOfFrames)) : 1;
    const picture = {
      ...uids,
      kind,
      frames,
      instance: text(instance, TAG.SOPInstanceUID),
      number: place + 1,
      instances: instances.length,
      rows: number(instance, TAG.Rows),
      columns: number(instance, TAG.Columns),
    };
    if (frames === 1) return [picture];
    return Array.from({ length: frames }, (_, index) => ({ ...picture, frame: index + 1 }));
  });
}

/** @returns {boolean} whether the series is likely to have pictures, from what its entry says */
export function isPictorial(series) {
  return !NOT_PICTORIAL.has(text(series, TAG.Modality));
}

/** @returns {import("./api.js").DicomJson} the series to show first: the first one of pictures as acquired */
export function firstToShow(series) {
  const isAcquired = (one) => isPictorial(one) && !SECONDARY.has(text(one, TAG.Modality));
  return series.find(isAcquired) ?? series.find(isPictorial) ?? series[0];
}

/**
 * Pictures a second, as the device asks or else measured (PS3.3 C.7.6.5).
 * @param {import("./api.js").DicomJson} metadata of one instance
 * @returns {number} from 1 to 60; 10 when nothing is said
 */
export function framesPerSecond(metadata) {
  const frameTime = number(metadata, TAG.FrameTime);
  const rate =
    number(metadata, TAG.RecommendedDisplayFrameRate) ||
    number(metadata, TAG.CineRate) ||
    (frameTime > 0 ? 1000 / frameTime : 10);
  return Math.min(60, Math.max(1, Math.round(rate)));
}

function kindOf(instance, modality) {
  if (text(instance, TAG.SOPClassUID) === ENCAPSULATED_PDF) return "pdf";
  if (values(instance, TAG.AvailableTransferSyntaxUID).some((syntax) => VIDEO_SYNTAX.test(syntax))) return "video";
  if (number(instance, TAG.Rows)) return "image";
  return NOT_PICTORIAL.has(modality) ? "none" : "image";
}
