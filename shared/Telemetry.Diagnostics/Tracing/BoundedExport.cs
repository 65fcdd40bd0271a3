using System.Diagnostics;
using OpenTelemetry;

namespace Telemetry.Diagnostics.Tracing;

/// <summary>
/// Gathers ended spans and sends them from a thread of its own. Whoever ends a span never waits: when
/// <see cref="TraceExportOptions.WaitingSpansMax"/> wait, it is dropped and counted, which the SDK's queue would do
/// without telling how many.
/// </summary>
internal sealed class BoundedExport(CountedExporter exporter, TraceExportOptions options, TraceExportCounters counters)
    : BatchActivityExportProcessor(
        exporter,
        options.WaitingSpansMax,
        (int)options.SendEvery.TotalMilliseconds,
        (int)options.SendTimeout.TotalMilliseconds,
        Math.Min(BatchSpansMax, options.WaitingSpansMax))
{
    private const int BatchSpansMax = 512;

    public override void OnEnd(Activity data)
    {
        if (data.Recorded && counters.TryWait(options.WaitingSpansMax))
        {
            base.OnEnd(data);
        }
    }
}
