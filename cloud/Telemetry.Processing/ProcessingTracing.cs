using System.Diagnostics;
using Telemetry.Model.Tracing;
using Telemetry.Storage;

namespace Telemetry.Processing;

/// <summary>Writes a processor's spans of frames; docs/reference/traces.md lists them.</summary>
public static class ProcessingTracing
{
    private static readonly FrameSpans Spans = new(FrameSpans.CloudSource);

    /// <summary>True while a listener is attached.</summary>
    public static bool Wanted => Spans.Wanted;

    /// <summary>
    /// A frame's transaction committed. The frame was taken from the log and evaluated between the timestamps <paramref
    /// name="since"/> and <paramref name="appliedAt"/>; <paramref name="alerts"/> is the number of transitions that it
    /// caused.
    /// </summary>
    public static void Stored(
        FrameRegisterRow frame, int alerts, long since, long appliedAt, DateTimeOffset now, TimeProvider time)
    {
        var from = now - time.GetElapsedTime(since);
        if (Spans.Begin("store frame", ActivityKind.Consumer, frame.Gateway, frame.Key, from) is not { } span)
        {
            return;
        }

        span.SetTag("messaging.system", "nats")
            .SetTag("messaging.operation.type", "process")
            .SetTag("db.system.name", "postgresql")
            .SetTag("telemetry.frame.stored", frame.Stored)
            .SetTag("telemetry.frame.rejected", frame.Rejected)
            .SetTag("telemetry.frame.dropped", frame.Dropped);
        if (alerts > 0
            && Spans.Begin("evaluate alerts", ActivityKind.Internal, frame.Gateway, frame.Key, from, span) is { } inner)
        {
            inner.SetTag("telemetry.alerts.transitions", alerts);
            FrameSpans.End(inner, now - time.GetElapsedTime(appliedAt));
        }

        FrameSpans.End(span, now);
    }
}
