using System.Net;
using Telemetry.Model.Identity;

namespace Telemetry.Cloud.Commands.Certificates;

/// <summary>What the command <c>certificates</c> was asked for.</summary>
internal sealed record CertificateArguments
{
    /// <summary><c>ca</c>, <c>server</c> or <c>gateway</c>: what is made, or renewed.</summary>
    public required string Kind { get; init; }

    /// <summary>True: what is there is signed again.</summary>
    public bool Renew { get; init; }

    /// <summary>DNS names of the server.</summary>
    public IReadOnlyList<string> Names { get; init; } = [];

    /// <summary>Addresses of the server.</summary>
    public IReadOnlyList<IPAddress> Addresses { get; init; } = [];

    /// <summary>Whose certificate it is, where <see cref="Kind"/> is <c>gateway</c>.</summary>
    public GatewayId Gateway { get; init; }

    /// <summary>Where all certificates are.</summary>
    public string Folder { get; init; } = "certificates";

    /// <summary>For how long it is valid.</summary>
    public required int Days { get; init; }
}
