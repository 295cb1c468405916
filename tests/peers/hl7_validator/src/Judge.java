import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.context.support.DefaultProfileValidationSupport;
import ca.uhn.fhir.validation.FhirValidator;
import ca.uhn.fhir.validation.ResultSeverityEnum;
import ca.uhn.fhir.validation.SingleValidationMessage;
import ca.uhn.fhir.validation.ValidationOptions;
import ca.uhn.fhir.validation.ValidationResult;
import java.util.List;
import org.hl7.fhir.common.hapi.validation.support.CommonCodeSystemsTerminologyService;
import org.hl7.fhir.common.hapi.validation.support.InMemoryTerminologyServerValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.SnapshotGeneratingValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.ValidationSupportChain;
import org.hl7.fhir.common.hapi.validation.validator.FhirInstanceValidator;
import org.hl7.fhir.r4.model.OperationOutcome;
import org.hl7.fhir.r4.model.Questionnaire;
import org.hl7.fhir.r5.utils.validation.constants.BestPracticeWarningLevel;
import org.hl7.fhir.utilities.i18n.I18nConstants;

/** HAPI's FhirInstanceValidator, set up once: R4, the resources loaded, no network. */
final class Judge {
  private final KnownResources known;
  private final ValidationSupportChain support;
  private final FhirValidator validator;

  Judge(FhirContext context, KnownResources known) {
    this.known = known;
    support =
        new ValidationSupportChain(
            known, // before R4's own, so that a newer edition of a code system can take its place
            new DefaultProfileValidationSupport(context),
            new CommonCodeSystemsTerminologyService(context),
            new InMemoryTerminologyServerValidationSupport(context),
            new SnapshotGeneratingValidationSupport(context));
    FhirInstanceValidator rules = new FhirInstanceValidator(support);
    rules.setBestPracticeWarningLevel(BestPracticeWarningLevel.Warning);
    // A resource that claims a profile nobody loaded has not been judged: that must not pass.
    rules.setErrorForUnknownProfiles(true);
    BundleReferences references = new BundleReferences();
    rules.setValidatorPolicyAdvisor(references);
    rules.setValidatorResourceFetcher(references);
    validator = context.newValidator().registerValidatorModule(rules);
  }

  /**
   * Judge a resource against the base specification, the profiles in its meta.profile and these.
   *
   * @throws IllegalArgumentException when one of `profiles` is not loaded: the validator itself
   *     would leave it out without a word as soon as it knows another one
   */
  OperationOutcome judge(String resourceAsJson, List<String> profiles) {
    ValidationOptions options = new ValidationOptions();
    for (String profile : profiles) {
      if (support.fetchStructureDefinition(profile) == null) {
        throw new IllegalArgumentException("The profile " + profile + " is not loaded");
      }
      options.addProfile(profile);
    }
    ValidationResult result = validator.validateWithResult(resourceAsJson, options);
    for (SingleValidationMessage message : result.getMessages()) {
      // Nor has a response been judged whose Questionnaire nobody loaded.
      if (I18nConstants.QUESTIONNAIRE_QR_Q_NOTFOUND.equals(message.getMessageId())) {
        message.setSeverity(ResultSeverityEnum.ERROR);
      }
    }
    return (OperationOutcome) result.toOperationOutcome();
  }

  /** Answer for this Questionnaire from now on. */
  void learn(Questionnaire questionnaire) {
    known.add(questionnaire);
    // The chain also remembers for ten minutes what it did not find.
    support.invalidateExpiringCaches();
  }
}
