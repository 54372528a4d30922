"""Finding one work item, and telling what once was there from what never was."""

from pacs.errors import NotFound, WorkitemGone
from pacs.index import WorklistRows
from pacs.model import Workitem


def found(rows: WorklistRows, uid: str) -> Workitem:
    """The work item. Raises WorkitemGone when it was removed after its end, otherwise NotFound."""
    workitem = rows.workitems.find(uid)
    if workitem is not None:
        return workitem
    if rows.workitems.is_gone(uid):
        raise WorkitemGone("the work item has ended, and was removed when its time here was over")
    raise NotFound("there is no such work item here")
