"""Has a member of staff shown that they hold their second factor? A TOTP device (RFC 6238), theirs to set up.

Once set up it is asked for at every login. ADMIN_REQUIRE_2FA leaves those without one
only the page to set it up.
"""

import base64
import io

import django_otp
import qrcode  # type: ignore[import-untyped]
import qrcode.image.svg  # type: ignore[import-untyped]
from django.db import transaction
from django.http import HttpRequest
from django_otp.plugins.otp_totp.models import TOTPDevice

from apps.accounts.models import User
from apps.accounts.second_factor import device_of as device_of
from apps.accounts.second_factor import verify as verify


def is_shown(request: HttpRequest, device: TOTPDevice) -> bool:
    """This session was opened with a code of the device."""
    return bool(request.session.get(django_otp.DEVICE_ID_SESSION_KEY) == device.persistent_id)


def pending_device(user: User) -> TOTPDevice:
    """The device that is being set up: the same on every look at the page until its first code."""
    with transaction.atomic():
        User.objects.select_for_update().get(pk=user.pk)
        device = TOTPDevice.objects.filter(user=user, confirmed=False).first()
        return device or TOTPDevice.objects.create(user=user, name="TOTP", confirmed=False)


def confirm(request: HttpRequest, user: User, code: str) -> bool:
    """Switch the second factor on with its first code; this session has passed, any other one signs in again."""
    device = pending_device(user)
    if not verify(device, code):
        return False
    TOTPDevice.objects.filter(pk=device.pk).update(confirmed=True)
    request.session.cycle_key()
    django_otp.login(request, device)
    return True


def remove(user: User) -> None:
    TOTPDevice.objects.filter(user=user).delete()


def picture(device: TOTPDevice) -> str:
    """The QR code as an SVG element for the page: made here, so that the secret reaches no other service."""
    image = qrcode.make(device.config_url, image_factory=qrcode.image.svg.SvgPathImage, box_size=12)
    out = io.BytesIO()
    image.save(out)
    return out.getvalue().decode()


def secret(device: TOTPDevice) -> str:
    """The key in base32, in fours, for those who cannot scan."""
    text = base64.b32encode(device.bin_key).decode()
    return " ".join(text[at : at + 4] for at in range(0, len(text), 4))
