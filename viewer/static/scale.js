/** How large things in a picture are in the patient, without any drawing. */

import { TAG, number, values } from "./dicom.js";

const DCM = "http://dicom.nema.org/resources/ontology/DCM";

const TWO_DIMENSIONS = 1; // Region Spatial Format
const CENTIMETRES = 3; // Physical Units of a direction

/** @typedef {{x: number, y: number}} Point column and row in pixels, from the corner of the picture */
/** @typedef {{down: number, across: number}} Spacing millimetres between rows and columns */

/**
 * The scale of a line. Where an object has ultrasound regions, no other scale holds, and only within a region.
 * @param {import("./api.js").DicomJson} metadata of one instance
 * @param {Point} from @param {Point} to
 * @param {number} [frame] from 1
 * @returns {Spacing|null} null when not told
 */
export function spacingBetween(metadata, from, to, frame = 1) {
  return hasRegions(metadata) ? regionSpacing(metadata, from, to) : pixelSpacing(metadata, frame);
}

/** @returns {boolean} whether the scale is told by ultrasound regions */
export function hasRegions(metadata) {
  return values(metadata, TAG.SequenceOfUltrasoundRegions).length > 0;
}

/** US Region Calibration (PS3.3 C.8.5.5): of the regions that both ends lie in, if they agree. */
function regionSpacing(metadata, from, to) {
  const around = values(metadata, TAG.SequenceOfUltrasoundRegions).filter(
    (region) => isWithin(region, from) && isWithin(region, to),
  );
  const [first, ...others] = around.map(spacingOfRegion);
  const isSame = (other) => other?.down === first.down && other?.across === first.across;
  return first && others.every(isSame) ? first : null;
}

function isWithin(region, { x, y }) {
  const [left, top, right, bottom] = [
    TAG.RegionLocationMinX0,
    TAG.RegionLocationMinY0,
    TAG.RegionLocationMaxX1,
    TAG.RegionLocationMaxY1,
  ].map((tag) => number(region, tag));
  return left <= x && x <= right + 1 && top <= y && y <= bottom + 1; // the last pixel ends where the next begins
}

function spacingOfRegion(region) {
  const units = [TAG.PhysicalUnitsXDirection, TAG.PhysicalUnitsYDirection].map((tag) => number(region, tag));
  const isSpatial = number(region, TAG.RegionSpatialFormat) === TWO_DIMENSIONS;
  // Negative where values grow against the direction of the pixels
  const [across, down] = [TAG.PhysicalDeltaX, TAG.PhysicalDeltaY].map((tag) => Math.abs(number(region, tag)) * 10);
  const isTold = isSpatial && units.every((unit) => unit === CENTIMETRES) && down > 0 && across > 0;
  return isTold ? { down, across } : null;
}

/**
 * Pixel Spacing of a frame (PS3.3 10.7.1.3, and C.7.6.16.2.1 for multi-frame objects).
 * @param {import("./api.js").DicomJson} metadata of one instance
 * @param {number} [frame] from 1
 * @returns {Spacing|null} null when not told
 */
export function pixelSpacing(metadata, frame = 1) {
  const shared = values(metadata, TAG.SharedFunctionalGroupsSequence)[0];
  const own = values(metadata, TAG.PerFrameFunctionalGroupsSequence)[frame - 1];
  for (const place of [...[own, shared].map((group) => values(group, TAG.PixelMeasuresSequence)[0]), metadata]) {
    const [down, across] = values(place, TAG.PixelSpacing).map(Number);
    if (down > 0 && across > 0) return { down, across };
  }
  return null;
}

/**
 * @param {Point} from @param {Point} to
 * @param {Spacing} spacing
 * @returns {string} the distance in millimetres, to a tenth
 */
export function millimetres(from, to, { down, across }) {
  return Math.hypot((to.x - from.x) * across, (to.y - from.y) * down).toFixed(1);
}

/**
 * A length as the FHIR Observation that the archive makes a report of.
 * @param {import("./pictures.js").Picture} picture
 * @param {Point} from @param {Point} to
 * @param {string} value millimetres
 * @param {string} label by which a reader knows it again
 * @returns {object}
 */
export function lengthObservation({ study, instance, frame }, from, to, value, label) {
  const coordinates = [from.x, from.y, to.x, to.y].map((place) => ({
    url: "coordinate",
    valueDecimal: Math.round(place * 100) / 100,
  }));
  const region = [{ url: "regionType", valueCode: "polyline" }, ...coordinates];
  const selection = [
    { url: "uid", valueId: instance },
    ...(frame ? [{ url: "subset", valueString: String(frame) }] : []),
    { url: "imageRegion2D", extension: region },
  ];
  return {
    resourceType: "Observation",
    identifier: [{ type: { coding: [{ system: DCM, code: "112039" }] }, value: label }],
    status: "preliminary",
    code: { coding: [{ system: "http://snomed.info/sct", code: "410668003", display: "Length" }] },
    effectiveDateTime: new Date().toISOString(),
    valueQuantity: { value: decimal(value), unit: "mm", system: "http://unitsofmeasure.org", code: "mm" },
    derivedFrom: [
      {
        reference: `ImagingStudy/${study}`,
        extension: [
          {
            url: "http://hl7.org/fhir/5.0/StructureDefinition/extension-ImagingSelection.instance",
            extension: selection,
          },
        ],
      },
    ],
  };
}

/** A number of JSON with the digits that were shown, where the browser can write one. */
function decimal(written) {
  return JSON.rawJSON ? JSON.rawJSON(written) : Number(written);
}
