"""What `ApiClient.set_http_client` takes."""

from abc import ABC, abstractmethod


class AbstractHttpClient(ABC):
    def __init__(self):
        self.timeout = 16000
        self.https_agent = None
        self.pre_hook = None
        self.post_hook = None

    def set_timeout(self, timeout):
        if not isinstance(timeout, (int, float)):
            raise ValueError("The 'timeout' property must be a number")
        self.timeout = timeout

    def set_pre_request_hook(self, hook):
        self.pre_hook = hook_of_one(hook, "pre")

    def set_post_request_hook(self, hook):
        self.post_hook = hook_of_one(hook, "post")

    @abstractmethod
    def request(self, http_request_options):
        """A RESTResponse; raises ApiException unless the status is 200 to 205."""


def hook_of_one(hook, name):
    if not callable(hook) or hook.__code__.co_argcount != 1:
        raise ValueError(f"the {name} hook must be a function of one argument")
    return hook
