using System.Diagnostics;
using Telemetry.Model.Identity;
using Telemetry.Model.Tracing;

namespace Telemetry.Ingress;

/// <summary>Writes the ingress's spans of frames; docs/reference/traces.md lists them.</summary>
public static class IngressTracing
{
    private static readonly FrameSpans Spans = new(FrameSpans.CloudSource);

    /// <summary>True while a listener is attached.</summary>
    public static bool Wanted => Spans.Wanted;

    /// <summary>
    /// The log stored a frame, or did not, with <paramref name="error"/>. <paramref name="since"/> is the timestamp at
    /// which the publish arrived.
    /// </summary>
    public static void Appended(
        GatewayId gateway, FrameKey frame, string stream, int bytes, long sequence, string? error, long since,
        TimeProvider time)
    {
        if (!Spans.Wanted)
        {
            return;
        }

        var now = time.GetUtcNow();
        if (Spans.Begin(
            "append frame", ActivityKind.Producer, gateway, frame, now - time.GetElapsedTime(since)) is { } span)
        {
            span.SetTag("messaging.system", "nats")
                .SetTag("messaging.operation.type", "send")
                .SetTag("messaging.destination.name", stream)
                .SetTag("messaging.message.body.size", bytes);
            if (error is null)
            {
                span.SetTag("telemetry.log.sequence", sequence);
            }

            FrameSpans.End(span, now, error);
        }
    }
}
