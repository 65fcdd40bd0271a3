using System.Net;

namespace Telemetry.Dashboard;

/// <summary>How the dashboard listens. Every limit says what happens at it.</summary>
public sealed record DashboardOptions
{
    /// <summary>Where it listens. Without users that is the loopback alone.</summary>
    public IPEndPoint EndPoint { get; init; } = new(IPAddress.Loopback, 8080);

    /// <summary>Pages that may be open at once; one more gets 503 for its events, and works without them.</summary>
    public int ViewersMax { get; init; } = 500;

    /// <summary>Connections at once; one more is closed at once.</summary>
    public int ConnectionsMax { get; init; } = 1200;

    /// <summary>Questions to the database at once; one more gets 503.</summary>
    public int QueriesMax { get; init; } = 16;
}
