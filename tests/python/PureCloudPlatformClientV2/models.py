"""Answers as objects. A field that is missing in the answer is None."""


class Model:
    swagger_types = {}  # by attribute; None: the value as it is
    attribute_map = {}  # its name in JSON

    def __init__(self, data=None):
        data = data or {}
        for attribute, kind in self.swagger_types.items():
            value = data.get(self.attribute_map.get(attribute, attribute))
            setattr(self, attribute, kind(value) if kind and value is not None else value)

    def to_dict(self):
        values = {attribute: getattr(self, attribute) for attribute in self.swagger_types}
        return {attribute: value.to_dict() if isinstance(value, Model) else value
                for attribute, value in values.items()}

    def __repr__(self):
        return str(self.to_dict())


class NamedEntity(Model):
    swagger_types = {"id": None, "name": None}


class Organization(Model):
    swagger_types = {"id": None, "name": None, "domain": None}


class OrgOAuthClient(Model):
    swagger_types = {"id": None, "name": None, "organization": NamedEntity}


class TokenInfo(Model):
    swagger_types = {"organization": NamedEntity, "home_organization": NamedEntity,
                     "authorized_scope": None, "o_auth_client": OrgOAuthClient}
    attribute_map = {"home_organization": "homeOrganization",
                     "authorized_scope": "authorizedScope", "o_auth_client": "OAuthClient"}


class User(Model):
    swagger_types = {"id": None, "name": None, "email": None}


class UserMe(User):
    pass


class UserEntityListing(Model):
    swagger_types = {"entities": lambda values: [User(value) for value in values],
                     "page_size": None, "page_number": None, "total": None}
    attribute_map = {"page_size": "pageSize", "page_number": "pageNumber"}


class AnalyticsConversationQueryResponse(Model):
    swagger_types = {"conversations": None, "total_hits": None}
    attribute_map = {"total_hits": "totalHits"}
