package com.mypurecloud.sdk.v2.api;

import com.mypurecloud.sdk.v2.ApiClient;
import com.mypurecloud.sdk.v2.Configuration;
import com.mypurecloud.sdk.v2.model.Organization;
import java.io.IOException;

public class OrganizationApi {
  public Organization getOrganizationsMe() throws IOException {
    String answer = Configuration.getDefaultApiClient().get("/api/v2/organizations/me");
    return new Organization(ApiClient.field(answer, "name"));
  }
}
