import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.context.support.IValidationSupport;
import ca.uhn.fhir.jpa.api.config.JpaStorageSettings;
import ca.uhn.fhir.jpa.api.dao.IFhirSystemDao;
import ca.uhn.fhir.jpa.provider.JpaCapabilityStatementProvider;
import ca.uhn.fhir.jpa.provider.JpaSystemProvider;
import ca.uhn.fhir.jpa.search.DatabaseBackedPagingProvider;
import ca.uhn.fhir.jpa.test.config.TestR4Config;
import ca.uhn.fhir.rest.api.EncodingEnum;
import ca.uhn.fhir.rest.server.RestfulServer;
import ca.uhn.fhir.rest.server.provider.ResourceProviderFactory;
import ca.uhn.fhir.rest.server.util.ISearchParamRegistry;
import org.eclipse.jetty.ee10.servlet.ServletContextHandler;
import org.eclipse.jetty.ee10.servlet.ServletHolder;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.springframework.context.annotation.AnnotationConfigApplicationContext;

/** HAPI FHIR JPA on H2 in memory, behind Jetty. Prints {"address": ...}; ends with its input. */
public class HapiServer {
  public static void main(String[] arguments) throws Exception {
    var context = new AnnotationConfigApplicationContext(TestR4Config.class);
    var settings = context.getBean(JpaStorageSettings.class);
    var server = new RestfulServer(context.getBean(FhirContext.class));
    server.registerProviders(context.getBean(ResourceProviderFactory.class).createProviders());
    server.registerProvider(context.getBean(JpaSystemProvider.class));
    server.setPagingProvider(context.getBean(DatabaseBackedPagingProvider.class));
    server.setDefaultResponseEncoding(EncodingEnum.JSON);
    server.setServerConformanceProvider(new JpaCapabilityStatementProvider(
        server, context.getBean(IFhirSystemDao.class), settings,
        context.getBean(ISearchParamRegistry.class), context.getBean(IValidationSupport.class)));

    var handler = new ServletContextHandler();
    handler.setContextPath("/");
    handler.addServlet(new ServletHolder(server), "/fhir/*");
    var jetty = new Server();
    var connector = new ServerConnector(jetty);
    connector.setHost("127.0.0.1");
    jetty.addConnector(connector);
    jetty.setHandler(handler);
    jetty.start();
    System.out.println("{\"address\": \"http://127.0.0.1:" + connector.getLocalPort() + "/fhir\"}");
    System.out.flush();
    while (System.in.read() >= 0) {
      // Its input is held open by whoever uses it.
    }
    Runtime.getRuntime().halt(0);
  }
}
