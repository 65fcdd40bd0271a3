using System.Diagnostics;
using Telemetry.Model.Identity;
using Telemetry.Model.Tracing;

namespace Telemetry.Edge.Outbox;

/// <summary>
/// Writes the outbox's spans of frames; docs/reference/traces.md lists them. Durations are measured by the monotonic
/// clock.
/// </summary>
public static class OutboxTracing
{
    private static readonly FrameSpans Spans = new(FrameSpans.EdgeSource);

    /// <summary>
    /// Frames are durable. The span of a live or critical frame begins with the first reading that waited for this
    /// commit (at the timestamp <paramref name="waitingSince"/>), that of a backlog frame with the commit itself.
    /// </summary>
    public static void Committed(
        GatewayId gateway, IReadOnlyList<FrameRow> frames, long waitingSince, long commitSince, TimeProvider time)
    {
        if (!Spans.Wanted)
        {
            return;
        }

        var now = time.GetUtcNow();
        foreach (var frame in frames)
        {
            var since = frame.Key.Lane == Lane.Backlog ? commitSince : Math.Min(waitingSince, commitSince);
            var span = Spans.Begin(
                "commit frame", ActivityKind.Internal, gateway, frame.Key, now - time.GetElapsedTime(since));
            if (span is not null)
            {
                span.SetTag("telemetry.frame.readings", frame.Key.Count - frame.Dropped)
                    .SetTag("telemetry.frame.dropped", frame.Dropped)
                    .SetTag("messaging.message.body.size", frame.Bytes);
                FrameSpans.End(span, now);
            }
        }
    }
}
