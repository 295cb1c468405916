"""What the steps of delivery work with, in one value."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from fhir_gateway.delivery.gate import Limits
from fhir_gateway.delivery.kept import Memory
from fhir_gateway.delivery.timing import DEFAULT, Timing
from fhir_gateway.epr.clients import EprClients
from fhir_gateway.errors import Defect
from fhir_gateway.fhir.profiles import Profiles
from fhir_gateway.journey.limits import TextCaps
from fhir_gateway.mapping.form import Prepared, prepare
from fhir_gateway.mapping.target import Target
from fhir_gateway.matching.policy import DEFAULT_POLICY, Policy
from fhir_gateway.pds.client import PdsClient
from fhir_gateway.provider.service import Service, read_service
from fhir_gateway.questionnaire.catalogue import Catalogue
from fhir_gateway.sms.sender import TextSender
from fhir_gateway.store import services
from fhir_gateway.store.database import Database, Transaction

EPR_LIMITS = Limits()
#: GOV.UK Notify takes 3,000 a minute, and security codes take their share.
TEXT_LIMITS = Limits(per_minute=2000.0, at_once=20)


@dataclass(frozen=True, slots=True)
class AllLimits:
    """The limits of EPRs and of the text provider. `by_epr`: of EPRs that have their own, by the
    neighbour's name."""

    epr: Limits = EPR_LIMITS
    texts: Limits = TEXT_LIMITS
    by_epr: Mapping[str, Limits] = field(default_factory=dict)

    def of(self, neighbour: str) -> Limits:
        """The limits of an EPR, by its name as a neighbour (gate.epr_name)."""
        return self.by_epr.get(neighbour, self.epr)


@dataclass(frozen=True, slots=True)
class Parts:
    """Stores, neighbours and mappings."""

    database: Database
    catalogue: Catalogue
    targets: Mapping[str, Target]
    pds: PdsClient
    eprs: EprClients
    sender: TextSender
    clock: Callable[[], datetime]
    gateway_name: str
    caps: TextCaps
    timing: Timing = DEFAULT
    limits: AllLimits = field(default_factory=AllLimits)
    policy: Policy = DEFAULT_POLICY
    profiles: Profiles = field(default_factory=Profiles)
    rng: random.Random = field(default_factory=random.SystemRandom)
    kept: Memory = field(default_factory=Memory)

    def close(self) -> None:
        """Close the connections to the neighbours."""
        self.pds.close()
        self.eprs.close()
        self.sender.close()

    def service(self, tx: Transaction, slug: str) -> Service:
        """The service of a request; raises Defect when it is gone."""
        imported = services.imported(tx, slug)
        if imported is None:
            raise Defect(f"The service {slug} of a request is not there.", code="no-service")
        return self.kept.services.get(imported, lambda: read_service(services.read(imported)))

    def target(self, name: str) -> Target:
        """A mapping target by name; raises Defect when there is none."""
        if name not in self.targets:
            raise Defect(f"The mapping {name} of a service is not there.", code="no-mapping")
        return self.targets[name]

    def prepared(self, target: Target, questionnaire: str) -> Prepared:
        """A target laid over the Questionnaire of a request."""
        definition = self.catalogue.definition(questionnaire)
        # What is kept holds both, so no other gets their ids.
        key = (id(target), id(definition))
        return self.kept.mappings.get(key, lambda: prepare(target, definition))
