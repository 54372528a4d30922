from pydicom import Dataset

from dicomweb.rendering.functional_groups import frame_macro


def group(center: float) -> Dataset:
    voi, groups = Dataset(), Dataset()
    voi.WindowCenter, voi.WindowWidth = center, 100
    groups.FrameVOILUTSequence = [voi]
    return groups


def center(header: Dataset, frame_number: int) -> float:
    return float(frame_macro(header, frame_number, "FrameVOILUTSequence").WindowCenter)


def test_a_plain_header_speaks_for_itself() -> None:
    header = Dataset()
    assert frame_macro(header, 1, "FrameVOILUTSequence") is header


def test_the_group_of_the_frame_goes_before_the_shared_one() -> None:
    header = Dataset()
    header.PerFrameFunctionalGroupsSequence = [group(1), Dataset(), group(3)]
    header.SharedFunctionalGroupsSequence = [group(9)]
    assert [center(header, number) for number in (1, 2, 3)] == [1, 9, 3]


def test_a_frame_without_groups_takes_the_shared_one() -> None:
    header = Dataset()
    header.SharedFunctionalGroupsSequence = [group(9)]
    header.PerFrameFunctionalGroupsSequence = []
    assert center(header, 7) == 9
