"""Requests over urllib3."""

import io
import json
import ssl
from urllib.parse import urlencode

import urllib3

from .configuration import Configuration

FORM = "application/x-www-form-urlencoded"
WITH_BODY = ("POST", "PUT", "PATCH", "OPTIONS")


class RESTResponse(io.IOBase):
    def __init__(self, resp):
        self.urllib3_response = resp
        self.status = resp.status
        self.reason = resp.reason
        self.data = resp.data

    def getheaders(self):
        return self.urllib3_response.headers

    def getheader(self, name, default=None):
        return self.urllib3_response.headers.get(name, default)


class RESTClientObject:
    def __init__(self, pools_size=4, max_size=4):
        retries = urllib3.util.Retry()  # ten; and waits as long as Retry-After says
        retries.allowed_methods = {"DELETE", "GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH",
                                   "TRACE"}
        verify = ssl.CERT_REQUIRED if Configuration().verify_ssl else ssl.CERT_NONE
        self.pool_manager = urllib3.PoolManager(num_pools=pools_size, maxsize=max_size, block=True,
                                                retries=retries, cert_reqs=verify)

    def request(self, method, url, query_params=None, headers=None, body=None, post_params=None):
        if post_params and body:
            raise ValueError("body parameter cannot be used with post_params parameter.")
        headers = headers or {}
        headers.setdefault("Content-Type", "application/json")
        try:
            answer = self._send(method, url, query_params, headers, body, post_params or {})
        except urllib3.exceptions.SSLError as error:
            raise ApiException(status=0, reason=f"{type(error).__name__}\n{error}") from error
        response = RESTResponse(answer)
        response.data = response.data.decode("utf8")
        if response.status not in range(200, 206):
            raise ApiException(http_resp=response)
        return response

    def _send(self, method, url, query_params, headers, body, post_params):
        send = self.pool_manager.request
        if method not in WITH_BODY:
            return send(method, url, fields=query_params, headers=headers)
        if query_params:
            url += "?" + urlencode(query_params)
        if headers["Content-Type"] == FORM:
            return send(method, url, fields=post_params, encode_multipart=False, headers=headers)
        if headers["Content-Type"] == "multipart/form-data":
            del headers["Content-Type"]  # urllib3 writes it, with the boundary
            return send(method, url, fields=post_params, encode_multipart=True, headers=headers)
        return send(method, url, body=json.dumps(body), headers=headers)


class ApiException(Exception):
    def __init__(self, status=None, reason=None, http_resp=None):
        self.status = http_resp.status if http_resp else status
        self.reason = http_resp.reason if http_resp else reason
        self.body = http_resp.data if http_resp else None
        self.headers = http_resp.getheaders() if http_resp else None

    def __str__(self):
        text = f"({self.status})\nReason: {self.reason}\n"
        if self.headers:
            text += f"HTTP response headers: {self.headers}\n"
        if self.body:
            text += f"HTTP response body: {self.body}\n"
        return text
