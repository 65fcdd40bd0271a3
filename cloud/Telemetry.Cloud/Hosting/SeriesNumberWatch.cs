using System.Diagnostics.Metrics;
using Microsoft.Extensions.Logging;
using Telemetry.Diagnostics.Failures;
using Telemetry.Diagnostics.Metrics;
using Telemetry.Storage;
using Telemetry.Storage.Postgres;

namespace Telemetry.Cloud.Hosting;

/// <summary>
/// Looks every hour how many of the numbers of series are given, and says so once half of them are: no number is given
/// twice, and without one further series are refused.
/// </summary>
internal sealed class SeriesNumberWatch(
    PostgresStore store, TimeProvider time, ILogger logger, ReportedFailure? database = null)
{
    private const long Half = 1L << 30;
    private static readonly TimeSpan Every = TimeSpan.FromHours(1);

    private readonly ReportedFailure _trouble = new(
        "Looking at the numbers of series fails", "Looking at the numbers of series works again", time, logger,
        database);

    private bool _said;

    /// <summary>The greatest number given, as last looked.</summary>
    public long Greatest { get; private set; }

    /// <summary>Makes the instrument; docs/reference/metrics.md lists it.</summary>
    public void Publish(Meter meter) => meter.Gauge(
        "telemetry.series.numbers.given",
        "The greatest number that a series or device of the database has, of 2147483647; as last looked",
        () => Greatest);

    /// <summary>Runs until cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            while (true)
            {
                try
                {
                    await LookAsync(cancellationToken);
                    _trouble.Worked();
                }
                catch (StoreException e)
                {
                    _trouble.Failed(e.Message);
                }

                await Task.Delay(Every, time, cancellationToken);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The process stops.
        }
    }

    /// <summary>One look.</summary>
    internal async Task LookAsync(CancellationToken cancellationToken)
    {
        Greatest = await store.GreatestNumberAsync(cancellationToken);
        if (Greatest >= Half && !_said)
        {
            OperationsLog.NumbersHalfGiven(logger, Greatest, int.MaxValue);
        }

        _said = Greatest >= Half;
    }
}
