"""Prints the current user, as the usual tutorial for the Genesys Cloud SDK does it. To be shown
beside examples/python/current_user.py, which does it right.

    export GENESYS_CLOUD_CLIENT_ID=... GENESYS_CLOUD_CLIENT_SECRET=...
    export GENESYS_CLOUD_REGION=eu-west-1        (default us-east-1)
    python3 usual_current_user.py

What is wrong with it: a new token that the API refuses is replaced by another new token, which the
API refuses as well; the blame rests on this machine's clock, which has nothing to do with it.
"""

import base64
import json
import logging
import os
import sys
from datetime import datetime, timezone

import PureCloudPlatformClientV2 as sdk
from PureCloudPlatformClientV2.rest import ApiException

logger = logging.getLogger("usual_current_user")


class GenesysClient:
    def __init__(self):
        region = os.environ.get("GENESYS_CLOUD_REGION", "us-east-1").replace("-", "_")
        sdk.configuration.host = sdk.PureCloudRegionHosts[region].get_api_host()
        self.api_client = sdk.ApiClient()
        self.refresh_token()

    def refresh_token(self):
        self.api_client.get_client_credentials_token(os.environ["GENESYS_CLOUD_CLIENT_ID"],
                                                     os.environ["GENESYS_CLOUD_CLIENT_SECRET"])

    def analyze_clock_skew(self):
        """What the token says of its end, beside this machine's clock."""
        parts = self.api_client.access_token.split(".")
        if len(parts) != 3:
            return {"status": "opaque"}
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
        local_time = datetime.now(timezone.utc)
        token_exp = datetime.fromtimestamp(claims["exp"], timezone.utc)
        remaining = (token_exp - local_time).total_seconds()
        return {"status": "valid_locally" if remaining > 0 else "expired_locally",
                "local_time": local_time.isoformat(), "token_exp": token_exp.isoformat(),
                "time_remaining_s": remaining}

    def call_api_with_clock_check(self, api_call, *args):
        try:
            return api_call(*args)
        except ApiException as error:
            if error.status != 401:
                raise
        analysis = self.analyze_clock_skew()
        if analysis["status"] == "valid_locally":
            logger.critical("CLOCK SKEW DETECTED: the token is valid locally for another %.0f s, "
                            "but the server rejected it: %s",
                            analysis["time_remaining_s"], analysis)
        self.refresh_token()
        return api_call(*args)


def main():
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    client = GenesysClient()
    users = sdk.UsersApi(client.api_client)
    try:
        user = client.call_api_with_clock_check(users.get_users_me)
    except ApiException as error:
        logger.error("API error: %s %s", error.status, error.reason)
        return 1
    print(f"Current user: {user.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
