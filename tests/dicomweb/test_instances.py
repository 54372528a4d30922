import asyncio

import pytest
from starlette.requests import Request

from dicomweb.instances import Instances
from dicomweb.threads import Threads
from pacs.archive import Archive
from pacs.errors import InvalidIdentifier, NotFound
from pacs.model import Source
from testdata.ct import ct_series
from testdata.files import part10


def test_an_instance_is_looked_up_once(archive: Archive) -> None:
    (dataset,) = ct_series(slices=1, rows=8, columns=8)
    incoming = archive.sender(Source()).begin_part10()
    incoming.write(part10(dataset))
    stored = archive.store(incoming)
    path = {
        "study": stored.study_instance_uid,
        "series": stored.series_instance_uid,
        "instance": stored.sop_instance_uid,
    }

    async def look_up() -> None:
        instances = Instances(archive, Threads())
        request = Request({"type": "http", "path_params": path})
        first = await instances.of(request)
        assert first.sop_instance_uid == dataset.SOPInstanceUID
        assert await instances.of(request) is first
        assert await instances.find(*path.values()) is first

    asyncio.run(look_up())


@pytest.mark.parametrize(("instance", "error"), [("1.2.3", NotFound), ("x", InvalidIdentifier)])
def test_what_is_not_there_is_not_remembered(archive: Archive, instance: str, error: type[Exception]) -> None:
    request = Request(
        {"type": "http", "path_params": {"study": "1.1", "series": "1.2", "instance": instance}}
    )

    async def look_up() -> None:
        instances = Instances(archive, Threads())
        for _ in range(2):
            with pytest.raises(error):
                await instances.of(request)

    asyncio.run(look_up())
