"""Reading what wrk says, and not taking a failed client for a fast one."""

import socket
from pathlib import Path
from shutil import which

import pytest

from bench import load
from bench.figures import NotMeasured
from bench.load import WrkReport, parse_wrk

WRK_OUTPUT = """\
Running 2s test @ http://127.0.0.1:8042/dicom-web
  1 threads and 4 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     4.31ms    1.02ms  20.11ms   90.12%
    Req/Sec     0.94k    60.11     1.05k    70.00%
  1880 requests in 2.00s, 2.46MB read
Requests/sec:    939.61
Transfer/sec:      1.23MB

{"requests": 1880, "seconds": 2.000843, "bytes": 2579360, "refused": 0, "broken": 0}
"""


def test_the_report_of_wrk_is_its_last_line() -> None:
    report = parse_wrk(WRK_OUTPUT)
    assert report == WrkReport(1880, 2.000843, 2579360, 0, 0)
    assert report.rate == pytest.approx(939.6, abs=0.1)


def test_wrk_without_a_report_is_no_figure() -> None:
    with pytest.raises(NotMeasured, match="unable to connect"):
        parse_wrk("unable to connect to 127.0.0.1:1 Connection refused\n")


def test_a_service_that_does_not_listen_is_no_figure() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/studies"
        with pytest.raises(NotMeasured, match="/studies"):
            load.get(url, {})


def test_a_client_that_fails_is_no_figure(tmp_path: Path) -> None:
    if which("storescu") is None:
        pytest.skip("DCMTK is not installed")
    with socket.socket() as free, pytest.raises(NotMeasured, match="storescu ended with"):
        free.bind(("127.0.0.1", 0))
        load.store([tmp_path], free.getsockname()[1], "NOBODY")
