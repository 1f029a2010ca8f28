// Calls.java BASE KEY COUNT: POSTs with the JDK's HttpClient as the Java SDK's users have it, which
// offers "Upgrade: h2c" with each. Prints one status a line.
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;

public class Calls {
  public static void main(String[] args) throws Exception {
    HttpClient client = HttpClient.newHttpClient();
    for (int i = 0; i < Integer.parseInt(args[2]); ++i) {
      HttpRequest request = HttpRequest.newBuilder(URI.create(args[0] + "/api/v2/emulator/upload"))
          .header("Authorization", "Bearer handle")
          .header("Idempotency-Key", args[1] + i)
          .POST(HttpRequest.BodyPublishers.ofString("a body"))
          .build();
      HttpResponse<String> answer = client.send(request, HttpResponse.BodyHandlers.ofString());
      System.out.println(answer.statusCode() + " " + answer.body());
    }
  }
}
