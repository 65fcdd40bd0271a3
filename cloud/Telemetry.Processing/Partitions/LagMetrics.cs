using System.Diagnostics.Metrics;
using System.Globalization;
using Telemetry.Storage;

namespace Telemetry.Processing.Partitions;

/// <summary>The instruments of how far streams are behind, as the last look found it.</summary>
internal static class LagMetrics
{
    public static void Publish(Meter meter, Func<IEnumerable<StreamLagRow>> lags)
    {
        Gauge(
            "telemetry.processor.lag.messages", null, "Messages of a stream that are not in the database yet",
            lag => lag.Messages);
        Gauge("telemetry.processor.lag.age", "s", "How long ago the oldest of them came", lag => Seconds(lag.Age));
        Gauge(
            "telemetry.processor.lag.left", "s", "In how long the log removes the oldest of them for its age",
            lag => lag.Left is { } left ? Seconds(left) : null);
        Gauge(
            "telemetry.processor.lag.stage", null, "0 not behind, 1 info, 2 warning, 3 critical, 4 outlives the log",
            lag => (long)lag.Stage);

        void Gauge(string name, string? unit, string description, Func<StreamLagRow, long?> value) =>
            meter.CreateObservableGauge(
                name,
                () => lags().Where(lag => value(lag) is not null).Select(lag => new Measurement<long>(
                    value(lag)!.Value,
                    new KeyValuePair<string, object?>(
                        "partition", lag.Partition.ToString(CultureInfo.InvariantCulture)),
                    new KeyValuePair<string, object?>("stream", lag.Stream))),
                unit, description);
    }

    private static long Seconds(TimeSpan span) => (long)span.TotalSeconds;
}
