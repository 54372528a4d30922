"""The search parameters of Subscription (http://hl7.org/fhir/R4/searchparameter-registry.html)."""

from fhir_api.search_parameter import ID, Kind, SearchParameter

SUBSCRIPTION_PARAMETERS: tuple[SearchParameter, ...] = (
    ID,
    SearchParameter("contact", Kind.TOKEN, "Subscription-contact", ("contact",)),
    SearchParameter("criteria", Kind.STRING, "Subscription-criteria", ("criteria",)),
    SearchParameter("payload", Kind.TOKEN, "Subscription-payload", ("channel.payload",)),
    SearchParameter(
        "status",
        Kind.TOKEN,
        "Subscription-status",
        ("status",),
        system="http://hl7.org/fhir/subscription-status",
    ),
    SearchParameter(
        "type",
        Kind.TOKEN,
        "Subscription-type",
        ("channel.type",),
        system="http://hl7.org/fhir/subscription-channel-type",
    ),
    SearchParameter("url", Kind.URI, "Subscription-url", ("channel.endpoint",)),
)
