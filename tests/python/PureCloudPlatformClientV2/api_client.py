"""Builds requests, hands them to the HTTP client, and reads the answers."""

import base64
import json
import re
import threading

from .abstract_http_client import AbstractHttpClient
from .configuration import Configuration
from .default_http_client import DefaultHttpClient
from .gateway_configuration import GatewayConfiguration
from .http_request_options import HttpRequestOptions
from .rest import ApiException


class ApiClient:
    def __init__(self, host=None, header_name=None, header_value=None, cookie=None):
        self.http_client = None
        self.default_headers = {"User-Agent": "PureCloud SDK/python"}
        if header_name is not None:
            self.default_headers[header_name] = header_value
        self.host = Configuration().host if host is None else host
        self.cookie = cookie
        self.access_token = ""
        self.refresh_token = ""  # of users' logins, which this stand-in does not have
        self.gateway_configuration = Configuration().gateway_configuration
        self.last_response = None

    def get_conf_url(self, path_type, base_path):
        gateway = self.gateway_configuration
        if gateway is not None and gateway.host:
            return gateway.url(path_type)
        return re.sub(r"//api\.", "//login.", base_path) if path_type == "login" else base_path

    def get_http_client(self):
        if self.http_client is None:
            self.http_client = DefaultHttpClient()
        return self.http_client

    def set_http_client(self, http_client):
        if http_client is None:
            raise ValueError("http_client cannot be None")
        if not isinstance(http_client, AbstractHttpClient):
            raise ValueError("http_client must be an instance of AbstractHttpClient")
        self.http_client = http_client

    def set_gateway(self, host, protocol, port, path_params_login, path_params_api):
        self.gateway_configuration = GatewayConfiguration(
            host=host, protocol=protocol, port=port, path_params_login=path_params_login,
            path_params_api=path_params_api)

    def set_default_header(self, header_name, header_value):
        self.default_headers[header_name] = header_value

    def get_client_credentials_token(self, client_id, client_secret):
        """Logs in and returns itself. Nothing is kept of when the token ends."""
        basic = base64.b64encode(f"{client_id}:{client_secret}".encode("ascii")).decode("ascii")
        options = HttpRequestOptions(
            url=self.get_conf_url("login", self.host) + "/oauth/token", method="POST",
            headers={"Authorization": "Basic " + basic,
                     "Content-Type": "application/x-www-form-urlencoded"},
            post_params={"grant_type": "client_credentials"})
        response = self.get_http_client().request(options)
        self.access_token = json.loads(response.data)["access_token"]
        return self

    def call_api(self, resource_path, method, path_params=None, query_params=None,
                 header_params=None, body=None, post_params=None, files=None, response_type=None,
                 auth_settings=None, callback=None):
        """The answer, or with a callback the thread that will call it."""
        arguments = (resource_path, method, query_params, header_params, body, response_type,
                     auth_settings, callback)
        if callback is None:
            return self._call(*arguments)
        thread = threading.Thread(target=self._call, args=arguments)
        thread.start()
        return thread

    def _call(self, resource_path, method, query_params, header_params, body, response_type,
              auth_settings, callback):
        headers = {**(header_params or {}), **self.default_headers, "purecloud-sdk": "257.1.0"}
        for name in auth_settings or ():
            setting = Configuration().auth_settings(self.access_token)[name]
            headers[setting["key"]] = setting["value"]
        url = self.get_conf_url("api", self.host) + resource_path
        logger = Configuration().logger
        try:
            response = self.get_http_client().request(HttpRequestOptions(
                url=url, method=method, headers=headers, query_params=query_params, body=body))
            logger.trace(method, url, body, response.status, headers, response.getheaders())
            logger.debug(method, url, body, response.status, headers)
        except ApiException as error:
            logger.error(method, url, body, error.status, headers, error.body, error.headers)
            raise
        self.last_response = response
        answer = response_type(json.loads(response.data)) if response_type else None
        return callback(answer) if callback else answer
