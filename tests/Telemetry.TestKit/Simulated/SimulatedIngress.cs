using Telemetry.Edge.Uplink;
using Telemetry.Model.Identity;
using Telemetry.TestKit.Time;

namespace Telemetry.TestKit.Simulated;

/// <summary>What a simulated link knows of an ingress: how to bring it something, and whether it lives.</summary>
/// <param name="Life">The process.</param>
/// <param name="Published">Takes a publish; its result is the PUBACK. An error closes the connection.</param>
/// <param name="OpenSession">
/// Opens a gateway's session; what goes down is handed to the function (false: not now). Disposed with the connection.
/// </param>
public sealed record SimulatedIngress(
    ProcessLife Life,
    Func<GatewayId, string, ReadOnlyMemory<byte>, CancellationToken, Task<PublishOutcome>> Published,
    Func<GatewayId, Func<ReadOnlyMemory<byte>, bool>, CancellationToken, Task<IAsyncDisposable>> OpenSession);
