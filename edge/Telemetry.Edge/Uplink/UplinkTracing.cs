using System.Diagnostics;
using Telemetry.Edge.Outbox.Frames;
using Telemetry.Model.Identity;
using Telemetry.Model.Tracing;

namespace Telemetry.Edge.Uplink;

/// <summary>
/// Writes the uplink's spans of frames; docs/reference/traces.md lists them. Durations are measured by the monotonic
/// clock.
/// </summary>
public static class UplinkTracing
{
    private static readonly FrameSpans Spans = new(FrameSpans.EdgeSource);

    /// <summary>
    /// A frame's publish ended with a PUBACK; <paramref name="since"/> is the timestamp at which it was sent.
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
