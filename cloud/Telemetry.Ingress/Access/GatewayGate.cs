using System.Security.Cryptography.X509Certificates;
using Telemetry.Model.Identity;
using Telemetry.MqttSessions;

namespace Telemetry.Ingress.Access;

/// <summary>
/// Authenticates a connection: by the certificate that TLS has checked (its common name is the gateway id), otherwise
/// by user name (the gateway id) and password. The client id is the gateway id, or the gateway id and <c>/anything</c>.
/// </summary>
/// <param name="passwords">Checks passwords; null: password connections are refused.</param>
public sealed class GatewayGate(PasswordHandler? passwords)
{
    // One answer for a wrong password, an unknown gateway and an attempt that was not checked, so that an attacker
    // learns nothing from it.
    private static readonly AuthenticateResult WrongPassword = new(
        MqttReasonCode.BadUserNameOrPassword,
        "unknown gateway or wrong password; after wrong ones the next attempts are refused unchecked for a while");

    private static readonly AuthenticateResult Busy =
        new(MqttReasonCode.ServerBusy, "too many passwords wait to be checked: try again");

    /// <summary>Checks passwords; null when password connections are refused.</summary>
    public PasswordHandler? Passwords => passwords;

    /// <summary>Accepts the connection, or returns the reason of the refusal.</summary>
    public ValueTask<AuthenticateResult> AuthenticateAsync(ConnectRequest request, CancellationToken ct) =>
        request.ClientCertificate is { } certificate ? new(ByCertificate(request, certificate))
            : ByPasswordAsync(request, ct);

    /// <summary>The gateway that a client id names; correct for every accepted session.</summary>
    public static bool TryGatewayOf(string clientId, out GatewayId gateway)
    {
        var slash = clientId.IndexOf('/', StringComparison.Ordinal);
        return GatewayId.TryParse(slash < 0 ? clientId : clientId[..slash], out gateway);
    }

    private static AuthenticateResult ByCertificate(ConnectRequest request, X509Certificate2 certificate) =>
        GatewayId.TryParse(certificate.GetNameInfo(X509NameType.SimpleName, forIssuer: false), out var gateway)
            && (request.UserName is null || request.UserName == gateway.Value)
            ? WithOwnClientId(request, gateway)
            : new(
                MqttReasonCode.NotAuthorized,
                "the certificate's common name is not a gateway id, or differs from the user name");

    private async ValueTask<AuthenticateResult> ByPasswordAsync(ConnectRequest request, CancellationToken ct)
    {
        if (passwords is null)
        {
            return WrongPassword;
        }

        var named = GatewayId.TryParse(request.UserName, out var gateway) && request.Password is not null;
        return await passwords.JudgeAsync(
            named ? gateway : null, request.Password ?? default, request.RemoteEndPoint, ct) switch
        {
            PasswordVerdict.Right => WithOwnClientId(request, gateway),
            PasswordVerdict.Busy => Busy,
            _ => WrongPassword,
        };
    }

    private static AuthenticateResult WithOwnClientId(ConnectRequest request, GatewayId gateway) =>
        TryGatewayOf(request.ClientId, out var named) && named == gateway
            ? AuthenticateResult.Accepted
            : new(
                MqttReasonCode.ClientIdentifierNotValid, $"the client id is to be {gateway} or begin with {gateway}/");
}
