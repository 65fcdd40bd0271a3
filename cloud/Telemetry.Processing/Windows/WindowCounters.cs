using System.Diagnostics.Metrics;
using Telemetry.Diagnostics.Metrics;

namespace Telemetry.Processing.Windows;

/// <summary>What a processor counted of windows since it started; written by its thread, read by anyone.</summary>
public sealed class WindowCounters
{
    /// <summary>Parts written.</summary>
    public long Parts { get; set; }

    /// <summary>Parts of windows that had been complete.</summary>
    public long Revisions { get; set; }

    /// <summary>Parts in memory now.</summary>
    public long Open { get; set; }

    /// <summary>Gateways whose open windows were folded anew.</summary>
    public long Rebuilt { get; set; }

    /// <summary>Gateways whose open windows wait to be folded anew.</summary>
    public long Waiting { get; set; }

    /// <summary>Makes the instruments of the processors of one process, summed up.</summary>
    public static void Publish(Meter meter, IReadOnlyList<WindowCounters> processors)
    {
        meter.Counter(
            "telemetry.processor.windows.parts", "{part}", "Parts of windows written", () => Sum(c => c.Parts));
        meter.Counter(
            "telemetry.processor.windows.revisions", "{part}", "Parts of windows that had been complete",
            () => Sum(c => c.Revisions));
        meter.Counter(
            "telemetry.processor.windows.rebuilt", "{gateway}",
            "Gateways whose open windows were folded anew after a change of owner", () => Sum(c => c.Rebuilt));
        meter.Gauge(
            "telemetry.processor.windows.open", "Parts of windows in memory that are not in the database yet",
            () => Sum(c => c.Open));
        meter.Gauge(
            "telemetry.processor.windows.waiting",
            "Gateways whose open windows wait to be folded anew; their watermark stands still",
            () => Sum(c => c.Waiting));

        long Sum(Func<WindowCounters, long> count) => processors.Sum(count);
    }
}
