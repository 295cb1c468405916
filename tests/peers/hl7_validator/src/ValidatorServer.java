import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.parser.DataFormatException;
import com.google.gson.Gson;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import org.hl7.fhir.r4.model.OperationOutcome;
import org.hl7.fhir.r4.model.OperationOutcome.IssueSeverity;
import org.hl7.fhir.r4.model.OperationOutcome.IssueType;
import org.hl7.fhir.r4.model.Questionnaire;

/**
 * Serves the judge over HTTP on a free loopback port; README.md says how it is used.
 *
 * <pre>ValidatorServer [--stop-with-stdin] [FOLDER...]</pre>
 */
public final class ValidatorServer {
  private static final Gson GSON = new Gson();
  private static final String STOP_WITH_STDIN = "--stop-with-stdin";

  private final FhirContext context;
  private final Judge judge;
  private final AtomicInteger joined;

  private ValidatorServer(FhirContext context, Judge judge, AtomicInteger joined) {
    this.context = context;
    this.judge = judge;
    this.joined = joined;
  }

  public static void main(String[] arguments) throws IOException {
    List<String> folders = new ArrayList<>(Arrays.asList(arguments));
    AtomicInteger joined = new AtomicInteger();
    if (folders.remove(STOP_WITH_STDIN)) {
      Thread watch = new Thread(() -> stopWithStdin(joined), "stdin");
      watch.setDaemon(true);
      watch.start();
    }
    FhirContext context = FhirContext.forR4();
    KnownResources known = new KnownResources(context);
    for (String folder : folders) {
      known.load(Path.of(folder));
    }
    ValidatorServer server = new ValidatorServer(context, new Judge(context, known), joined);
    String address = server.listen();
    System.out.println(GSON.toJson(Map.of("address", address, "loaded", known.counts())));
  }

  /** Count the bytes on stdin (one from each user, when it joins); end with its last writer. */
  private static void stopWithStdin(AtomicInteger joined) {
    try {
      while (System.in.read() != -1) {
        joined.incrementAndGet();
      }
    } catch (IOException broken) {
      System.err.println("stdin: " + broken.getMessage());
    }
    Runtime.getRuntime().halt(0);
  }

  private String listen() throws IOException {
    InetAddress loopback = InetAddress.getByName("127.0.0.1");
    HttpServer server = HttpServer.create(new InetSocketAddress(loopback, 0), 0);
    server.setExecutor(
        Executors.newFixedThreadPool(Runtime.getRuntime().availableProcessors() + 1));
    server.createContext("/", this::answer);
    server.start();
    return "http://127.0.0.1:" + server.getAddress().getPort();
  }

  private void answer(HttpExchange exchange) throws IOException {
    try (exchange) {
      try {
        route(exchange);
      } catch (DataFormatException | IllegalArgumentException wrong) {
        refuse(exchange, 400, IssueType.INVALID, wrong.getMessage());
      } catch (RuntimeException defect) {
        defect.printStackTrace();
        refuse(exchange, 500, IssueType.EXCEPTION, defect.toString());
      }
    }
  }

  private void route(HttpExchange exchange) throws IOException {
    String call = exchange.getRequestMethod() + " " + exchange.getRequestURI().getPath();
    switch (call) {
      case "GET /health" ->
          send(exchange, 200, GSON.toJson(Map.of("status", "ok", "joined", joined.get())));
      case "POST /validate" -> {
        List<String> profiles = profiles(exchange.getRequestURI().getRawQuery());
        send(exchange, 200, toJson(judge.judge(body(exchange), profiles)));
      }
      case "POST /questionnaires" -> {
        judge.learn(context.newJsonParser().parseResource(Questionnaire.class, body(exchange)));
        send(exchange, 200, GSON.toJson(Map.of("status", "ok")));
      }
      default -> refuse(exchange, 404, IssueType.NOTFOUND, "There is no " + call);
    }
  }

  private static List<String> profiles(String query) {
    List<String> profiles = new ArrayList<>();
    for (String parameter : query == null || query.isEmpty() ? new String[0] : query.split("&")) {
      if (!parameter.startsWith("profile=")) {
        throw new IllegalArgumentException("The only parameter is profile; got " + parameter);
      }
      String value = parameter.substring("profile=".length());
      profiles.add(URLDecoder.decode(value, StandardCharsets.UTF_8));
    }
    return profiles;
  }

  private static String body(HttpExchange exchange) throws IOException {
    String body = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
    if (!body.stripLeading().startsWith("{")) {
      throw new IllegalArgumentException("The body must be one resource as a JSON object");
    }
    return body;
  }

  private void refuse(HttpExchange exchange, int status, IssueType code, String text)
      throws IOException {
    OperationOutcome outcome = new OperationOutcome();
    outcome.addIssue().setSeverity(IssueSeverity.FATAL).setCode(code).setDiagnostics(text);
    send(exchange, status, toJson(outcome));
  }

  private String toJson(OperationOutcome outcome) {
    return context.newJsonParser().encodeResourceToString(outcome);
  }

  private static void send(HttpExchange exchange, int status, String json) throws IOException {
    byte[] bytes = json.getBytes(StandardCharsets.UTF_8);
    exchange.getResponseHeaders().set("Content-Type", "application/json; charset=utf-8");
    exchange.sendResponseHeaders(status, bytes.length);
    exchange.getResponseBody().write(bytes);
  }
}
