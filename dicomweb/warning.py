"""The Warning header field (PS3.18 8.4, 8.3.4.4): one for each text, naming the service."""

from starlette.responses import Response


def warn(response: Response, url: str, *texts: str) -> Response:
    """The response, with these texts in it.  url: of the service, absolute.  texts: plain ASCII."""
    for text in texts:
        response.headers.append("Warning", f"299 {url}: {text}")
    return response
