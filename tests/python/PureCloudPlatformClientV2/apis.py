"""The API classes: one method a request. `callback` makes it in a thread, which is returned."""

from . import models
from .api_client import ApiClient
from .configuration import Configuration


class Api:
    def __init__(self, api_client=None):
        shared = Configuration()
        if not api_client and not shared.api_client:
            shared.api_client = ApiClient()
        self.api_client = api_client or shared.api_client

    def _call(self, method, path, response_type, body=None, callback=None, **query):
        headers = {"Accept": "application/json", "Content-Type": "application/json"}
        return self.api_client.call_api(path, method, {}, query, headers, body=body,
                                        response_type=response_type,
                                        auth_settings=["PureCloud OAuth"], callback=callback)


class TokensApi(Api):
    def get_tokens_me(self, callback=None):
        return self._call("GET", "/api/v2/tokens/me", models.TokenInfo, callback=callback)


class UsersApi(Api):
    def get_users_me(self, callback=None):
        return self._call("GET", "/api/v2/users/me", models.UserMe, callback=callback)

    def get_users(self, page_size=25, page_number=1, callback=None):
        return self._call("GET", "/api/v2/users", models.UserEntityListing, callback=callback,
                          pageSize=page_size, pageNumber=page_number)


class OrganizationApi(Api):
    def get_organizations_me(self, callback=None):
        return self._call("GET", "/api/v2/organizations/me", models.Organization,
                          callback=callback)


class AnalyticsApi(Api):
    def post_analytics_conversations_details_query(self, body, callback=None):
        return self._call("POST", "/api/v2/analytics/conversations/details/query",
                          models.AnalyticsConversationQueryResponse, body=body, callback=callback)
