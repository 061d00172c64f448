"""Which routes give tokens, and which manage clients, people and integrations? (contract 1, 12)"""

import hashlib
from collections.abc import Sequence
from typing import ClassVar, cast

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.authentication import BaseAuthentication
from rest_framework.decorators import action
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts import browsers, identity, keys, people, services, tokens
from apps.accounts import serializers as wire
from apps.accounts.access import client_for
from apps.accounts.authentication import principal_of_staff, staff
from apps.accounts.models import RevokableToken
from apps.accounts.permissions import STAFF, allow
from apps.accounts.principal import Principal, Role
from apps.api import limits
from apps.api.gofa import GofaViewSet, PageQuery
from apps.api.limits import Limit
from apps.kernel.clock import now
from apps.kernel.refusals import NotFound
from apps.tenants.models import Client, EndUser

CLIENT_ID = OpenApiParameter("client_id", str, OpenApiParameter.PATH, description="The client's name.")
USER_ID = OpenApiParameter("user_id", str, OpenApiParameter.PATH, description="The person's uid.")
TOKEN_ID = OpenApiParameter("token_id", str, OpenApiParameter.PATH, description="The token's id.")


class KeySetViewSet(GofaViewSet):
    """The public half of the local issuer's key."""

    authentication_classes = ()
    permission_classes = ()

    @extend_schema(operation_id="getKeySet", tags=["tokens"], auth=[], responses=wire.KeySetOut)
    def retrieve(self, request: Request) -> Response:
        """The keys that check tokens of the local issuer (RFC 7517)."""
        return Response(keys.local_key_set(), headers={"Cache-Control": "public, max-age=3600"})


class TokenViewSet(GofaViewSet):
    """The base of what gives tokens to whoever shows something better than a header.

    A credential that came along is not looked at, so that a stale one is in nobody's way.
    """

    authentication_classes: Sequence[type[BaseAuthentication]] = ()
    permission_classes: Sequence[type[BasePermission]] = ()
    also_refuses: ClassVar[Sequence[int]] = (401,)

    @property
    def default_response_headers(self) -> dict[str, str]:
        return {**super().default_response_headers, "Cache-Control": "no-store"}


class AdminTokenViewSet(TokenViewSet):
    """Staff sign in by name and password. Failures are counted by name and by address; successes are not."""

    also_refuses: ClassVar[Sequence[int]] = (401, 429)
    failures_by_name = Limit("sign_in_name", 10, 300)
    failures_by_address = Limit("sign_in_address", 60, 60)

    @extend_schema(
        operation_id="createAdminToken",
        tags=["tokens"],
        auth=[],
        request=wire.PasswordBody,
        responses={200: wire.StaffTokensOut},
    )
    def create(self, request: Request) -> Response:
        """An admin token for an hour, and a refresh token that renews it for a week."""
        body = self.read_body(wire.PasswordBody)
        name = hashlib.sha256(body["username"].encode()).hexdigest()
        counted = [(self.failures_by_name, name), (self.failures_by_address, request.META.get("REMOTE_ADDR", ""))]
        limits.take(counted)
        user = services.sign_in_staff(username=body["username"], password=body["password"], code=body["otp"])
        given = principal_of_staff(user).client_id, user.username
        limits.give_back(counted)
        mark = people.password_mark(user)
        admin, refresh = tokens.AdminToken.issue(*given, pwd=mark), tokens.RefreshToken.issue(*given, pwd=mark)
        shown = {"admin_token": admin.text, "refresh_token": refresh.text, "expires_at": admin.expires_at}
        return Response(wire.StaffTokensOut(shown).data)

    @extend_schema(
        operation_id="refreshAdminToken",
        tags=["tokens"],
        auth=[],
        request=wire.RefreshBody,
        responses={200: wire.AdminTokenOut},
    )
    @action(detail=False, methods=["post"])
    def refresh(self, request: Request) -> Response:
        """Another admin token, as long as the person is still staff and has the same password."""
        claims = identity.read(self.read_body(wire.RefreshBody)["refresh_token"], "refresh")
        principal = staff(claims)
        admin = tokens.AdminToken.issue(principal.client_id, principal.subject, pwd=claims.all.get("pwd"))
        return Response(wire.AdminTokenOut({"admin_token": admin.text, "expires_at": admin.expires_at}).data)


