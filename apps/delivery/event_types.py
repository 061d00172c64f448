"""What may the world be told of courses and their sessions? (contract 9, 12, webhooks)"""

from apps.events.event_types import announces

announces(
    "delivery.course_version.published.v1",
    "delivery.enrollment.created.v1",
    "delivery.enrollment.revoked.v1",
    "delivery.enrollment.activated.v1",
    "delivery.device.registered.v1",
    "delivery.device.trusted.v1",
    "delivery.device.distrusted.v1",
    "delivery.play_session.started.v1",
    "delivery.play_session.navigated.v1",
    "delivery.play_session.paused.v1",
    "delivery.play_session.resumed.v1",
    "delivery.play_session.completed.v1",
    "delivery.play_session.abandoned.v1",
    "delivery.play_session.failed.v1",
    "delivery.bundle.built.v1",
    "delivery.bundle.revoked.v1",
    "delivery.bundle.mounted.v1",
    "delivery.bundle.unmounted.v1",
    "delivery.tutor.turn_completed.v1",
)
