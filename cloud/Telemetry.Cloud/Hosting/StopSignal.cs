using Microsoft.Extensions.Hosting;

namespace Telemetry.Cloud.Hosting;

/// <summary>
/// Tells processor, upkeep and relay at once to stop, before each is waited for in turn: they give their leases back,
/// so that the next owner need not wait. It starts after them and before the ingress, so it stops after the ingress and
/// before them.
/// </summary>
internal sealed class StopSignal : IHostedService, IDisposable
{
    private readonly CancellationTokenSource _stopping = new();

    /// <summary>Cancelled when they have to stop.</summary>
    public CancellationToken Stopping => _stopping.Token;

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => _stopping.CancelAsync();

    public void Dispose() => _stopping.Dispose();
}