class ExchangeTokenViewSet(TokenViewSet):
    authentication_classes = GofaViewSet.authentication_classes
    permission_classes = (allow(Role.END_USER),)

    @extend_schema(operation_id="exchangeToken", tags=["tokens"], request=None, responses={200: wire.CustomTokenOut})
    def create(self, request: Request) -> Response:
        """A custom token of the caller for five minutes and one use: what an app hands over to the play pages."""
        custom = tokens.CustomToken.issue(self.client_id, cast(Principal, request.user).subject)
        return Response(wire.CustomTokenOut({"custom_token": custom.text, "expires_at": custom.expires_at}).data)


class SignInViewSet(TokenViewSet):
    def tenant_of(self, request: Request) -> str:
        """The client of the token in the body, so that its rows are bound before the transaction begins."""
        self.claims = identity.read(self.read_body(wire.CustomTokenBody)["custom_token"], "custom")
        return self.claims.client.id

    @extend_schema(
        operation_id="signIn", tags=["tokens"], auth=[], request=wire.CustomTokenBody, responses={200: wire.IdTokenOut}
    )
    def create(self, request: Request) -> Response:
        """An ID token, and the session cookie that the play pages use; the custom token is used up."""
        person = browsers.sign_in(self.claims)
        id_token = tokens.issue_id_token(person.client_id, person.subject)
        response = Response(wire.IdTokenOut({"id_token": id_token.text, "expires_at": id_token.expires_at}).data)
        browsers.remember(response, person, request=request._request)
        return response


class ClientViewSet(GofaViewSet):
    permission_classes = (allow(Role.PLATFORM_ADMIN),)
    lookup_field = "pk"
    lookup_url_kwarg = "client_id"
    lookup_value_regex = "[^/]+"

    @extend_schema(operation_id="listClients", tags=["clients"], parameters=[PageQuery], responses=wire.ClientPageOut)
    def list(self, request: Request) -> Response:
        """All clients, by name."""
        return Response(self.paged(Client.objects.order_by("pk"), lambda row: wire.ClientOut(row).data))

    @extend_schema(
        operation_id="createClient", tags=["clients"], request=wire.ClientBody, responses={201: wire.OneClientOut}
    )
    def create(self, request: Request) -> Response:
        """A new client; what is not given has its default."""
        fields = self.read_body(wire.ClientBody)
        client = services.create_client(client_id=fields.pop("client_id"), fields=fields)
        return Response(wire.OneClientOut({"client": client}).data, status=201)

    @extend_schema(operation_id="getClient", tags=["clients"], parameters=[CLIENT_ID], responses=wire.OneClientOut)
    def retrieve(self, request: Request, client_id: str) -> Response:
        """One client, active or suspended."""
        client = Client.objects.filter(pk=client_id).first()
        if client is None:
            raise NotFound("Client not found")
        return Response(wire.OneClientOut({"client": client}).data)

    @extend_schema(
        operation_id="updateClient",
        tags=["clients"],
        parameters=[CLIENT_ID],
        request=wire.ClientChanges,
        responses=wire.OneClientOut,
    )
    def partial_update(self, request: Request, client_id: str) -> Response:
        """Change what is given; `status: suspended` shuts the client's people and staff out at once."""
        fields = self.read_body(wire.ClientChanges, partial=True)
        client = services.update_client(client_id=client_id, fields=fields)
        return Response(wire.OneClientOut({"client": client}).data)


class OfClientViewSet(GofaViewSet):
    """The base of what administrators manage for one client: theirs, or any for platform staff."""

    permission_classes = (allow(*STAFF),)

    @property
    def principal(self) -> Principal:
        return cast(Principal, self.request.user)

    def tenant_of(self, request: Request) -> str:
        self.client = client_for(self.principal, self.kwargs["client_id"])
        return self.client.pk


