"""What is known of the templates of PS3.16: how their containers become Observations."""

from collections.abc import Mapping

from sr.codes import Key
from sr.templates import fetal
from sr.templates.dose import RADIOPHARMACEUTICAL_REPORT, X_RAY_REPORT, dose_report
from sr.templates.measurement_report import MEASUREMENT_GROUP, measurement_group
from sr.templates.patient_dose import DOSE_ESTIMATE, dose_estimate
from sr.templates.vessels import CONTEXT_GROUPS, VESSELS, vessel
from sr.walker import Template

# By the concept of the root container, the title of the document
DOCUMENTS: Mapping[Key, Template] = {
    X_RAY_REPORT: dose_report,
    RADIOPHARMACEUTICAL_REPORT: dose_report,
}

# By the concept of a container anywhere in a document
CONTAINERS: Mapping[Key, Template] = {
    MEASUREMENT_GROUP: measurement_group,
    **dict.fromkeys(fetal.SECTIONS, fetal.section),
    fetal.BIOMETRY_GROUP: fetal.biometry_group,
    DOSE_ESTIMATE: dose_estimate,
    **dict.fromkeys(VESSELS, vessel),
}

# The context groups of PS3.16 that the concepts of a template are all of
FAMILIES: Mapping[Template, frozenset[int]] = {vessel: CONTEXT_GROUPS}
