"""How do clients, people and tokens look on the wire? (contract 12)"""

from typing import Any
from zoneinfo import available_timezones

from django.core.validators import MaxLengthValidator, RegexValidator, URLValidator, validate_email
from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers

from apps.accounts.hosts import is_host
from apps.api import wire
from apps.api.gofa import PageQuery
from apps.kernel.clock import instant
from apps.kernel.localized import canonical_locale
from apps.tenants.models import CLIENT_ID_PATTERN, MODULES, Client, RiskTier

_TIERS_AT_MOST = 50
_HOSTS_AT_MOST = 200
_VISIBLE = RegexValidator(r"^[\x21-\x7e]*\Z", "Must be of visible ASCII characters.")
# Two decimals are kept; what would be rounded to nothing is no weight.
_LIGHTEST_KG, _HEAVIEST_KG = 0.01, 9999.99


class Email(wire.Text):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.validators += [validate_email, MaxLengthValidator(254)]


class WebAddress(wire.Text):
    """An http or https address."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.validators.append(URLValidator(schemes=["http", "https"]))


class LocaleField(wire.Text):
    """A supported locale in any of its spellings, stored with a hyphen."""

    default_error_messages = {"locale": "Locale is not supported."}

    def to_internal_value(self, data: Any) -> str:
        locale = canonical_locale(super().to_internal_value(data))
        if locale is None:
            self.fail("locale")
        return locale


class TimeZoneField(wire.Text):
    default_error_messages = {"zone": "Unknown time zone."}

    def to_internal_value(self, data: Any) -> str:
        zone = super().to_internal_value(data)
        if zone not in available_timezones():
            self.fail("zone")
        return zone


class ReturnHost(wire.Text):
    """A bare host name with or without a port, in lower case: what an address has between `//` and `/`."""

    default_error_messages = {"host": "Must be a host name, with a port or without."}

    def to_internal_value(self, data: Any) -> str:
        host = super().to_internal_value(data).lower()
        if not is_host(host):
            self.fail("host")
        return host


class TextOrNull(serializers.CharField):
    """Text that is null outside while there is none."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"allow_null": True, "read_only": True, **kwargs})

    def to_representation(self, value: Any) -> Any:
        return value or None


def _distinct(values: list[str]) -> list[str]:
    return list(dict.fromkeys(values))


