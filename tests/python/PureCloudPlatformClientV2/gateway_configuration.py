"""One host in place of the login host and the API host."""


class GatewayConfiguration:
    def __init__(self, *, host=None, protocol=None, port=-1, path_params_login=None,
                 path_params_api=None, username=None, password=None):
        self.host = host or None
        self.protocol = protocol or "https"
        self.port = -1 if port is None or port < 0 else port
        self.path_params_login = (path_params_login or "").removesuffix("/")
        self.path_params_api = (path_params_api or "").removesuffix("/")
        self.username = username or None
        self.password = password or None

    def url(self, path_type):
        """Of logins ("login") or of API requests ("api")."""
        url = f"{self.protocol}://{self.host}"
        if self.port > -1:
            url += f":{self.port}"
        path = self.path_params_login if path_type == "login" else self.path_params_api
        if path:
            url += path if path.startswith("/") else "/" + path
        return url
