"""The HTTP client that an ApiClient has unless another one is set."""

from .abstract_http_client import AbstractHttpClient
from .http_request_options import HttpRequestOptions
from .rest import RESTClientObject


class DefaultHttpClient(AbstractHttpClient):
    def __init__(self, timeout=None, https_agent=None):
        super().__init__()
        if timeout is not None:
            self.set_timeout(timeout)
        self.rest_client = RESTClientObject()

    def request(self, http_request_options):
        if not isinstance(http_request_options, HttpRequestOptions):
            raise ValueError("httpRequestOptions must be an instance of HttpRequestOptions")
        options = http_request_options
        if self.pre_hook:
            options = self.pre_hook(options)
        # Neither options.timeout nor self.timeout is passed on.
        response = self.rest_client.request(
            options.method, options.url, query_params=options.query_params,
            headers=options.headers, body=options.body, post_params=options.post_params)
        return self.post_hook(response) if self.post_hook else response
