from rest_framework.routers import SimpleRouter

from apps.delivery.views.bundles import BundleViewSet
from apps.delivery.views.courses import CourseVersionViewSet, CourseViewSet
from apps.delivery.views.devices import DeviceViewSet
from apps.delivery.views.enrollments import EnrollmentViewSet
from apps.delivery.views.licenses import LicenseKeyViewSet
from apps.delivery.views.mounts import MountViewSet
from apps.delivery.views.sessions import PlaySessionViewSet
from apps.delivery.views.sync import SyncViewSet
from apps.delivery.views.tutor import TutorViewSet
from apps.delivery.views.webhooks import WebhookEndpointViewSet

router = SimpleRouter(trailing_slash=False)
router.register("api/v1/play-sessions", PlaySessionViewSet, basename="play-session")
router.register("api/v1/play-sessions/(?P<play_session_id>[^/]+)/tutor", TutorViewSet, basename="tutor")
router.register("api/v1/play-sessions/(?P<play_session_id>[^/]+)", MountViewSet, basename="mount")
router.register("api/v1/bundles", BundleViewSet, basename="bundle")
router.register("api/v1/license-keys", LicenseKeyViewSet, basename="license-key")
router.register("api/v1/courses", CourseViewSet, basename="course")
router.register("api/v1/course-versions", CourseVersionViewSet, basename="course-version")
router.register("api/v1/enrollments", EnrollmentViewSet, basename="enrollment")
router.register("api/v1/devices", DeviceViewSet, basename="device")
router.register("api/v1/sync", SyncViewSet, basename="sync")
router.register("api/v1/webhook-endpoints", WebhookEndpointViewSet, basename="webhook-endpoint")

urlpatterns = router.urls
