"""What the SDK logs of its requests."""

import json
import logging


class LogFormat:
    TEXT = 1
    JSON = 2


class LogLevel:
    LTrace = logging.DEBUG - 5
    LDebug = logging.DEBUG
    LError = logging.ERROR
    LNone = logging.CRITICAL + 1


class Logger:
    def __init__(self):
        urllib3_log = logging.getLogger("urllib3")
        urllib3_log.setLevel(logging.CRITICAL + 1)
        urllib3_log.propagate = False
        logging.addLevelName(LogLevel.LTrace, "TRACE")
        self._logger = logging.getLogger("PureCloudPlatformClientV2")
        self._logger.addHandler(logging.StreamHandler())
        self.log_format = LogFormat.TEXT
        self.log_level = LogLevel.LNone
        self.log_request_body = False
        self.log_response_body = False

    @property
    def log_level(self):
        return self._log_level

    @log_level.setter
    def log_level(self, level):
        self._log_level = level
        self._logger.setLevel(level)

    def trace(self, method, url, request_body, status_code, request_headers, response_headers):
        self._log(LogLevel.LTrace, method, url, request_body, status_code, request_headers,
                  response_headers=response_headers)

    def debug(self, method, url, request_body, status_code, request_headers):
        self._log(LogLevel.LDebug, method, url, request_body, status_code, request_headers)

    def error(self, method, url, request_body, status_code, request_headers, response_body,
              response_headers):
        self._log(LogLevel.LError, method, url, request_body, status_code, request_headers,
                  response_body, response_headers)

    def _log(self, level, method, url, request_body, status_code, request_headers,
             response_body=None, response_headers=None):
        """Whatever the level is, the caller's headers lose their token here."""
        request_headers["Authorization"] = "[REDACTED]"
        said = {"method": method, "url": url, "statusCode": status_code,
                "requestHeaders": dict(request_headers)}
        if response_headers is not None:
            said["responseHeaders"] = dict(response_headers)
        if self.log_request_body and request_body is not None:
            said["requestBody"] = request_body
        if self.log_response_body and response_body is not None:
            said["responseBody"] = response_body
        if self.log_format == LogFormat.JSON:
            self._logger.log(level, json.dumps(said, skipkeys=True, default=str))
        else:
            self._logger.log(level, "\n".join(f"{name}: {value}" for name, value in said.items()))
