using Telemetry.Edge.Uplink;
using Telemetry.Model.Identity;
using Telemetry.TestKit.Time;

namespace Telemetry.TestKit.Simulated;

/// <summary>An ingress as a simulated link uses it: how to send it a message, and whether it is alive.</summary>
/// <param name="Life">The process.</param>
/// <param name="Published">Handles a publish; its result is the PUBACK. An error closes the connection.</param>
/// <param name="OpenSession">Opens a gateway's session; messages to the gateway are passed to the function (false: not
/// now). Disposed with the connection.</param>
public sealed record SimulatedIngress(
    ProcessLife Life,
    Func<GatewayId, string, ReadOnlyMemory<byte>, CancellationToken, Task<PublishOutcome>> Published,
    Func<GatewayId, Func<ReadOnlyMemory<byte>, bool>, CancellationToken, Task<IAsyncDisposable>> OpenSession);
