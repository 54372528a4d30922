"""Where the attributes of one frame are: in the functional groups of an enhanced object, or in the header."""

from pydicom import Dataset

from pacs.pixels.elements import items


def frame_macro(header: Dataset, frame_number: int, macro: str) -> Dataset:
    """The item of a functional group macro that applies to the frame, or the header itself (PS3.3 C.7.6.16).

    frame_number: from 1. A group of the frame goes before the shared one.
    """
    per_frame = items(header, "PerFrameFunctionalGroupsSequence")
    shared = items(header, "SharedFunctionalGroupsSequence")
    for groups in (*per_frame[frame_number - 1 : frame_number], *shared[:1]):
        for item in items(groups, macro)[:1]:
            return item
    return header
