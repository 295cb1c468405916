"""Settings of texts: who sends them, who reports on them, and how many there may be."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field, SecretStr

from fhir_gateway.sms.nhs_notify import FREE_TEXT_SMS


class TextSettings(BaseModel):
    """Part of the gateway's settings (fhir_gateway/settings.py)."""

    notify_base_url: str = Field(
        "https://api.notifications.service.gov.uk", description="Base of GOV.UK Notify."
    )
    notify_api_key: SecretStr | None = Field(None, description="API key of GOV.UK Notify.")
    notify_template_id: str = Field(
        "", description="Id of the text template on Notify; its body is ((text))."
    )
    notify_callback_token: SecretStr | None = Field(
        None,
        description="Bearer token that GOV.UK Notify shows when it reports at /callbacks/notify.",
    )
    text_provider: Literal["notify", "twilio"] = Field(
        "notify", description="Who sends texts to numbers: notify (GOV.UK Notify) or twilio."
    )
    twilio_base_url: str = Field("https://api.twilio.com", description="Base of Twilio's API.")
    twilio_account: str = Field("", description="Account SID of Twilio.")
    twilio_auth_token: SecretStr | None = Field(None, description="Auth token of Twilio.")
    twilio_sender: str = Field("", description="Number, sender name or Messaging Service SID.")
    nhs_notify_base_url: str = Field(
        "",
        description="Base of NHS Notify, up to /comms: confirmations to matched patients go by it. "
        "Default: not used.",
    )
    nhs_notify_client_id: str = Field(
        "", description="API key of the application for NHS Notify. Default: pds_client_id."
    )
    nhs_notify_ods_code: str = Field("", description="ODS code of who sends by NHS Notify.")
    nhs_notify_routing_plan: str = Field(
        FREE_TEXT_SMS, description="Routing plan of NHS Notify, with a placeholder sms_body."
    )
    nhs_notify_application_id: str = Field(
        "", description="Application id by which NHS Notify signs its reports."
    )
    nhs_notify_callback_key: SecretStr | None = Field(
        None, description="API key that NHS Notify shows when it reports at /callbacks/nhs-notify."
    )
    codes_per_number: int = Field(
        6, ge=1, description="Cap on security codes to one mobile number in an hour."
    )
    texts_per_number: int = Field(
        20, ge=1, description="Cap on texts of any kind to one mobile number in a day."
    )
    codes_per_address: int = Field(
        300,
        ge=1,
        description="Cap on security codes asked for from one network address in an hour. Mobile "
        "networks put many patients behind one address.",
    )
    codes_per_link: int = Field(
        200, ge=1, description="Cap on security codes asked for through one link in an hour."
    )
    codes_per_day: int = Field(
        2000, ge=1, description="Cap on all security codes in a day, which bounds the bill."
    )
