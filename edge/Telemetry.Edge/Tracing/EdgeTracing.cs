using System.Diagnostics;
using Telemetry.Edge.Outbox;
using Telemetry.Edge.Outbox.Frames;
using Telemetry.Edge.Uplink;
using Telemetry.Model.Identity;
using Telemetry.Model.Tracing;

namespace Telemetry.Edge.Tracing;

/// <summary>
/// The spans that an agent writes, one a frame and step; docs/traces.md lists them. Lengths are by the monotonic clock.
/// </summary>
public static class EdgeTracing
{
    /// <summary>The name of the source.</summary>
    public const string SourceName = "Telemetry.Edge";

    private static readonly FrameSpans Spans = new(SourceName);

    /// <summary>
    /// Frames are durable. A live or critical one began with the first reading that waited for this commit (its
    /// timestamp is <paramref name="waitingSince"/>), a backlog frame with the commit itself.
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

    /// <summary>
    /// A frame's publish ended with a PUBACK; <paramref name="since"/> is the timestamp of its sending.
    /// </summary>
    public static void Sent(
        GatewayId gateway, HeldFrame frame, string topic, in PublishOutcome outcome, long since, TimeProvider time)
    {
        if (Begin(gateway, frame, topic, since, time) is { } span)
        {
            span.SetTag("telemetry.receipt", outcome.Receipt);
            FrameSpans.End(
                span, time.GetUtcNow(), outcome.Accepted ? null : outcome.Reason ?? $"0x{outcome.ReasonCode:x2}");
        }
    }

    /// <summary>A frame's publish ended without a PUBACK.</summary>
    public static void Unanswered(
        GatewayId gateway, HeldFrame frame, string topic, string why, long since, TimeProvider time)
    {
        if (Begin(gateway, frame, topic, since, time) is { } span)
        {
            FrameSpans.End(span, time.GetUtcNow(), why);
        }
    }

    private static Activity? Begin(GatewayId gateway, HeldFrame frame, string topic, long since, TimeProvider time) =>
        !Spans.Wanted ? null : Spans.Begin(
                "send frame", ActivityKind.Producer, gateway, frame.Key, time.GetUtcNow() - time.GetElapsedTime(since))?
            .SetTag("messaging.system", "mqtt")
            .SetTag("messaging.operation.type", "send")
            .SetTag("messaging.destination.name", topic)
            .SetTag("messaging.message.body.size", frame.Bytes)
            .SetTag("telemetry.attempt", frame.Attempts);
}
