using Microsoft.Extensions.Hosting;

namespace Telemetry.Cloud.Health;

/// <summary>For a host that is only a part of the process: signals stop the process, and it stops the host.</summary>
internal sealed class NoLifetime : IHostLifetime
{
    public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
