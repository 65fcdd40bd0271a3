using System.Diagnostics.Metrics;
using Telemetry.Diagnostics.Metrics;

namespace Telemetry.Diagnostics.Tracing;

/// <summary>
/// What became of this process' spans. Written by the threads that end and send spans; read by anyone.
/// </summary>
public sealed class TraceExportCounters
{
    private long _exported;
    private long _failed;
    private long _dropped;
    private int _waiting;

    /// <summary>Spans that the collector took.</summary>
    public long Exported => Interlocked.Read(ref _exported);

    /// <summary>Spans that it did not take: out of reach, too slow, or refused.</summary>
    public long Failed => Interlocked.Read(ref _failed);

    /// <summary>Spans dropped because too many waited.</summary>
    public long Dropped => Interlocked.Read(ref _dropped);

    /// <summary>Spans that wait or are being sent.</summary>
    public int Waiting => Volatile.Read(ref _waiting);

    /// <summary>Makes the instruments of a cloud process; docs/reference/metrics.md lists them.</summary>
    public void Publish(Meter meter)
    {
        meter.Counter(
            "telemetry.traces.spans", "{span}", "Spans of this process, by what became of them", "outcome",
            ("exported", () => Exported), ("failed", () => Failed), ("dropped", () => Dropped));
        meter.Gauge("telemetry.traces.waiting", "Spans that wait for the collector", () => Waiting);
    }

    internal bool TryWait(int max)
    {
        if (Interlocked.Increment(ref _waiting) <= max)
        {
            return true;
        }

        Interlocked.Decrement(ref _waiting);
        Interlocked.Increment(ref _dropped);
        return false;
    }

    internal void Sent(long spans, bool taken)
    {
        Interlocked.Add(ref _waiting, (int)-spans);
        Interlocked.Add(ref taken ? ref _exported : ref _failed, spans);
    }
}
