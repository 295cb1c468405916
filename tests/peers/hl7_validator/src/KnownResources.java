import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.parser.DataFormatException;
import ca.uhn.fhir.parser.IParser;
import com.google.gson.JsonElement;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.io.StringReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;
import javax.xml.stream.XMLInputFactory;
import javax.xml.stream.XMLStreamException;
import javax.xml.stream.XMLStreamReader;
import org.hl7.fhir.common.hapi.validation.support.PrePopulatedValidationSupport;
import org.hl7.fhir.instance.model.api.IBaseResource;
import org.hl7.fhir.r4.model.ConceptMap;
import org.hl7.fhir.r4.model.MetadataResource;
import org.hl7.fhir.r4.model.Questionnaire;

/**
 * The conformance resources loaded from folders, answered by url and by url|version.
 *
 * <p>The base class keeps StructureDefinitions, ValueSets and CodeSystems; this one adds what it
 * would drop: Questionnaires and ConceptMaps.
 */
final class KnownResources extends PrePopulatedValidationSupport {
  private static final Set<String> WANTED =
      Set.of("StructureDefinition", "ValueSet", "CodeSystem", "ConceptMap", "Questionnaire");

  private static final String FHIR_XML = "http://hl7.org/fhir";

  private final Map<String, IBaseResource> others = new ConcurrentHashMap<>();
  private final Map<String, Integer> counts = new TreeMap<>();

  KnownResources(FhirContext context) {
    super(context);
  }

  /** How many resources of each type were loaded from folders. */
  Map<String, Integer> counts() {
    return counts;
  }

  /**
   * Load every conformance resource in this folder and those below; other files are passed over.
   *
   * @throws IOException when a conformance resource cannot be read or parsed: judging without it
   *     would be judging by other rules than the caller believes
   */
  void load(Path folder) throws IOException {
    List<Path> files;
    try (Stream<Path> found = Files.walk(folder)) {
      files = found.filter(Files::isRegularFile).sorted().toList();
    }
    for (Path file : files) {
      try {
        loadFile(file);
      } catch (DataFormatException | JsonParseException | XMLStreamException wrong) {
        throw new IOException(file + ": " + wrong.getMessage(), wrong);
      }
    }
  }

  private void loadFile(Path file) throws IOException, XMLStreamException {
    String name = file.getFileName().toString();
    boolean json = name.endsWith(".json");
    if (!json && !name.endsWith(".xml")) {
      return;
    }
    String text = Files.readString(file);
    if (!WANTED.contains(json ? typeOfJson(text) : typeOfXml(text))) {
      return;
    }
    IParser parser = json ? getFhirContext().newJsonParser() : getFhirContext().newXmlParser();
    MetadataResource resource = (MetadataResource) parser.parseResource(text);
    if (!resource.hasUrl()) {
      throw new DataFormatException("a " + resource.fhirType() + " without url answers to nothing");
    }
    add(resource);
    counts.merge(resource.fhirType(), 1, Integer::sum);
  }

  private static String typeOfJson(String text) {
    JsonElement top = JsonParser.parseString(text);
    JsonElement type = top.isJsonObject() ? top.getAsJsonObject().get("resourceType") : null;
    return type == null || !type.isJsonPrimitive() ? "" : type.getAsString();
  }

  private static String typeOfXml(String text) throws XMLStreamException {
    XMLInputFactory factory = XMLInputFactory.newDefaultFactory();
    factory.setProperty(XMLInputFactory.SUPPORT_DTD, false);
    XMLStreamReader reader = factory.createXMLStreamReader(new StringReader(text));
    reader.nextTag();
    return FHIR_XML.equals(reader.getNamespaceURI()) ? reader.getLocalName() : "";
  }

  /** Answer for this resource, in place of another of the same url and version. */
  void add(MetadataResource resource) {
    if (resource instanceof Questionnaire || resource instanceof ConceptMap) {
      others.put(key(resource.fhirType(), resource.getUrl()), resource);
      if (resource.hasVersion()) {
        others.put(
            key(resource.fhirType(), resource.getUrl() + "|" + resource.getVersion()), resource);
      }
    } else {
      addResource(resource);
    }
  }

  private static String key(String type, String canonical) {
    return type + " " + canonical;
  }

  @Override
  public <T extends IBaseResource> T fetchResource(Class<T> wanted, String canonical) {
    if (wanted == Questionnaire.class || wanted == ConceptMap.class) {
      return wanted.cast(others.get(key(wanted.getSimpleName(), canonical)));
    }
    return super.fetchResource(wanted, canonical);
  }
}
