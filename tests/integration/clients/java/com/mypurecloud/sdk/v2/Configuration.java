package com.mypurecloud.sdk.v2;

public class Configuration {
  private static ApiClient client;

  public static void setDefaultApiClient(ApiClient apiClient) {
    client = apiClient;
  }

  public static ApiClient getDefaultApiClient() {
    return client;
  }
}
