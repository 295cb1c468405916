import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.hl7.fhir.common.hapi.validation.validator.FhirDefaultPolicyAdvisor;
import org.hl7.fhir.r5.elementmodel.Element;
import org.hl7.fhir.r5.model.CanonicalResource;
import org.hl7.fhir.r5.model.CanonicalType;
import org.hl7.fhir.r5.utils.validation.IResourceValidator;
import org.hl7.fhir.r5.utils.validation.IValidatorResourceFetcher;
import org.hl7.fhir.r5.utils.validation.constants.ReferenceValidationPolicy;

/**
 * What to make of a reference whose target the validator did not find by itself.
 *
 * <p>It finds contained resources and the entries of the same Bundle. A `urn:uuid:` in a Bundle can
 * name nothing else (R4 bundle.html#references), so there a target that is not found is an error.
 * A relative or absolute address may well exist on the receiving server: nothing is asked.
 */
final class BundleReferences extends FhirDefaultPolicyAdvisor implements IValidatorResourceFetcher {

  @Override
  public ReferenceValidationPolicy policyForReference(
      IResourceValidator validator,
      Object appContext,
      String path,
      String url,
      ReferenceDestinationType destination) {
    boolean onlyInBundle = url.startsWith("urn:uuid:") || url.startsWith("urn:oid:");
    return path.startsWith("Bundle.") && onlyInBundle
        ? ReferenceValidationPolicy.CHECK_EXISTS
        : ReferenceValidationPolicy.IGNORE;
  }

  /** The default advisor drops the message that a target in the Bundle fits no allowed profile. */
  @Override
  public boolean isSuppressMessageId(String path, String messageId) {
    return false;
  }

  @Override
  public Element fetch(IResourceValidator validator, Object appContext, String url) {
    return null;
  }

  @Override
  public boolean resolveURL(
      IResourceValidator validator,
      Object appContext,
      String path,
      String url,
      String type,
      boolean canonical,
      List<CanonicalType> targets) {
    return true; // no network: every address outside is taken on trust
  }

  @Override
  public byte[] fetchRaw(IResourceValidator validator, String url) {
    return null;
  }

  @Override
  public CanonicalResource fetchCanonicalResource(
      IResourceValidator validator, Object appContext, String url) {
    return null;
  }

  @Override
  public boolean fetchesCanonicalResource(IResourceValidator validator, String url) {
    return false;
  }

  @Override
  public Set<ResourceVersionInformation> fetchCanonicalResourceVersions(
      IResourceValidator validator, Object appContext, String url) {
    return Set.of();
  }

  @Override
  public IValidatorResourceFetcher setLocale(Locale locale) {
    return this;
  }
}
