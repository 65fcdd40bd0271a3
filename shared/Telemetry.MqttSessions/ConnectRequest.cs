using System.Net;
using System.Security.Cryptography.X509Certificates;

namespace Telemetry.MqttSessions;

/// <summary>
/// Who wants to connect, before anything about it is believed (but its certificate, which TLS has checked).
/// </summary>
public sealed record ConnectRequest
{
    /// <summary>Client identifier, 1 to 65,535 bytes of UTF-8.</summary>
    public required string ClientId { get; init; }

    /// <summary>User name; null when none was sent.</summary>
    public string? UserName { get; init; }

    /// <summary>Password bytes; null when none were sent.</summary>
    public ReadOnlyMemory<byte>? Password { get; init; }

    /// <summary>The certificate that the client proved in the TLS handshake; null when it showed none.</summary>
    public X509Certificate2? ClientCertificate { get; init; }

    /// <summary>Where the connection comes from; null when the link is not a socket.</summary>
    public EndPoint? RemoteEndPoint { get; init; }

    /// <summary>User properties of the CONNECT.</summary>
    public IReadOnlyList<MqttUserProperty> UserProperties { get; init; } = [];
}
