using System.Diagnostics.Metrics;
using Telemetry.Diagnostics.Metrics;

namespace Telemetry.Alerting.Alertmanager;

/// <summary>What was told to Alertmanagers since the start, of all of them together. Any thread.</summary>
public sealed class AlertmanagerCounters
{
    private long _sent, _failed, _open, _alerts;

    /// <summary>Requests that were answered with 2xx.</summary>
    public long Sent => Interlocked.Read(ref _sent);

    /// <summary>Requests that were not.</summary>
    public long Failed => Interlocked.Read(ref _failed);

    /// <summary>Alerts in requests that were answered with 2xx.</summary>
    public long Alerts => Interlocked.Read(ref _alerts);

    /// <summary>Open alerts, when all were sent last.</summary>
    public long Open
    {
        get => Interlocked.Read(ref _open);
        internal set => Interlocked.Exchange(ref _open, value);
    }

    internal void AddSent(int alerts)
    {
        Interlocked.Increment(ref _sent);
        Interlocked.Add(ref _alerts, alerts);
    }

    internal void AddFailed() => Interlocked.Increment(ref _failed);

    /// <summary>Makes the instruments; docs/reference/metrics.md lists them.</summary>
    public void Publish(Meter meter)
    {
        meter.Counter(
            "telemetry.alertmanager.requests", "{request}", "Requests to Alertmanagers, by outcome", "outcome",
            ("sent", () => Sent), ("failed", () => Failed));
        meter.Counter(
            "telemetry.alertmanager.alerts", "{alert}", "Alerts in requests that Alertmanagers took, repeats included",
            () => Alerts);
        meter.Gauge("telemetry.alertmanager.open", "Open alerts when all were sent last", () => Open);
    }
}
