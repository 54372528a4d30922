"""The Worklist Service as transactions, and the event channel (PS3.18 11, Table 11.1.1-1)."""

from http import HTTPStatus
from pathlib import Path

from starlette.routing import WebSocketRoute

from dicomweb import parameters as p
from dicomweb.data_set_body import BODY_MEDIA_TYPES
from dicomweb.keyed_search import KeyedSearch, Searched
from dicomweb.media_types import DATA_SETS_MEDIA_TYPES
from dicomweb.negotiation import Negotiation
from dicomweb.threads import Threads
from dicomweb.transaction import FOUND, Parameter, Transaction
from dicomweb.ups.channel import Channels
from dicomweb.ups.subscribers import Subscribers
from dicomweb.ups.workitems import Workitems
from pacs.worklist.attributes import KEYS, KEYS_BY_PATH, RETURNED
from pacs.worklist.subscriptions import Subscriptions
from pacs.worklist.worklist import Worklist

_WORKITEM = "/workitems/{workitem}"
_SUBSCRIBER = "/workitems/{workitem}/subscribers/{aetitle}"

_PARTIAL_CONTENT = HTTPStatus.PARTIAL_CONTENT  # Table 11.9.3-1
_FOUND = (*FOUND, _PARTIAL_CONTENT)
_CREATED = (HTTPStatus.CREATED,)

_UID = "1.2.826.0.1.3680043.8.498.9"
_TRANSACTION_UID = Parameter("transaction-uid", "The access lock of who claimed it", _UID)
_DELETION_LOCK = Parameter("deletionlock", "Whether it is kept after its end", "true", p.TRUTH)
_FILTER = Parameter("filter", "Keys of a filtered subscription, parted by commas", "PatientID=P1")


class WorklistService:
    """The transactions of the service, and the channel through which subscribers are told.

    go_down: to be awaited before connections are closed at the end.
    """

    def __init__(
        self,
        worklist: Worklist,
        subscriptions: Subscriptions,
        doorbells: Path,
        root: str = "/dicom-web",
    ) -> None:
        """doorbells: the folder through which processes wake each other's channels.

        root: path of the services, from which URLs are made.
        """
        threads, negotiation = Threads(), Negotiation()
        workitems = Workitems(worklist, threads, negotiation, root)
        searched = Searched(worklist.search, KEYS_BY_PATH, RETURNED, _PARTIAL_CONTENT)
        search = KeyedSearch(searched, threads, negotiation, root)
        subscribers = Subscribers(subscriptions, threads, root)
        channels = Channels(subscriptions, threads, doorbells)
        self.transactions = [*_of_workitems(workitems, search), *_of_subscribers(subscribers)]
        self.go_down = channels.go_down
        self.channel = WebSocketRoute(f"{root}/subscribers/{{aetitle}}", channels.open)


def _of_workitems(workitems: Workitems, search: KeyedSearch) -> list[Transaction]:
    takes, gives, lock = BODY_MEDIA_TYPES, DATA_SETS_MEDIA_TYPES, (_TRANSACTION_UID,)
    created = (Parameter("workitem", "The UID that it is to have", _UID),)
    searched = (*p.PAGING, *p.key_parameters(KEYS))
    return [
        Transaction("Create", "11.4", "POST", "/workitems", workitems.create, (), takes, created, _CREATED),
        Transaction("Retrieve", "11.5", "GET", _WORKITEM, workitems.retrieve, gives, (), (p.ACCEPT,)),
        Transaction("Update", "11.6", "POST", _WORKITEM, workitems.update, (), takes, lock),
        Transaction("Change State", "11.7", "PUT", f"{_WORKITEM}/state", workitems.change_state, (), takes),
        Transaction(
            "Request Cancellation",
            "11.8",
            "POST",
            f"{_WORKITEM}/cancelrequest",
            workitems.request_cancel,
            (),
            takes,
            done=(HTTPStatus.ACCEPTED,),
        ),
        Transaction("Search", "11.9", "GET", "/workitems", search.search, gives, (), searched, _FOUND),
    ]


def _of_subscribers(subscribers: Subscribers) -> list[Transaction]:
    asked = (_DELETION_LOCK, _FILTER)
    return [
        Transaction(
            "Subscribe", "11.10", "POST", _SUBSCRIBER, subscribers.subscribe, (), (), asked, _CREATED
        ),
        Transaction("Unsubscribe", "11.11", "DELETE", _SUBSCRIBER, subscribers.unsubscribe),
        Transaction(
            "Suspend Global Subscription", "11.12", "POST", f"{_SUBSCRIBER}/suspend", subscribers.suspend
        ),
    ]