class ClientChanges(wire.WireSerializer):
    """Every field may be left out: as it was, or its default in a new client."""

    name = wire.Text(max_length=200, trim_whitespace=True, required=False)
    status = serializers.ChoiceField(Client.Status.choices, required=False)
    time_zone = TimeZoneField(required=False)
    default_locale = LocaleField(required=False)
    membership_tiers = serializers.ListField(
        child=wire.Text(max_length=40, trim_whitespace=True),
        allow_empty=False,
        max_length=_TIERS_AT_MOST,
        required=False,
    )
    modules = serializers.ListField(child=serializers.ChoiceField(MODULES), required=False)
    allowed_return_hosts = serializers.ListField(child=ReturnHost(), max_length=_HOSTS_AT_MOST, required=False)
    self_registration = wire.Flag(required=False)
    defer_limit = wire.Whole(min_value=0, max_value=2**31 - 1, required=False)
    issuer = wire.Text(max_length=500, allow_blank=True, required=False, validators=[_VISIBLE])
    audience = wire.Text(max_length=500, allow_blank=True, required=False, validators=[_VISIBLE])
    jwks_url = WebAddress(max_length=500, allow_blank=True, required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        lists = ("membership_tiers", "modules", "allowed_return_hosts")
        return {**attrs, **{name: _distinct(attrs[name]) for name in lists if name in attrs}}


class ClientBody(ClientChanges):
    name = wire.Text(max_length=200, trim_whitespace=True)
    client_id = wire.Text(validators=[RegexValidator(rf"^{CLIENT_ID_PATTERN}\Z")])


class ClientOut(wire.WireSerializer):
    client_id = serializers.CharField(source="id")
    name = serializers.CharField()
    status = serializers.ChoiceField(Client.Status.choices)
    time_zone = serializers.CharField()
    default_locale = serializers.CharField()
    membership_tiers = serializers.ListField(child=serializers.CharField())
    modules = serializers.ListField(child=serializers.CharField())
    allowed_return_hosts = serializers.ListField(child=serializers.CharField())
    self_registration = serializers.BooleanField()
    defer_limit = serializers.IntegerField()
    issuer = TextOrNull()
    audience = TextOrNull()
    jwks_url = TextOrNull()
    created_at = wire.Instant()
    updated_at = wire.Instant()


class OneClientOut(wire.WireSerializer):
    client = ClientOut()


class AssessmentBody(wire.WireSerializer):
    """Kept as it is answered."""

    risk_tier = serializers.ChoiceField(RiskTier.choices)
    score = wire.Number(required=False, allow_null=True)
    assessed_at = wire.Instant(required=False, allow_null=True)

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        given = super().to_internal_value(data)
        # In a PATCH nothing is required, but an assessment comes whole.
        if "risk_tier" not in given:
            raise serializers.ValidationError({"riskTier": [self.fields["riskTier"].error_messages["required"]]})
        assessed_at = instant(given.get("assessed_at"))
        return {"riskTier": given["risk_tier"], "score": given.get("score"), "assessedAt": assessed_at}


class AssessmentsBody(wire.WireSerializer):
    """By kind; a kind that is not named stays as it is, and null takes it away."""

    fall_risk = AssessmentBody(required=False, allow_null=True)
    msk_assessment = AssessmentBody(required=False, allow_null=True)
    cognitive_assessment = AssessmentBody(required=False, allow_null=True)
    preferences = serializers.DictField(required=False, allow_null=True)

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        given = super().to_internal_value(data)
        if unknown := data.keys() - self.fields.keys():
            raise serializers.ValidationError({kind: ["Unknown kind of assessment."] for kind in sorted(unknown)})
        return {wire.camel(kind): value for kind, value in given.items()}


class EndUserChanges(wire.WireSerializer):
    """Null takes a value away."""

    wire_names = {"photo_url": "photoURL"}

    email = Email(allow_null=True, required=False)
    display_name = wire.Text(max_length=200, allow_blank=True, allow_null=True, required=False)
    photo_url = WebAddress(max_length=2000, allow_null=True, required=False)
    membership_tier = wire.Text(required=False)
    weight_kg = wire.Number(min_value=_LIGHTEST_KG, max_value=_HEAVIEST_KG, allow_null=True, required=False)
    locale = LocaleField(allow_null=True, required=False)
    risk_level = serializers.ChoiceField(RiskTier.choices, allow_null=True, required=False)
    assessments = AssessmentsBody(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        return {name: "" if value is None and name != "weight_kg" else value for name, value in attrs.items()}


class EndUserBody(EndUserChanges):
    user_id = wire.Text(
        max_length=128, validators=[RegexValidator(r"^[^\x00-\x1f\x7f]+\Z", "Must not have control characters.")]
    )


class EndUserQuery(PageQuery):
    """`search` finds the beginning of any word of id, email and name; `email` is the whole of it, in any case."""

    search = wire.Text(required=False, allow_blank=True, max_length=200)
    email = wire.Text(required=False, allow_blank=True, max_length=254)


class EndUserOut(wire.WireSerializer):
    wire_names = {"photo_url": "photoURL"}

    user_id = serializers.CharField(source="uid")
    client_id = serializers.CharField()
    email = TextOrNull()
    display_name = TextOrNull()
    photo_url = TextOrNull()
    membership_tier = serializers.CharField()
    weight_kg = serializers.FloatField(allow_null=True)
    locale = TextOrNull()
    risk_level = TextOrNull()
    assessments = serializers.DictField()
    created_at = wire.Instant()
    updated_at = wire.Instant()


class OneEndUserOut(wire.WireSerializer):
    user = EndUserOut()


class RevokableTokenBody(wire.WireSerializer):
    label = wire.Text(max_length=200, trim_whitespace=True)  # type: ignore[assignment]
    expires_at = wire.Instant(required=False, allow_null=True)


class RevokableTokenOut(wire.WireSerializer):
    id = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    created_at = wire.Instant()
    expires_at = wire.Instant(allow_null=True)
    last_used_at = wire.Instant(allow_null=True)
    revoked_at = wire.Instant(allow_null=True)


class NewRevokableTokenOut(wire.WireSerializer):
    """The secret is shown this once."""

    token = RevokableTokenOut()
    secret = serializers.CharField()


class PasswordBody(wire.WireSerializer):
    username = wire.Text(max_length=150)
    password = wire.Text(max_length=4096)
    otp = wire.Text(
        max_length=20, default="", allow_blank=True, help_text="the code of a second factor, if there is one"
    )


class RefreshBody(wire.WireSerializer):
    refresh_token = wire.Text(max_length=8192)


class CustomTokenBody(wire.WireSerializer):
    custom_token = wire.Text(max_length=8192)


class AdminTokenOut(wire.WireSerializer):
    admin_token = serializers.CharField()
    expires_at = wire.Instant()


class StaffTokensOut(AdminTokenOut):
    refresh_token = serializers.CharField()


class CustomTokenOut(wire.WireSerializer):
    custom_token = serializers.CharField()
    expires_at = wire.Instant()


class IdTokenOut(wire.WireSerializer):
    id_token = serializers.CharField()
    expires_at = wire.Instant()


class PublicKeyOut(serializers.Serializer[Any]):
    """One RSA key (RFC 7517)."""

    kty = serializers.CharField()
    use = serializers.CharField()
    alg = serializers.CharField()
    kid = serializers.CharField()
    n = serializers.CharField()
    e = serializers.CharField()


class KeySetOut(serializers.Serializer[Any]):
    keys = PublicKeyOut(many=True)


@extend_schema_serializer(many=False)
class PageOut(wire.WireSerializer):
    page = serializers.IntegerField()
    page_size = serializers.IntegerField()
    has_more = serializers.BooleanField()


class ClientPageOut(PageOut):
    data = ClientOut(many=True)  # type: ignore[assignment]


class EndUserPageOut(PageOut):
    data = EndUserOut(many=True)  # type: ignore[assignment]


class RevokableTokenPageOut(PageOut):
    data = RevokableTokenOut(many=True)  # type: ignore[assignment]
