"""The API hosts by region; some of them."""

from enum import Enum


class PureCloudRegionHosts(Enum):
    us_east_1 = "https://api.mypurecloud.com"
    eu_west_1 = "https://api.mypurecloud.ie"
    eu_central_1 = "https://api.mypurecloud.de"

    def get_api_host(self):
        return self.value
