"""One request, as the ApiClient hands it to its HTTP client."""

METHODS = ("GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD", "TRACE")


class HttpRequestOptions:
    def __init__(self, *, url, method, headers=None, query_params=None, post_params=None, body=None,
                 timeout=16000):
        self.url = url
        self.method = method
        self.headers = headers or {}  # the caller's own dict, not a copy
        self.query_params = query_params or {}
        self.post_params = post_params or {}
        self.body = body
        self.timeout = timeout

    @property
    def url(self):
        return self._url

    @url.setter
    def url(self, url):
        if not url:
            raise ValueError("The 'url' property is required")
        self._url = url

    @property
    def method(self):
        return self._method

    @method.setter
    def method(self, method):
        if not method or method.upper() not in METHODS:
            raise ValueError("The 'method' property is invalid or missing")
        self._method = method.upper()
