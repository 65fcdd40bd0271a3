using System.Net;

namespace Telemetry.Dashboard;

/// <summary>How the dashboard listens. Every limit says what happens at it.</summary>
public sealed record DashboardOptions
{
    /// <summary>Where it listens. Without users it answers on the loopback alone.</summary>
    public IPEndPoint EndPoint { get; init; } = new(IPAddress.Loopback, 8080);

    /// <summary>Pages that may be open at once; one more gets 503 for its events, and works without them.</summary>
    public int ViewersMax { get; init; } = 500;

    /// <summary>Connections at once; one more is closed at once.</summary>
    public int ConnectionsMax { get; init; } = 1200;

    /// <summary>How long a session lasts after the login.</summary>
    public TimeSpan Session { get; init; } = TimeSpan.FromHours(12);

    /// <summary>True when a proxy in front speaks TLS with the browsers: then cookies go over TLS alone.</summary>
    public bool BehindTls { get; init; }

    /// <summary>Questions to the database at once; one more gets 503.</summary>
    public int QueriesMax { get; init; } = 16;
}
