package com.mypurecloud.sdk.v2;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.http.client.methods.CloseableHttpResponse;
import org.apache.http.client.methods.RequestBuilder;
import org.apache.http.entity.ContentType;
import org.apache.http.entity.StringEntity;
import org.apache.http.impl.client.CloseableHttpClient;
import org.apache.http.impl.client.HttpClients;
import org.apache.http.util.EntityUtils;

/**
 * Stands in for the official Genesys Cloud SDK for Java, which Debian does not have: the names that
 * the guide uses, as version 214 has them, over Apache HttpClient 4.5, which the SDK sends with.
 */
public class ApiClient {
  private final String gateway;
  private final CloseableHttpClient http = HttpClients.custom().build();
  private String accessToken = "";

  private ApiClient(String gateway) {
    this.gateway = gateway;
  }

  public static class Builder {
    private String gateway;

    public static Builder standard() {
      return new Builder();
    }

    public Builder withGateway(
        String host, String protocol, int port, String pathParamsLogin, String pathParamsApi) {
      gateway = protocol + "://" + host + ":" + port;
      return this;
    }

    public ApiClient build() {
      return new ApiClient(gateway);
    }
  }

  public void authorizeClientCredentials(String clientId, String clientSecret) throws IOException {
    byte[] pair = (clientId + ":" + clientSecret).getBytes(StandardCharsets.UTF_8);
    String answer = send(RequestBuilder.post(gateway + "/oauth/token")
        .addHeader("Authorization", "Basic " + Base64.getEncoder().encodeToString(pair))
        .setEntity(new StringEntity("grant_type=client_credentials",
            ContentType.APPLICATION_FORM_URLENCODED)));
    accessToken = field(answer, "access_token");
  }

  /** The body of the API's answer. */
  public String get(String path) throws IOException {
    return send(RequestBuilder.get(gateway + path)
        .addHeader("Authorization", "Bearer " + accessToken));
  }

  private String send(RequestBuilder request) throws IOException {
    try (CloseableHttpResponse answer = http.execute(request.build())) {
      String body = EntityUtils.toString(answer.getEntity());
      int status = answer.getStatusLine().getStatusCode();
      if (status / 100 != 2) throw new IOException(status + " " + body);
      return body;
    }
  }

  /** A text of a JSON object. */
  public static String field(String json, String name) {
    Matcher found = Pattern.compile("\"" + name + "\":\"([^\"]*)\"").matcher(json);
    return found.find() ? found.group(1) : null;
  }
}
