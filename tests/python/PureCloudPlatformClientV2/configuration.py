"""Settings of the whole process."""

import configparser
import os
import threading

from .gateway_configuration import GatewayConfiguration
from .logger import Logger


def singleton(kind):
    made = []

    def the_one():
        if not made:
            made.append(kind())
        return made[0]
    return the_one


@singleton
class Configuration:
    def __init__(self):
        self.host = "https://api.mypurecloud.com"
        self.api_client = None
        self.access_token = ""
        self.should_refresh_access_token = True
        self.refresh_token_wait_time = 10
        self.verify_ssl = True
        self.proxy = None
        self.gateway_configuration = None
        self.logger = Logger()
        self.live_reload_config = True
        self.config_file_path = os.path.expanduser("~/.genesyscloudpython/config")
        self._read_gateway()
        # In the SDK it watches the file. Here it is only there, as threads are, at a fork.
        threading.Thread(target=threading.Event().wait, daemon=True).start()

    def auth_settings(self, access_token=None):
        return {"PureCloud OAuth": {"type": "oauth2", "in": "header", "key": "Authorization",
                                    "value": "Bearer " + (access_token or self.access_token)}}

    def _read_gateway(self):
        file = configparser.ConfigParser()
        if file.read(self.config_file_path) and file.get("gateway", "host", fallback=""):
            part = file["gateway"]
            self.gateway_configuration = GatewayConfiguration(
                host=part["host"], protocol=part.get("protocol"),
                port=part.getint("port", fallback=-1),
                path_params_login=part.get("path_params_login"),
                path_params_api=part.get("path_params_api"))
