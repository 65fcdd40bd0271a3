using Microsoft.Extensions.Hosting;

namespace Telemetry.Cloud.Hosting;

/// <summary>
/// Tells processor, upkeep and relay to stop as soon as the process is told to, while the ingress still drains: they
/// give their leases back, so that the next owner need not wait. The host would tell them one after the other.
/// </summary>
internal sealed class StopSignal(IHostApplicationLifetime lifetime)
{
    /// <summary>Cancelled when they have to stop.</summary>
    public CancellationToken Stopping => lifetime.ApplicationStopping;
}
