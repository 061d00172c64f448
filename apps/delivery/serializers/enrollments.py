"""What may a request about enrollments say, and what does the answer say? (contract 12)"""

from rest_framework import serializers

from apps.api import wire
from apps.delivery.models import Enrollment
from apps.delivery.serializers.envelope import PageQuery, enveloped, listed


class EnrollmentBody(wire.WireSerializer):
    user_id = wire.Text(max_length=128)
    course_version_id = wire.Text(max_length=64)


class EnrollmentChangeBody(wire.WireSerializer):
    status = serializers.ChoiceField(Enrollment.Status.choices)


class EnrollmentsQuery(PageQuery):
    user_id = wire.Text(required=False)
    course_version_id = wire.Text(required=False)
    status = serializers.ChoiceField(Enrollment.Status.choices, required=False)


class EnrollmentOut(wire.WireSerializer):
    id = serializers.CharField()
    user_id = serializers.CharField()
    course_version_id = serializers.CharField()
    status = serializers.ChoiceField(Enrollment.Status.choices)
    created_at = wire.Instant()
    revoked_at = wire.Instant(allow_null=True)


EnrollmentEnvelope, EnrollmentPage = enveloped(EnrollmentOut), listed(EnrollmentOut)
