"""`/api/v1/courses` and `/api/v1/course-versions`: what there is to learn (contract 9, 12)."""

from typing import ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.cursors import CursorInvalid
from apps.delivery.models import Course, CourseVersion
from apps.delivery.serializers.courses import (
    CourseBody,
    CourseEnvelope,
    CourseManifestEnvelope,
    CourseManifestOut,
    CourseOut,
    CoursePage,
    CourseVersionBody,
    CourseVersionEnvelope,
    CourseVersionOut,
    CourseVersionPage,
)
from apps.delivery.serializers.envelope import PageQuery
from apps.delivery.services import courses as services
from apps.delivery.services.enrollments import CourseVersionNotFound
from apps.delivery.views.asking import DeliveryViewSet, ManagedViewSet
from apps.delivery.views.pages import page
from apps.kernel.clock import now


class CourseViewSet(ManagedViewSet):
    lookup_url_kwarg = "course_id"
    lookup_value_regex = "[^/]+"
    refusals: ClassVar = {
        "list": (CursorInvalid,),
        "retrieve": (services.CourseNotFound,),
        "versions": (services.CourseNotFound, CursorInvalid),
        "publish": (services.CourseNotFound, services.ManifestInvalid),
    }

    @extend_schema(operation_id="listCourses", parameters=[PageQuery], responses=CoursePage)
    def list(self, request: Request) -> Response:
        """The client's courses, newest first."""
        rows = Course.objects.for_client(self.client_id)
        return page(self, rows, self.read_query(PageQuery), lambda course: CourseOut(course).data)

    @extend_schema(operation_id="createCourse", request=CourseBody, responses={201: CourseEnvelope})
    def create(self, request: Request) -> Response:
        """A course, of which nothing is published yet."""
        title = self.read_body(CourseBody)["title"]
        author = self.principal.subject
        course = services.create_course(client_id=self.client_id, title=title, author=author, now=now())
        return self.envelope(CourseOut(course).data, 201)

    @extend_schema(operation_id="getCourse", responses=CourseEnvelope)
    def retrieve(self, request: Request, course_id: str) -> Response:
        """One course."""
        return self.envelope(CourseOut(self._course(course_id)).data)

    @extend_schema(operation_id="listCourseVersions", parameters=[PageQuery], responses=CourseVersionPage)
    @action(detail=True, methods=["get"])
    def versions(self, request: Request, course_id: str) -> Response:
        """The course's versions, newest first; `getCourseVersion` has what is in one."""
        query = self.read_query(PageQuery)
        rows = CourseVersion.objects.for_client(self.client_id).filter(course=self._course(course_id))
        of_course = {**query, "course": course_id}
        return page(self, rows, of_course, lambda version: CourseVersionOut(version).data)

    @extend_schema(
        operation_id="publishCourseVersion", request=CourseVersionBody, responses={201: CourseVersionEnvelope}
    )
    @versions.mapping.post
    def publish(self, request: Request, course_id: str) -> Response:
        """Publish the next version. Each fault of its manifest is in `errors[]`: of its shape with a 400, of its
        meaning with a 422 `manifest.invalid`."""
        manifest = self.read_body(CourseVersionBody)["manifest"]
        version = services.publish_version(
            client_id=self.client_id,
            course_id=course_id,
            manifest=manifest,
            author=self.principal.subject,
            now=now(),
        )
        return self.envelope(CourseVersionOut(version).data, 201)

    def _course(self, course_id: str) -> Course:
        course = Course.objects.for_client(self.client_id).filter(pk=course_id).first()
        if course is None:
            raise services.CourseNotFound
        return course


class CourseVersionViewSet(DeliveryViewSet):
    lookup_url_kwarg = "course_version_id"
    lookup_value_regex = "[^/]+"
    refusals: ClassVar = {"retrieve": (CourseVersionNotFound,)}

    @extend_schema(operation_id="getCourseVersion", responses=CourseManifestEnvelope)
    def retrieve(self, request: Request, course_version_id: str) -> Response:
        """One version with its manifest, for administrators and for those who are enrolled in it."""
        rows = CourseVersion.objects.visible_to(self.principal, self.client_id).select_related("course", "package")
        version = rows.filter(pk=course_version_id, package__isnull=False).first()
        if version is None:
            raise CourseVersionNotFound
        return self.envelope(CourseManifestOut(version).data)
