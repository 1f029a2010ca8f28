"""A stand-in for the official Genesys Cloud SDK for Python, which Debian does not have.

It has the public names of `PureCloudPlatformClientV2` 257.1.0 that programs and adapters use, in
the modules where the SDK has them, over Debian's urllib3, and it was written from a reading of that
version: nothing is copied. What the SDK does that surprises is kept, since an adapter has to live
with it:

- the logger writes `[REDACTED]` into the very dict of headers that was sent (logger.py);
- urllib3 sleeps out a 429 with Retry-After, and sends every method again, POST too (rest.py);
- the time-out of a request is never passed on (default_http_client.py);
- four connections to a host, and whoever wants a fifth waits (rest.py);
- `Configuration` is a singleton that starts a thread when the package is imported;
- importing it silences urllib3's own log (logger.py);
- the post hook sees no answer that is an error: the exception comes first.

Of the 87 APIs and 6,000 models it has what the tests need (apis.py, models.py).
"""

from .apis import AnalyticsApi, OrganizationApi, TokensApi, UsersApi
from .models import NamedEntity, Organization, OrgOAuthClient, TokenInfo, User, UserMe
from .api_client import ApiClient
from .gateway_configuration import GatewayConfiguration
from .purecloud_region_hosts import PureCloudRegionHosts
from .configuration import Configuration

configuration = Configuration()  # in place of the module of that name, as in the SDK
