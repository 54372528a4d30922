"""What is said of the machine."""

from pathlib import Path

from bench.machine import file_system

MOUNTINFO = """\
22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
23 22 0:21 / /run/lock rw - tmpfs tmpfs rw
24 22 0:22 / /data rw,noatime shared:7 master:1 - xfs /dev/vdb rw
"""


def test_the_innermost_mount_holds_the_folder() -> None:
    assert file_system(Path("/data/bench-1"), MOUNTINFO) == "xfs"
    assert file_system(Path("/database"), MOUNTINFO) == "ext4"
    assert file_system(Path("/run/lock/bench"), MOUNTINFO) == "tmpfs"


def test_a_folder_of_no_mount_is_said_to_be_unknown() -> None:
    assert file_system(Path("/data"), "") == "unknown"
