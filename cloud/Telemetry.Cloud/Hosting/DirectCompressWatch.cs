using Microsoft.Extensions.Logging;
using Telemetry.Storage.Postgres;

namespace Telemetry.Cloud.Hosting;

/// <summary>Says once that the server turned direct compress off: storing goes on without it.</summary>
internal sealed class DirectCompressWatch(PostgresStore store, ILogger logger)
{
    private bool _said;

    /// <summary>One look.</summary>
    public Task LookAsync(CancellationToken cancellationToken)
    {
        if (!_said && store.DirectCompressProblem is { } problem)
        {
            OperationsLog.DirectCompressOff(logger, problem);
            _said = true;
        }

        return Task.CompletedTask;
    }
}
