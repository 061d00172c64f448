"""Has a member of staff a second factor, and is this its code? TOTP devices (RFC 6238)."""

from django.db import transaction
from django_otp.plugins.otp_totp.models import TOTPDevice

from apps.accounts.models import User


def device_of(user: User) -> TOTPDevice | None:
    return TOTPDevice.objects.filter(user=user, confirmed=True).first()


def verify(device: TOTPDevice, code: str) -> bool:
    """Is this the device's code of the moment? Each code is good once; wrong ones slow the device down.

    Under the row's lock, so that two logins at once cannot use one code.
    """
    with transaction.atomic():
        locked = TOTPDevice.objects.select_for_update().get(pk=device.pk)
        return bool(locked.verify_token("".join(code.split())))
