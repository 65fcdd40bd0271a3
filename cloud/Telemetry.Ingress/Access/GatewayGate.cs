using System.Security.Cryptography.X509Certificates;
using Telemetry.Model.Identity;
using Telemetry.MqttSessions;

namespace Telemetry.Ingress.Access;

/// <summary>
/// Decides who a connection is: by the certificate that TLS has checked (its common name is the gateway id), else by
/// user name (the gateway id) and password. The client id is the gateway id, or that and <c>/anything</c>.
/// </summary>
/// <param name="passwords">Judges passwords; null: none are taken.</param>
public sealed class GatewayGate(PasswordHandler? passwords)
{
    // One answer to a wrong password, an unknown gateway and an attempt that was not checked: whoever guesses learns
    // nothing from it.
    private static readonly AuthenticateResult WrongPassword = new(
        MqttReasonCode.BadUserNameOrPassword,
        "unknown gateway or wrong password; after wrong ones the next attempts are refused unchecked for a while");

    private static readonly AuthenticateResult Busy =
        new(MqttReasonCode.ServerBusy, "too many passwords wait to be checked: try again");

    /// <summary>Judges passwords; null where none are taken.</summary>
    public PasswordHandler? Passwords => passwords;

    /// <summary>Lets in or says why not.</summary>
    public ValueTask<AuthenticateResult> AuthenticateAsync(ConnectRequest request, CancellationToken ct) =>
        request.ClientCertificate is { } certificate ? new(ByCertificate(request, certificate))
            : ByPasswordAsync(request, ct);

    /// <summary>The gateway that a client id names; it is true of every session that was let in.</summary>
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
                "the certificate's common name is not a gateway id, or the user name is another one");

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