class EndUserViewSet(OfClientViewSet):
    lookup_field = "uid"
    lookup_url_kwarg = "user_id"
    lookup_value_regex = "[^/]+"

    @extend_schema(
        operation_id="listUsers",
        tags=["users"],
        parameters=[CLIENT_ID, wire.EndUserQuery],
        responses=wire.EndUserPageOut,
    )
    def list(self, request: Request, client_id: str) -> Response:
        """The client's people by uid, all of them or those that are searched for."""
        query = self.read_query(wire.EndUserQuery)
        rows = EndUser.objects.for_client(self.client_id).order_by("uid")
        if query.get("search"):
            rows = rows.found_by(self.client_id, query["search"])
        if query.get("email"):
            rows = rows.with_email(self.client_id, query["email"])
        return Response(self.paged(rows, lambda row: wire.EndUserOut(row).data))

    @extend_schema(
        operation_id="createUser",
        tags=["users"],
        parameters=[CLIENT_ID],
        request=wire.EndUserBody,
        responses={201: wire.OneEndUserOut},
    )
    def create(self, request: Request, client_id: str) -> Response:
        """A new person, known by what the identity provider will put in `sub`."""
        fields = self.read_body(wire.EndUserBody)
        user = services.create_end_user(client=self.client, uid=fields.pop("user_id"), fields=fields)
        return Response(wire.OneEndUserOut({"user": user}).data, status=201)

    @extend_schema(
        operation_id="getUser", tags=["users"], parameters=[CLIENT_ID, USER_ID], responses=wire.OneEndUserOut
    )
    def retrieve(self, request: Request, client_id: str, user_id: str) -> Response:
        """One person."""
        user = EndUser.objects.for_client(self.client_id).filter(uid=user_id).first()
        if user is None:
            raise NotFound("User not found")
        return Response(wire.OneEndUserOut({"user": user}).data)

    @extend_schema(
        operation_id="updateUser",
        tags=["users"],
        parameters=[CLIENT_ID, USER_ID],
        request=wire.EndUserChanges,
        responses=wire.OneEndUserOut,
    )
    def partial_update(self, request: Request, client_id: str, user_id: str) -> Response:
        """Change what is given; assessments are merged by kind."""
        fields = self.read_body(wire.EndUserChanges, partial=True)
        user = services.update_end_user(client=self.client, uid=user_id, fields=fields)
        return Response(wire.OneEndUserOut({"user": user}).data)


class RevokableTokenViewSet(OfClientViewSet):
    secret_actions = frozenset({"create"})
    lookup_field = "pk"
    lookup_url_kwarg = "token_id"
    lookup_value_regex = "[^/]+"

    @extend_schema(
        operation_id="listRevokableTokens",
        tags=["tokens"],
        parameters=[CLIENT_ID, PageQuery],
        responses=wire.RevokableTokenPageOut,
    )
    def list(self, request: Request, client_id: str) -> Response:
        """The client's integrations, the newest first, those that were revoked included."""
        rows = RevokableToken.objects.for_client(self.client_id).order_by("-pk")
        return Response(self.paged(rows, lambda row: wire.RevokableTokenOut(row).data))

    @extend_schema(
        operation_id="createRevokableToken",
        tags=["tokens"],
        parameters=[CLIENT_ID],
        request=wire.RevokableTokenBody,
        responses={201: wire.NewRevokableTokenOut},
    )
    def create(self, request: Request, client_id: str) -> Response:
        """A credential for an integration. The secret is in this answer and nowhere else."""
        body, time_now = self.read_body(wire.RevokableTokenBody), now()
        ends = body.get("expires_at")
        row = services.create_revokable_token(
            client=self.client,
            label=body["label"],
            expires_at=ends,
            by=self.principal.subject,
            now=time_now,
        )
        secret = tokens.issue_revokable_token(row, now=time_now)
        return Response(wire.NewRevokableTokenOut({"token": row, "secret": secret.text}).data, status=201)

    @extend_schema(operation_id="revokeToken", tags=["tokens"], parameters=[CLIENT_ID, TOKEN_ID], responses={204: None})
    def destroy(self, request: Request, client_id: str, token_id: str) -> Response:
        """Refused from the next request on."""
        services.revoke_token(client_id=self.client_id, token_id=token_id, now=now())
        return Response(status=204)
