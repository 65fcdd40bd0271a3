using System.Security.Cryptography.X509Certificates;
using Telemetry.Model;
using Telemetry.Mqtt;

namespace Telemetry.Cloud.Ingress;

/// <summary>
/// Decides who a connection is: by the certificate that TLS has checked (its common name is the gateway id), else by
/// user name (the gateway id) and password. The client id is the gateway id, or that and <c>/anything</c>.
/// </summary>
/// <param name="passwords">Asked at each connection; null: passwords are not taken.</param>
internal sealed class GatewayGate(Func<GatewayPasswords>? passwords)
{
    private static readonly AuthenticateResult WrongPassword =
        new(MqttReasonCode.BadUserNameOrPassword, "unknown gateway or wrong password");

    /// <summary>Lets in or says why not.</summary>
    public AuthenticateResult Authenticate(ConnectRequest request)
    {
        var result = Identify(request, out var gateway);
        if (result.ReasonCode >= MqttReasonCode.UnspecifiedError)
        {
            return result;
        }

        return TryGatewayOf(request.ClientId, out var named) && named == gateway
            ? AuthenticateResult.Accepted
            : new(
                MqttReasonCode.ClientIdentifierNotValid, $"the client id is to be {gateway} or begin with {gateway}/");
    }

    /// <summary>The gateway that a client id names; it is true of every session that was let in.</summary>
    public static bool TryGatewayOf(string clientId, out GatewayId gateway)
    {
        var slash = clientId.IndexOf('/', StringComparison.Ordinal);
        return GatewayId.TryParse(slash < 0 ? clientId : clientId[..slash], out gateway);
    }

    private AuthenticateResult Identify(ConnectRequest request, out GatewayId gateway)
    {
        if (request.ClientCertificate is { } certificate)
        {
            return GatewayId.TryParse(certificate.GetNameInfo(X509NameType.SimpleName, forIssuer: false), out gateway)
                && (request.UserName is null || request.UserName == gateway.Value)
                ? AuthenticateResult.Accepted
                : new(
                    MqttReasonCode.NotAuthorized, "the certificate's common name is no gateway id, or not the user's");
        }

        if (!GatewayId.TryParse(request.UserName, out gateway) || request.Password is not { } password)
        {
            return WrongPassword;
        }

        return passwords?.Invoke().Verify(gateway, password.Span) == true ? AuthenticateResult.Accepted : WrongPassword;
    }
}
