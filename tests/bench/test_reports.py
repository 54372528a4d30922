"""What is measured of reports."""

from bench.reports import COLUMNS, count, figures, read_and_map, read_lean
from sr.fhir_json import dumps
from sr.mapping import map_report
from testdata.files import part10
from testdata.long_dose_report import ITEMS_AROUND, ITEMS_OF_EVENT, long_dose_report


def test_each_column_has_a_figure_of_the_report() -> None:
    report = long_dose_report(3)
    told = dict(zip(COLUMNS, figures(part10(report)), strict=True))
    assert told["Items"] == str(ITEMS_AROUND + 3 * ITEMS_OF_EVENT)
    assert told["Bytes"] == f"{len(part10(report)):,}"


def test_what_is_timed_is_the_whole_way() -> None:
    report = long_dose_report(2)
    made = map_report(report, "0" * 64).resources
    assert read_and_map(part10(report)) == sum(len(dumps(resource)) for resource in made)
    assert count(read_lean(part10(report))) == count(report)
