"""What dicom2fhir makes of a folder, as a line of JSON. Run by the interpreter that it is installed for.

Arguments: the folder. Told: seconds of the processor, the most memory in MB, the types of the resources that
it made, the instances of its ImagingStudy, and the numbers that its Observations have as values.
"""

import asyncio
import json
import logging
import resource
import sys
import time
from collections import Counter

from dicom2fhir.dicom2fhir import from_directory

CONFIG = {"dicom_timezone": "Europe/Rome", "generator": {"imaging_study": {"add_instances": True}}}


def main() -> None:
    logging.disable()
    start = time.process_time()
    bundle = asyncio.run(from_directory(sys.argv[1], CONFIG))
    made = [entry["resource"] for entry in json.loads(bundle.json())["entry"]]
    seconds = time.process_time() - start
    series = [one for study in made for one in study.get("series", [])]
    told = {
        "seconds": seconds,
        "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000,
        "types": Counter(one["resourceType"] for one in made),
        "instances": sum(len(one.get("instance", [])) for one in series),
        "numbers": [one["valueQuantity"]["value"] for one in made if "valueQuantity" in one],
    }
    print(json.dumps(told))


if __name__ == "__main__":
    main()
