/** How OHIF is set up here: our DICOMweb on our origin, and nothing else. Served in place of the package's own. */

// What two inline scripts of the package's page say; our rules let no inline script run.
console.time("scriptToView");
window.PUBLIC_URL = "/ohif/";
window.browserImportFunction = (name) => import(name);

/** OHIF stumbles over a measurement group that says nothing of places, such as "emphysema: absent". */
const withPlaces = ({ measurement }) => (measurement.coords.length ? measurement : { ...measurement, coords: [{}] });

window.config = {
  routerBasename: "/ohif",
  showStudyList: true,
  extensions: [],
  modes: [],
  customizationService: [{ "ohif.tours": { $set: [] }, onBeforeSRAddMeasurement: { $set: withPlaces } }],
  investigationalUseDialog: { option: "never" },
  showWarningMessageForCrossOrigin: false,
  showCPUFallbackMessage: false,
  maxNumberOfWebWorkers: 3,
  defaultDataSourceName: "diafana",
  dataSources: [
    {
      namespace: "@ohif/extension-default.dataSourcesModule.dicomweb",
      sourceName: "diafana",
      configuration: {
        friendlyName: "Diafana",
        name: "diafana",
        qidoRoot: "/dicom-web",
        wadoRoot: "/dicom-web",
        imageRendering: "wadors",
        thumbnailRendering: "thumbnail",
        thumbnailRequestStrategy: "fetch",
        qidoSupportsIncludeField: true,
        supportsWildcard: true,
        supportsFuzzyMatching: true,
        enableStudyLazyLoad: true,
        singlepart: "bulkdata,video,pdf",
        bulkDataURI: { enabled: true },
      },
    },
  ],
};
