using System.Diagnostics;
using OpenTelemetry;
using OpenTelemetry.Exporter;

namespace Telemetry.Diagnostics.Tracing;

/// <summary>The OTLP exporter, counting what became of each batch. Called by the exporting thread alone.</summary>
internal sealed class CountedExporter(
    OtlpExporterOptions options, TraceExportCounters counters, CollectorReach reach)
    : OtlpTraceExporter(options)
{
    public override ExportResult Export(in Batch<Activity> activityBatch)
    {
        var spans = activityBatch.Count;
        var result = ExportResult.Failure;
        try
        {
            return result = base.Export(activityBatch);
        }
        finally
        {
            counters.Sent(spans, result == ExportResult.Success);
            reach.Sent(spans, result == ExportResult.Success);
        }
    }
}
