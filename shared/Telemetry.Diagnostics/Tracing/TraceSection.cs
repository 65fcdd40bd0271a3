using Telemetry.Runtime.Settings;

namespace Telemetry.Diagnostics.Tracing;

/// <summary>
/// Reads section <c>traces</c> of a configuration, an agent's or the cloud's; docs/reference/traces.md says what the
/// keys mean.
/// </summary>
public static class TraceSection
{
    private static readonly TimeSpan SpanMin = TimeSpan.FromMilliseconds(100), SpanMax = TimeSpan.FromMinutes(1);

    /// <summary>Reads it; problems stay in the reader.</summary>
    public static TraceExportOptions Read(SettingsReader reader)
    {
        var or = new TraceExportOptions();
        return or with
        {
            Endpoint = Endpoint(reader),
            Protocol = reader.Choice(
                "traces.protocol",
                or.Protocol,
                (TraceExportOptions.HttpWord, TraceProtocol.HttpProtobuf),
                (TraceExportOptions.GrpcWord, TraceProtocol.Grpc)),
            Ratio = reader.Parsed<double>(
                "traces.ratio", or.Ratio,
                static text => TraceExportOptions.TryRatio(text, out var ratio) ? ratio : null, "0 to 1"),
            WaitingSpansMax = reader.Number(
                "traces.waitingSpansMax", or.WaitingSpansMax, 1, TraceExportOptions.WaitingSpansMaxMax),
            SendEvery = reader.Span("traces.sendEvery", or.SendEvery, SpanMin, SpanMax),
            SendTimeout = reader.Span("traces.sendTimeout", or.SendTimeout, SpanMin, SpanMax),
            StopTimeout = reader.Span("traces.stopTimeout", or.StopTimeout, SpanMin, SpanMax),
        };
    }

    private static Uri? Endpoint(SettingsReader reader)
    {
        if (reader.Text("traces.endpoint") is not { } text)
        {
            return null;
        }

        if (!TraceExportOptions.TryEndpoint(text, out var endpoint))
        {
            // What it is instead may hold a password.
            reader.Problem("traces.endpoint", "is not allowed; use the address of a collector (http://host:4318)");
        }

        return endpoint;
    }
}
