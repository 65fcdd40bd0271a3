using System.Diagnostics.Metrics;
using Microsoft.Extensions.Logging;
using Telemetry.Diagnostics.Metrics;
using Telemetry.Storage.Postgres;

namespace Telemetry.Cloud.Hosting;

/// <summary>
/// Looks how many of the numbers of series are given, and says so once half of them are: no number is given twice, and
/// without one further series are refused.
/// </summary>
internal sealed class SeriesNumberWatch(PostgresStore store, ILogger logger)
{
    private const long Half = 1L << 30;

    private bool _said;

    /// <summary>The greatest number given, as last looked.</summary>
    public long Greatest { get; private set; }

    /// <summary>Makes the instrument; docs/reference/metrics.md lists it.</summary>
    public void Publish(Meter meter) => meter.Gauge(
        "telemetry.series.numbers.given",
        "The greatest number that a series or device of the database has, of 2147483647; as last looked",
        () => Greatest);

    /// <summary>One look.</summary>
    public async Task LookAsync(CancellationToken cancellationToken)
    {
        Greatest = await store.GreatestNumberAsync(cancellationToken);
        if (Greatest >= Half && !_said)
        {
            OperationsLog.NumbersHalfGiven(logger, Greatest, int.MaxValue);
        }

        _said = Greatest >= Half;
    }
}
