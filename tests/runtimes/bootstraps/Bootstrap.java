import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;

public class Bootstrap {
    public static void main(String[] arguments) throws Exception {
        String api = "http://" + System.getenv("AWS_LAMBDA_RUNTIME_API") + "/2018-06-01/runtime/invocation/";
        HttpClient client = HttpClient.newHttpClient();
        HttpResponse.BodyHandler<String> text = HttpResponse.BodyHandlers.ofString();
        while (true) {
            HttpResponse<String> next = client.send(HttpRequest.newBuilder(URI.create(api + "next")).build(), text);
            String id = next.headers().firstValue("Lambda-Runtime-Aws-Request-Id").get();
            System.out.println("Java was asked: " + next.body());
            HttpRequest.BodyPublisher body = HttpRequest.BodyPublishers.ofString(next.body());
            client.send(HttpRequest.newBuilder(URI.create(api + id + "/response")).POST(body).build(), text);
        }
    }
}
