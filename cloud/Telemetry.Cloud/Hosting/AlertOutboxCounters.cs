using System.Diagnostics.Metrics;
using Telemetry.Diagnostics.Metrics;

namespace Telemetry.Cloud.Hosting;

/// <summary>What the upkeep of the alert outbox saw; written by it alone, read by anyone.</summary>
public sealed class AlertOutboxCounters
{
    private long _waiting, _trimmed, _unpublished;

    /// <summary>Rows that no relay has published, of all partitions, at the last look.</summary>
    public long Waiting
    {
        get => Volatile.Read(ref _waiting);
        set => Volatile.Write(ref _waiting, value);
    }

    /// <summary>Rows that a relay had published and that went at their age.</summary>
    public long Trimmed
    {
        get => Volatile.Read(ref _trimmed);
        set => Volatile.Write(ref _trimmed, value);
    }

    /// <summary>Rows that went unpublished, since there is no relay.</summary>
    public long TrimmedUnpublished
    {
        get => Volatile.Read(ref _unpublished);
        set => Volatile.Write(ref _unpublished, value);
    }

    /// <summary>Makes the instruments; docs/reference/metrics.md lists them.</summary>
    public void Publish(Meter meter)
    {
        meter.Gauge(
            "telemetry.alerts.outbox.waiting", "Alerts that no relay has published, of the whole database",
            () => Waiting);
        meter.Counter(
            "telemetry.alerts.outbox.trimmed", "{transition}", "Rows of the alert outbox that were removed",
            "published", ("true", () => Trimmed), ("false", () => TrimmedUnpublished));
    }
}
