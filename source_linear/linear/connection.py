"""The connection to Linear: what `requests` takes from the environment, and why no answer came.

Proxies and CA bundles of the environment count, a .netrc does not.
"""

import http.client
import os
import re
import ssl
from collections.abc import Iterator
from socket import gaierror
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.exceptions import ConnectTimeout, InvalidProxyURL, InvalidSchema, ProxyError, SSLError
from requests.utils import get_environ_proxies, select_proxy
from urllib3.exceptions import LocationParseError, NewConnectionError, ProxySchemeUnknown

Response = requests.Response  # for those who hand one on, and send nothing
_CA_BUNDLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")  # in the order in which requests looks
_NO_PROXY = (400, 404, 405, 501)  # what a web server answers that is asked for a tunnel


def as_given(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """An `auth=` for requests that leaves the headers as they are.

    Without any, requests puts what a .netrc says of the host in the place of the header `Authorization`.
    """
    return request


def new_session(connections: int = 1) -> requests.Session:
    """A session that sends the header `Authorization` that it is given; it keeps `connections` to a host."""
    session = requests.Session()
    session.auth = as_given
    for scheme in ("http://", "https://"):
        session.mount(scheme, HTTPAdapter(pool_connections=2, pool_maxsize=connections))
    return session


def cause_of(error: OSError) -> tuple[str, str]:
    """Why an exchange brought no answer: a key of the error table, and in short how.

    Args:
        error: what requests raised; where there is no CA bundle, it is not one of its own exceptions.
    """
    causes, kind = list(_causes(error)), type(error).__name__
    if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in causes):
        return "CERTIFICATE", "TLS"
    if not isinstance(error, requests.RequestException):
        return "CA_BUNDLE", _ca_bundle(kind)
    if isinstance(error, InvalidProxyURL | InvalidSchema):  # the schema of the API's own URL was checked
        return "PROXY_SETTING", kind
    if isinstance(error, SSLError) and any(map(_is_of_ca_bundle, causes)):
        return "CA_BUNDLE", _ca_bundle(kind)
    if _is_proxied(error):
        return _cause_at_proxy(error, causes)
    if any(isinstance(cause, gaierror) for cause in causes):
        return "DNS", _address(error)
    if isinstance(error, SSLError):
        return "NO_ANSWER", "TLS"
    if isinstance(error, ValueError):  # InvalidURL, InvalidHeader …
        return "NOT_SENT", kind
    return "NO_ANSWER", _unconnected(error, causes)


def _cause_at_proxy(error: requests.RequestException, causes: list[BaseException]) -> tuple[str, str]:
    for cause in causes:
        if tunnel := re.match(r"Tunnel connection failed: (\d+)", str(cause)):
            status = int(tunnel.group(1))
            refused = "PROXY_REFUSES" if status < 500 else "PROXY"
            return "PROXY_SETTING" if status in _NO_PROXY else refused, f"HTTP {status} from the proxy"
        if isinstance(cause, LocationParseError | ProxySchemeUnknown):
            return "PROXY_SETTING", type(cause).__name__
        # Its subclass RemoteDisconnected is a connection that broke.
        if isinstance(cause, http.client.BadStatusLine) and not isinstance(cause, ConnectionError):
            return "PROXY_SETTING", "it does not speak HTTP"
        if isinstance(cause, ssl.SSLError) and isinstance(error, ProxyError):
            return "PROXY_SETTING", "https, but it does not speak TLS"
    return "PROXY", _unconnected(error, causes)


def _unconnected(error: requests.RequestException, causes: list[BaseException]) -> str:
    """To which host and port there was no connection; if there was one, how it failed."""
    if any(isinstance(cause, ConnectionRefusedError) for cause in causes):
        return f"{_address(error)} refuses the connection"
    if isinstance(error, ConnectTimeout) or any(isinstance(cause, NewConnectionError) for cause in causes):
        return f"no connection to {_address(error)}"
    return type(error).__name__


def _address(error: requests.RequestException) -> str:
    """Host and port that were to be connected to: the proxy's, where there is one."""
    url = str(error.request.url) if error.request else ""
    proxy = select_proxy(url, get_environ_proxies(url)) or url
    parts = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
    return f"{parts.hostname}:{parts.port or (443 if parts.scheme == 'https' else 80)}"


def _is_proxied(error: requests.RequestException) -> bool:
    """Whether the request went through a proxy, or should have gone."""
    url = error.request.url if error.request else None
    return isinstance(error, ProxyError) or bool(url and select_proxy(url, get_environ_proxies(url)))


def _is_of_ca_bundle(error: BaseException) -> bool:
    """Whether OpenSSL could not read certificates, or not open their file."""
    if isinstance(error, ssl.SSLError):
        return getattr(error, "library", None) in ("X509", "PEM") or "PEM lib" in str(error)
    return isinstance(error, FileNotFoundError | PermissionError)


def _ca_bundle(otherwise: str) -> str:
    """Which variable names which CA bundle."""
    return next((f"{name}={os.environ[name]}" for name in _CA_BUNDLES if os.environ.get(name)), otherwise)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """An exception and those that it wraps, as requests and urllib3 wrap them."""
    while isinstance(error, BaseException):
        yield error
        inner = (getattr(error, "reason", None), *error.args, error.__cause__, error.__context__)
        error = next((one for one in inner if isinstance(one, BaseException) and one is not error), None)
