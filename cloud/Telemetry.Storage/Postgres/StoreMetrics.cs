using System.Diagnostics.Metrics;
using Telemetry.Diagnostics.Metrics;

namespace Telemetry.Storage.Postgres;

/// <summary>What a store counts, as instruments.</summary>
public static class StoreMetrics
{
    /// <summary>Makes the instruments; docs/reference/metrics.md lists them.</summary>
    public static void Publish(Meter meter, PostgresStore store)
    {
        meter.Counter(
            "telemetry.storage.partitions.left_to_default", "{partition}",
            "Periods whose rows go to the default partition, since none of their own could be made",
            () => store.PartitionsLeftToDefault);
        meter.Counter(
            "telemetry.storage.readings.indexed", "{reading}",
            "Readings that this process moved to where they are indexed (plain PostgreSQL)",
            () => store.ReadingsIndexed);
        meter.Counter(
            "telemetry.storage.windows.merged", "{window}",
            "Windows whose parts this process merged", () => store.Merging.Merged);
    }
}
