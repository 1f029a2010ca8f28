#!/usr/bin/env python3
"""Prints the current user, as the usual tutorial for the Genesys Cloud SDK does, whatever the
clocks do.

    export GENESYS_CLOUD_REGION=mypurecloud.ie
    export GENESYS_CLOUD_CLIENT_ID=... GENESYS_CLOUD_CLIENT_SECRET=...
    python3 current_user.py

The tutorial's `call_api_with_clock_check` refreshes the token after a 401 and tries once more. If a
clock is wrong, that fails again. Here skewguard has waited, refreshed or given up, whichever helps,
before the SDK returns, so only the analysis is left to do.
"""

import logging
import sys
from typing import Callable, Optional, TypeVar

import PureCloudPlatformClientV2 as sdk
import skewguard
from PureCloudPlatformClientV2.rest import ApiException

T = TypeVar("T")
logger = logging.getLogger("current_user")


def log_clock_check(report: Optional[skewguard.Report]) -> None:
    """What the tutorial computes from the local clock, beside the verdict, which rests on more."""
    if report is None:
        return
    for attempt in report["attempts"]:
        analysis = attempt["analysis"]
        if attempt["verdict"] and analysis["status"] == "valid_locally":
            logger.critical(
                "Token was rejected by %s although it is valid locally for %.0f s more: %s",
                attempt["host"], analysis["time_remaining_s"] or 0, attempt["explanation"])
    for clock in report["clocks"]:
        if clock["offset_low_s"] is not None and clock["offset_high_s"] is not None:
            logger.info("%s is %+.1f to %+.1f s ahead of this machine", clock["server"],
                        clock["offset_low_s"], clock["offset_high_s"])


def call_api_with_clock_check(api_call: Callable[..., T], *args: object) -> T:
    """Calls the API. If it fails, logs what the clocks have to do with it."""
    try:
        return api_call(*args)
    except ApiException as error:
        log_clock_check(getattr(error, "skewguard", None))
        raise


def main() -> int:
    """Prints the name; 0, or 1 after an error."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    try:
        with skewguard.Client(on_resolved=log_clock_check) as client:
            api_client = skewguard.genesys.attach(sdk.ApiClient(host=client.api_url), client)
            user = call_api_with_clock_check(sdk.UsersApi(api_client).get_users_me)
    except (ApiException, skewguard.Error) as error:
        logger.error("%s", getattr(error, "reason", None) or error)
        return 1
    print(f"Current user: {user.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
